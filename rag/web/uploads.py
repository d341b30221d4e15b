"""What a browser has sent of the files and folders that were dropped or chosen on the page.

Everything is untrusted: where a file lies, its names, and the numbers. Names of folders are kept,
as far as ingest/uploads.py finds them safe to use.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from rag import texts
from rag.config import Config
from rag.errors import InputError
from rag.ingest.folder import BESIDE, beside
from rag.ingest.formats import FORMATS, is_known

LARGEST = 10**6  # files that a browser can say it has left out
SHOWN_CHARACTERS = 100  # characters of a suffix or a name in a sentence


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that has arrived."""

    name: str
    folder: str  # names of folders with slashes, from the one that was dropped; "" for none
    place: Path


@dataclass(frozen=True, slots=True)
class Drop:
    """The files of one drop, and what the browser has left out of it."""

    files: tuple[SentFile, ...]
    others: str = ""  # a sentence about the files of other formats
    left: int = 0  # files that were too many
    first_left: str = ""  # the first of them, in order

    @classmethod
    def of(cls, sent: object, uploaded: Path) -> Self:
        """Return what has arrived in the folder ``uploaded``."""
        said: Mapping[Any, Any] = sent if isinstance(sent, dict) else {}
        listed = said.get("files")
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        root = Path(os.path.realpath(uploaded))
        files = tuple(file for row in rows[:FILES_AT_ONCE] if (file := _file(row, root)))
        others = said.get("others")
        counted = others if isinstance(others, dict) else {}
        suffixes = Counter(
            {
                str(k)[:SHOWN_CHARACTERS]: _number(v)
                for k, v in [*counted.items()][:SHOWN_CHARACTERS]
            }
        )
        first = str(said.get("first") or "")
        return cls(
            files,
            others_left_out(+suffixes),
            _number(said.get("left")) + len(rows[FILES_AT_ONCE:]),
            first if len(first) <= SHOWN_CHARACTERS else f"…{first[-SHOWN_CHARACTERS:]}",
        )

    def too_many(self, kept: int) -> str:
        """Return the sentence that says so, when ``kept`` files were added; "" if they were not."""
        if not self.left:
            return ""
        begins = texts.LEFT_FROM.format(self.first_left) if self.first_left else ""
        return texts.TOO_MANY_DROPPED.format(
            kept, len(self.files) + self.left, self.left, begins, FILES_AT_ONCE
        )


def _file(row: Mapping[Any, Any], root: Path) -> SentFile | None:
    """Return a file that lies where the browser's files arrive, and nowhere else."""
    path, name, folder = (str(row.get(key) or "") for key in ("path", "name", "folder"))
    if "\0" in path:
        return None
    place = Path(os.path.realpath(path))
    if not place.is_relative_to(root) or not place.is_file():
        return None
    return SentFile(name, folder[:PATH_CHARACTERS], place)


def _number(said: object) -> int:
    return min(max(said, 0), LARGEST) if isinstance(said, int) else 0


# What lies at a path of this computer that a person has typed: the files that may hold articles,
# and why the others are left out. They are read one by one, to be copied.
#
# The text and the folder are untrusted: links are not followed, pipes and devices not opened, and
# how much is looked at has a limit.

