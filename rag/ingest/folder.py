"""A folder → the files in it that may hold articles, with those that were added in the chat."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rag.config import Config
from rag.errors import ArticleError
from rag.ingest.article import FilePart
from rag.ingest.formats import check_size, is_known, most_bytes, parts_of, suffix_of

BESIDE = ".footnote"  # ends the name of the folder that keeps what is added to an articles folder
ADDED = "uploads"  # in it, and at the beginning of those articles' paths


@dataclass(frozen=True, slots=True)
class ArticleFile:
    """A file that may hold articles; nothing of it is read yet."""

    path: str  # relative to the folder, with forward slashes
    location: Path
    folder: Path

    def parts(self, config: Config) -> list[FilePart]:
        """Return the articles of the file, in order, under paths that differ.

        Raises ArticleError, naming the reason but not the file, when it cannot be used.
        """
        return parts_of(self.path, self._content(most_bytes(suffix_of(self.path), config)), config)

    def _content(self, most_bytes: int) -> bytes:
        # Not Path.resolve(), which raises RuntimeError for a link to itself.
        if not Path(os.path.realpath(self.location)).is_relative_to(os.path.realpath(self.folder)):
            raise ArticleError("is a link that leaves the folder")
        try:
            status = self.location.stat()
            if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
                raise ArticleError("is not a regular file")
            check_size(status.st_size, most_bytes)
            return self.location.read_bytes()
        except OSError as error:
            raise ArticleError(f"cannot be read ({error.strerror or error})") from error


def find_articles(folder: Path) -> Iterator[ArticleFile]:
    """Yield the files of the folder that have a known suffix, sorted by path, with those that were
    added to it in the chat.

    Hidden files and folders are left out. Raises ArticleError when the folder is missing or
    cannot be listed.
    """
    check_folder(folder)
    files = {file.path: file for file in (*_added(folder), *_walk(folder))}
    yield from sorted(files.values(), key=lambda file: file.path)


def check_folder(folder: Path) -> None:
    """Raise ArticleError when there is no such folder of articles."""
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        where = "" if folder.is_absolute() else f" in {Path.cwd()}"
        raise ArticleError(
            f"The articles folder {folder} {what}{where}. Name a folder of articles."
        )


def beside(folder: Path) -> Path:
    """Return where what is added to an articles folder is kept: ``news.footnote`` beside ``news``.

    It need not exist. The articles folder itself is never written.
    """
    own = folder.resolve()
    return own.with_name(f"{own.name}{BESIDE}") if own.name else own / BESIDE


def _added(folder: Path) -> Iterator[ArticleFile]:
    kept = beside(folder) / ADDED
    for file in _walk(kept) if kept.is_dir() else ():
        yield ArticleFile(f"{ADDED}/{file.path}", file.location, kept)


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
        folders[:] = [n for n in folders if not n.startswith(".") and not n.endswith(BESIDE)]
        for name in names:
            location = Path(parent, name)
            if not name.startswith(".") and is_known(name):
                yield ArticleFile(_printable(location.relative_to(folder)), location, folder)


def _printable(path: Path) -> str:
    # File names that are not valid Unicode would break JSON and SQLite later. Bytes are written
    # out, since two such names must not become one.
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")
