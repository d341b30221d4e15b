"""Adding files to the articles and removing them: what others may do to the folder, and no more.

What is added lies in a folder of its own beside the articles, ``news.footnote/uploads`` for
``news``, and is indexed with them. What is removed is moved to ``news.footnote/removed``, under the
time, and can be put back from there by hand. Nothing is ever overwritten or deleted.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import re
import shutil
import tempfile
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from rag.config import Config
from rag.errors import ArticleError, InputError
from rag.ingest.folder import ADDED, BESIDE, ArticleFile, beside, find_articles
from rag.ingest.formats import FORMATS, is_known, parts_of
from rag.text.untrusted import visible

REMOVED = "removed"
DEEPEST = 16  # folders in each other that keep their names
NAME_BYTES = 120  # bytes of a name without its suffix; most file systems allow 255 in all
# Names that mean a device on Windows, with any suffix.
RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d|conin\$|conout\$)(?:\.|\Z)", re.IGNORECASE)
UNWANTED = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f]+')  # in names, somewhere


@dataclass
class Manager:
    """The files of one articles folder. Safe to use from several threads."""

    articles: Path
    config: Config = field(default_factory=Config)
    own: bool = False  # whether files of the articles folder itself may be removed too
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, name: str, data: bytes, folder: str = "") -> str:
        """Keep a file of this name, and return its path among the articles.

        The name is only a wish: it is cleaned, and numbered if it is taken. The same content under
        the same name is kept once. ``folder``: names of folders that it lies in, with slashes,
        which are cleaned too. Raises InputError with the reason when the file is refused.
        """
        within = clean_folder(folder)
        clean = f"{within}{clean_name(name)}"
        self._check(clean, data)
        try:
            with self._lock:
                return self._kept(within, clean.removeprefix(within), data)
        except OSError as error:
            raise InputError(
                f"{clean} cannot be kept in {self._uploads.name}: {error.strerror or error}."
            ) from error

    def remove(self, path: str) -> Path:
        """Move a file out of the articles; return where it lies now.

        Raises InputError with the reason when it may not be removed or is not there.
        """
        file = self._file(path)
        if reason := self.why_not(path):
            raise InputError(reason)
        try:
            with self._lock:
                target = self._trash() / file.path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(file.location, target)
        except OSError as error:
            raise InputError(f"{path} cannot be removed: {error.strerror or error}.") from error
        return target

    def why_not(self, path: str) -> str:
        """Return why an article cannot be removed; "" when it can."""
        if not self.own and not path.startswith(f"{ADDED}/"):
            return (
                "Only files that were added here can be removed here. This one lies in the folder "
                f"{self.articles.name}: remove it there."
            )
        try:
            file = self._file(path)
        except InputError as error:
            return str(error)
        if file.path != path:
            return f"It is one of several articles in {file.path}, which can only go as a whole."
        return ""

    def file_of(self, path: str) -> str:
        """Return the path of the file that an article is in. Raises InputError."""
        return self._file(path).path

    def _file(self, path: str) -> ArticleFile:
        # Looked up among what was found, and never made into a path of the file system.
        above = {path, *map(str, PurePosixPath(path).parents)}
        for file in self._files():
            if file.path in above:
                return file
        raise InputError(f"There is no article {path!r} any more.")

    def _files(self) -> list[ArticleFile]:
        try:
            return list(find_articles(self.articles))
        except ArticleError as error:
            raise InputError(str(error)) from error

    @property
    def _uploads(self) -> Path:
        return beside(self.articles) / ADDED

    def _check(self, name: str, data: bytes) -> None:
        """Raise InputError unless at least one article can be read."""
        if not is_known(name):
            raise InputError(f"{name} is not a format that is read: {FORMATS}.")
        most = max(self.config.article_bytes, self.config.collection_bytes)
        if len(data) > most:  # before anything looks at it
            size = f"{len(data) / 1e6:.1f} MB; the limit is {most / 1e6:.0f} MB"
            raise InputError(f"{name} is too large ({size}).")
        reason = "holds no article"
        try:
            for part in parts_of(name, data, self.config):
                try:
                    if part.load().text.strip():
                        return
                    reason = "has no text"
                except ArticleError as error:
                    reason = str(error)
        except ArticleError as error:
            reason = str(error)
        raise InputError(f"{name} {reason}.")

    def _kept(self, within: str, name: str, data: bytes) -> str:
        folder = self._uploads / within
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(self._uploads.resolve()):
            raise InputError(f"{within}{name} is not added: a link leads out of {ADDED}.")
        there = {entry.name.casefold(): entry for entry in folder.iterdir()}
        used = sum(file.stat().st_size for file in self._uploads.rglob("*") if file.is_file())
        if used + len(data) > self.config.uploads_bytes:
            raise InputError(
                f"{within}{name} does not fit: all files that are added may have "
                f"{self.config.uploads_bytes / 1e6:,.0f} MB together. Remove some first."
            )
        start, own = f"{ADDED}/{within}", self._shadowing()
        for wanted in _numbered(name):
            same = there.get(wanted.casefold())
            if same is not None and same.is_file() and same.read_bytes() == data:
                return f"{start}{same.name}"
            if same is None and f"{start}{wanted}".casefold() not in own:
                with contextlib.suppress(FileExistsError):  # another process was faster
                    _write(folder, wanted, data)
                    return f"{start}{wanted}"
        raise AssertionError("numbers do not end")

    def _shadowing(self) -> set[str]:
        """Return the paths in the articles folder itself that could be those of added files."""
        if not any(name.casefold() == ADDED for name in os.listdir(self.articles)):  # noqa: PTH208
            return set()  # as nearly always: the whole folder need not be walked for each file
        return {file.path.casefold() for file in self._files()}

    def _trash(self) -> Path:
        now = dt.datetime.now().astimezone().strftime("%Y-%m-%d %H-%M-%S")
        folder = beside(self.articles) / REMOVED
        for name in itertools.chain([now], (f"{now} ({n})" for n in itertools.count(2))):
            with contextlib.suppress(FileExistsError):
                (folder / name).mkdir(parents=True)
                return folder / name
        raise AssertionError("numbers do not end")


def clean_name(name: str) -> str:
    """Return a file name that is safe to use and to show, as near to the wish as possible.

    No folders, hidden or reserved names, control, invisible or direction-changing characters; one
    Unicode form; not too long.
    """
    text = name.encode("utf-8", "replace").decode("utf-8").replace("\\", "/").rpartition("/")[2]
    text = UNWANTED.sub(" ", visible(unicodedata.normalize("NFC", text)))
    path = PurePosixPath(text)
    stem, suffix = (path.stem, path.suffix) if is_known(text) else (text, "")
    stem = " ".join(stem.split()).strip(" .-~")
    while len(stem.encode()) > NAME_BYTES:
        stem = stem[: -1 - (len(stem.encode()) - NAME_BYTES) // 4]
    stem = stem.rstrip(" .")
    if not stem or RESERVED.match(stem):
        stem = f"article {stem}".strip()
    return f"{stem}{suffix}"


def clean_folder(folder: str) -> str:
    """Return names of folders that are safe to use, each with a slash after it; "" for none.

    None looks like a file of several articles, or like a folder that is left out.
    """
    names = [name for name in folder.replace("\\", "/").split("/") if name.strip(" .")]
    clean = (clean_name(name) for name in names[:DEEPEST])
    return "".join(
        f"{name.replace('.', ' ') if is_known(name) or name.endswith(BESIDE) else name}/"
        for name in clean
    )


def _numbered(name: str) -> Iterator[str]:
    """Yield the name, then "name (2)" and so on."""
    path = PurePosixPath(name)
    yield name
    for number in itertools.count(2):
        yield f"{path.stem} ({number}){path.suffix}"


def _write(folder: Path, name: str, data: bytes) -> None:
    """Write a whole file, or none. Raises FileExistsError rather than to replace one."""
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".")  # hidden: not read as an article
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        os.close(os.open(folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        try:
            Path(temporary).replace(folder / name)  # over the empty one that holds its name
        except BaseException:
            (folder / name).unlink(missing_ok=True)
            raise
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
