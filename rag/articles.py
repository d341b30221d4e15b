"""A folder → the files in it that may hold articles → their parts.

A newcomer adds a format by writing one function and one row: in LOADERS for a file that is one
article, in COLLECTIONS for one that holds several.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rag.config import Config
from rag.errors import ArticleError
from rag.load_text import load_text
from rag.parts import Part, distinct, sha256
from rag.types import Article

Load = Callable[[str, bytes], Article]  # path, content
LoadAll = Callable[[str, bytes, Config], Iterable[Part]]

LOADERS: dict[str, Load] = {".txt": load_text, ".md": load_text}
COLLECTIONS: dict[str, LoadAll] = {}


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """A file that may hold articles; nothing of it is read yet."""

    path: str  # relative to the folder, with forward slashes
    location: Path
    folder: Path

    def parts(self, config: Config) -> list[Part]:
        """Return the articles of the file, in order, under paths that differ.

        Raises ArticleError, naming the reason but not the file, when it cannot be used.
        """
        collection = self.location.suffix.lower() in COLLECTIONS
        most = config.collection_bytes if collection else config.article_bytes
        return parts_of(self.path, self._content(most), config)

    def _content(self, most_bytes: int) -> bytes:
        # Not Path.resolve(), which raises RuntimeError for a link to itself.
        if not Path(os.path.realpath(self.location)).is_relative_to(os.path.realpath(self.folder)):
            raise ArticleError("is a link that leaves the folder")
        try:
            status = self.location.stat()
            if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
                raise ArticleError("is not a regular file")
            if status.st_size > most_bytes:
                limit = f"the limit is {most_bytes / 1e6:.0f} MB"
                raise ArticleError(f"is too large ({status.st_size / 1e6:.1f} MB; {limit})")
            return self.location.read_bytes()
        except OSError as error:
            raise ArticleError(f"cannot be read ({error.strerror or error})") from error


def parts_of(path: str, data: bytes, config: Config) -> list[Part]:
    """Return the articles in the content of a file of this name. Raises ArticleError."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix in COLLECTIONS:
        return distinct(COLLECTIONS[suffix](path, data, config))
    return [Part(path, sha256(data), lambda: LOADERS[suffix](path, data))]


def find_articles(folder: Path) -> Iterator[ArticleFile]:
    """Yield the files of the folder that have a known suffix, sorted by path.

    Hidden files and folders are left out. Raises ArticleError when the folder is missing or
    cannot be listed.
    """
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise ArticleError(f"The articles folder {folder} {what}. Name a folder of .txt files.")
    yield from sorted(_walk(folder), key=lambda file: file.path)


def by_file(
    known: dict[str, tuple[int, str]], files: Sequence[ArticleFile]
) -> dict[str | None, dict[str, tuple[int, str]]]:
    """Group {path: value} by the file that a path names, or a part of; by None where it is gone."""
    present = {file.path for file in files}
    held: dict[str | None, dict[str, tuple[int, str]]] = {}
    for path, value in known.items():
        above = (path, *map(str, PurePosixPath(path).parents))
        held.setdefault(next((p for p in above if p in present), None), {})[path] = value
    return held


def _walk(folder: Path) -> Iterator[ArticleFile]:
    def refuse(error: OSError) -> None:
        raise ArticleError(f"Cannot list {error.filename}: {error.strerror}.") from error

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            location = Path(parent, name)
            suffix = location.suffix.lower()
            if not name.startswith(".") and (suffix in LOADERS or suffix in COLLECTIONS):
                yield ArticleFile(_printable(location.relative_to(folder)), location, folder)


def _printable(path: Path) -> str:
    # File names that are not valid Unicode would break JSON and SQLite later. Bytes are written
    # out, since two such names must not become one.
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
