"""A folder → the files in it that may hold articles → their parts.

A newcomer adds a format by writing one function and one row: in LOADERS for a file that is one
article, in COLLECTIONS for one that holds several.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from rag.config import Config
from rag.errors import ArticleError
from rag.load_feed import load_feed
from rag.load_html import load_html
from rag.load_mail import load_mail, load_mbox
from rag.load_office import load_docx
from rag.load_pdf import load_pdf
from rag.load_rows import load_csv, load_json, load_jsonl
from rag.load_text import load_text
from rag.load_zip import load_zip
from rag.parts import Part, distinct, sha256
from rag.sniff import NAMES, sniff
from rag.types import Article

Result = TypeVar("Result")
Load = Callable[[str, bytes], Article]  # path, content
LoadAll = Callable[[str, bytes, Config], Iterable[Part]]

LOADERS: dict[str, Load] = {
    ".txt": load_text,
    ".md": load_text,
    ".html": load_html,
    ".htm": load_html,
    ".pdf": load_pdf,
    ".docx": load_docx,
    ".eml": load_mail,
}
COLLECTIONS: dict[str, LoadAll] = {
    ".json": load_json,
    ".jsonl": load_jsonl,
    ".csv": load_csv,
    ".tsv": load_csv,
    ".xml": load_feed,
    ".rss": load_feed,
    ".atom": load_feed,
    ".mbox": load_mbox,
    ".zip": lambda path, data, config: load_zip(path, data, config, parts_of, is_known),
}
UNCHANGED = (".txt", ".md")  # whose text is the decoded file, so that nothing else may be in it
BESIDE = ".footnote"  # ends the name of the folder that keeps what is added to an articles folder
ADDED = "uploads"  # in it, and at the beginning of those articles' paths
FORMATS = ".txt, .md, .html, .pdf, .docx, .eml, .mbox, .json, .jsonl, .csv, .rss or .zip"


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
        return parts_of(self.path, self._content(_most_bytes(_suffix(self.path), config)), config)

    def _content(self, most_bytes: int) -> bytes:
        # Not Path.resolve(), which raises RuntimeError for a link to itself.
        if not Path(os.path.realpath(self.location)).is_relative_to(os.path.realpath(self.folder)):
            raise ArticleError("is a link that leaves the folder")
        try:
            status = self.location.stat()
            if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
                raise ArticleError("is not a regular file")
            _check_size(status.st_size, most_bytes)
            return self.location.read_bytes()
        except OSError as error:
            raise ArticleError(f"cannot be read ({error.strerror or error})") from error


def parts_of(path: str, data: bytes, config: Config) -> list[Part]:
    """Return the articles in the content of a file of this name. Raises ArticleError."""
    suffix = _suffix(path)
    if (found := sniff(data)) and found != suffix:
        if suffix in UNCHANGED:
            raise ArticleError(f"is {NAMES[found]}, not plain text: rename it to {found}")
        if not (
            (found == ".html" and suffix == ".htm") or (found == ".xml" and suffix in COLLECTIONS)
        ):
            suffix = found
    _check_size(len(data), _most_bytes(suffix, config))
    if suffix in LOADERS:
        parts = [Part(path, sha256(data), lambda: LOADERS[suffix](path, data))]
    else:
        parts = _read(lambda: distinct(COLLECTIONS[suffix](path, data, config)))
    return [Part(p.path, p.digest, partial(_load, p, config)) for p in parts]


def is_known(name: str) -> bool:
    """Return whether a file of this name may hold articles."""
    return _suffix(name) in LOADERS or _suffix(name) in COLLECTIONS


def file_in(path: str) -> str:
    """Return the path of the file that an article is in: its own, or that of a collection."""
    above = reversed(PurePosixPath(path).parents)
    return next((str(parent) for parent in above if is_known(parent.name)), path)


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _most_bytes(suffix: str, config: Config) -> int:
    return config.collection_bytes if suffix in COLLECTIONS else config.article_bytes


def _check_size(size: int, most: int) -> None:
    if size > most:
        limit = f"the limit is {most / 1e6:.0f} MB"
        raise ArticleError(f"is too large ({size / 1e6:.1f} MB; {limit})")


def _load(part: Part, config: Config) -> Article:
    article = _read(part.load)
    if len(article.text) > config.article_bytes:
        limit = f"the limit is {config.article_bytes / 1e6:.0f} million"
        raise ArticleError(f"has too long a text ({len(article.text):,} characters; {limit})")
    return article


def _read(load: Callable[[], Result]) -> Result:
    """Run a loader. Whatever a library raises on a damaged file, the other files go on."""
    try:
        return load()
    except ArticleError:
        raise
    except Exception as error:
        detail = " ".join(str(error).split())[:80]
        raise ArticleError(f"cannot be read ({type(error).__name__}: {detail})") from error


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