FILES_AT_ONCE = 500  # files
MOST_FOLDER_ENTRIES = 20_000  # entries of folders
PATH_CHARACTERS = 4_096  # characters of a path
SUFFIXES = 5  # of other formats that are named
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that may hold articles."""

    location: Path
    folder: str  # names of folders with slashes, from the one that was typed; "" for a single file

    @property
    def shown(self) -> str:
        """Return how it is named on the page."""
        return str(PurePosixPath(self.folder, _printable(self.location.name)))


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """What lies at one path."""

    name: str
    files: tuple[LocalFile, ...]
    refused: tuple[str, ...] = ()  # sentences that name the file and the reason
    others: str = ""  # a sentence about the files of other formats


def found_at(typed: str, articles: Path, config: Config) -> LocalFiles:
    """Look at a path. Raises InputError with what to do where nothing can be copied from it."""
    path = _path(typed)
    try:
        real = Path(os.path.realpath(path))
        mode = real.stat().st_mode
    except FileNotFoundError as error:
        raise InputError(texts.PATH_MISSING.format(path)) from error
    except OSError as error:
        reason = error.strerror or error
        raise InputError(texts.CANNOT_READ.format(path, reason)) from error
    own = tuple(Path(os.path.realpath(folder)) for folder in (articles, beside(articles)))
    if any(real.is_relative_to(folder) for folder in own):
        raise InputError(texts.PATH_THERE_ALREADY.format(path))
    if stat.S_ISREG(mode):
        return LocalFiles(_printable(real.name), (LocalFile(real, ""),))
    if not stat.S_ISDIR(mode):
        raise InputError(texts.PATH_NO_FOLDER.format(path))
    return _Search(real, own, config).found()


def others_left_out(suffixes: Counter[str]) -> str:
    """Return a sentence about files of other formats, counted by suffix; "" without any."""
    named = [suffix for suffix, _ in suffixes.most_common() if 1 < len(suffix) < 12]
    few = ", ".join(named[:SUFFIXES]) + (", …" if len(named) > SUFFIXES else "")
    return texts.other_formats(suffixes.total(), few) if suffixes.total() else ""


def read_local(file: LocalFile, most: int) -> bytes:
    """Return the content. Raises InputError with the reason when it is not read."""
    if os.path.realpath(file.location) != str(file.location):  # replaced since it was found
        raise InputError(texts.IS_LINK.format(file.shown))
    flags = ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY")  # as far as the system has them
    try:
        handle = os.open(file.location, sum(getattr(os, flag, 0) for flag in flags))
        with os.fdopen(handle, "rb") as opened:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):  # reading a pipe would wait for ever
                raise InputError(texts.IS_NO_FILE.format(file.shown))
            if status.st_size > most:
                size, limit = f"{status.st_size / 1e6:,.1f}", f"{most / 1e6:,.0f}"
                raise InputError(texts.IS_TOO_LARGE.format(file.shown, size, limit))
            return opened.read(most + 1)
    except OSError as error:
        raise InputError(texts.CANNOT_READ.format(file.shown, error.strerror or error)) from error


def _path(typed: str) -> Path:
    """Return the path that is meant, as people paste it. Raises InputError."""
    text = typed.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    if not text:
        raise InputError(texts.PATH_EMPTY)
    if len(text) > PATH_CHARACTERS or _UNWANTED.search(text):
        raise InputError(texts.PATH_NONE)
    try:
        if text.startswith("file:"):
            place = urlsplit(text)
            if place.netloc not in {"", "localhost"}:
                raise InputError(texts.PATH_NETWORK)
            text = url2pathname(place.path) if os.name == "nt" else unquote(place.path)
        if text.startswith(("\\\\", "//")):  # on Windows, asking for it would already call out
            raise InputError(texts.PATH_NETWORK)
        path = Path(text).expanduser()
    except (RuntimeError, ValueError) as error:  # no such user; no such address
        raise InputError(texts.PATH_MISSING.format(text)) from error
    if not path.is_absolute():
        raise InputError(texts.PATH_NOT_WHOLE.format(text))
    return path


def _printable(name: str) -> str:
    # A name that is not valid Unicode could not be sent to the page.
    return os.fsencode(name).decode("utf-8", "backslashreplace")


class _Search:
    """One look through a folder."""

    def __init__(self, root: Path, own: tuple[Path, ...], config: Config) -> None:
        self.root, self.own, self.config = root, own, config
        self.files: list[LocalFile] = []
        self.refused: list[str] = []
        self.others: Counter[str] = Counter()
        self.bytes = self.seen = 0

    def found(self) -> LocalFiles:
        folders = [(self.root, _printable(self.root.name))]
        while folders:
            folder, shown = folders.pop()
            inner = [*self._in(folder, shown)]
            folders += reversed(inner)
        if self.bytes > self.config.uploads_bytes:
            has, most = (f"{n / 1e6:,.0f}" for n in (self.bytes, self.config.uploads_bytes))
            raise InputError(texts.FOLDER_TOO_LARGE.format(self.root, has, most))
        if not self.files and not self.refused:
            raise InputError(texts.FOLDER_HAS_NONE.format(self.root, FORMATS))
        name = self.root.name or str(self.root)
        return LocalFiles(
            _printable(name), tuple(self.files), tuple(self.refused), others_left_out(self.others)
        )

    def _in(self, folder: Path, shown: str) -> Iterator[tuple[Path, str]]:
        """Note the files of a folder, and yield the folders in it."""
        try:
            with os.scandir(folder) as listing:
                entries = sorted(self._counted(listing), key=lambda entry: entry.name)
        except OSError as error:
            reason = texts.CANNOT_LIST.format(shown or folder, error.strerror or error)
            if folder == self.root:
                raise InputError(reason) from error
            self.refused.append(reason)
            return
        for entry in entries:
            name = str(PurePosixPath(shown, _printable(entry.name)))
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                self.refused.append(texts.IS_LINK.format(name))
            elif entry.is_dir(follow_symlinks=False):
                inside = Path(entry.path)
                if not entry.name.endswith(BESIDE) and inside not in self.own:
                    yield inside, name
            elif not entry.is_file(follow_symlinks=False):
                self.refused.append(texts.IS_NO_FILE.format(name))
            elif is_known(entry.name):
                self._take(entry, shown)
            else:
                self.others[PurePosixPath(name).suffix.lower()] += 1

    def _counted(self, listing: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        for entry in listing:
            self.seen += 1
            if self.seen > MOST_FOLDER_ENTRIES:
                raise InputError(
                    texts.FOLDER_TOO_MANY_ENTRIES.format(self.root, MOST_FOLDER_ENTRIES)
                )
            yield entry

    def _take(self, entry: os.DirEntry[str], shown: str) -> None:
        if len(self.files) == FILES_AT_ONCE:
            raise InputError(texts.FOLDER_TOO_MANY.format(self.root, FILES_AT_ONCE))
        self.files.append(LocalFile(Path(entry.path), shown))
        try:
            self.bytes += entry.stat(follow_symlinks=False).st_size
        except OSError:  # gone meanwhile, which reading it will say
            return
