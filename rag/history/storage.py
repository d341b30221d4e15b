"""Conversations that are kept: one JSON file each, in a folder for each visitor.

A visitor is a browser, known by a secret, or a user who logs in, known by name. A folder is named
by a hash of that, so that reading the disk does not give a secret away.
A file is replaced whole or not at all. One that is damaged is left out, with a line in the log.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import logging
import os
import re
import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import platformdirs

from rag import texts
from rag.errors import InputError
from rag.history.conversation import Exchange
from rag.history.rows import (
    Conversation,
    Header,
    read_conversation,
    read_header,
    title_of,
    to_json,
)

CONVERSATIONS = 200  # of one visitor; the oldest make room
VISITORS = 1_000  # more are served, but their conversations are not kept
MOST_BYTES = 4_000_000  # of one conversation
TITLE_CHARACTERS = 120  # characters of a title that the visitor gives
_ID = re.compile(r"[A-Za-z0-9_-]{16}")
_VISITOR = re.compile(r"[A-Za-z0-9_-]{32,64}")
_USER = "user:"  # with a character that no secret has
T = TypeVar("T")
_log = logging.getLogger(__name__)


def default_folder(index: Path, kind: str) -> Path:
    """Return the place in the user's data directory for what belongs to one index."""
    key = hashlib.sha256(str(index.resolve()).encode()).hexdigest()[:8]
    data = Path(platformdirs.user_data_dir("footnote", appauthor=False))
    return data / kind / f"{index.resolve().name}-{key}"


def new_visitor() -> str:
    """Return the secret by which one visitor is known: 32 characters, 192 bits."""
    return secrets.token_urlsafe(24)


def is_visitor(text: str) -> bool:
    """Return whether a text can be the secret of a visitor's browser."""
    return _VISITOR.fullmatch(text) is not None


def of_user(name: str) -> str:
    """Return what stands for a user's name where a browser's secret does; it can be none."""
    return f"{_USER}{name}"


def user_in(visitor: str) -> str | None:
    """Return the name that ``of_user`` was given; None for a browser's secret."""
    return visitor.removeprefix(_USER) if visitor.startswith(_USER) else None


def new_id() -> str:
    """Return the name of a new conversation."""
    return secrets.token_urlsafe(12)


class Store:
    """The conversations of all visitors. Nothing is created before something is kept.

    ``visitor`` is a browser's secret, or what ``of_user`` returns. A secret and ``identity`` may
    come from the browser: one that is none finds nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def listed(self, visitor: str) -> tuple[Header, ...]:
        """Return the visitor's conversations, the one that was changed last first."""
        found = (_loaded(path, read_header) for path in self._files(visitor))
        headers = [header for header in found if header is not None]
        return tuple(sorted(headers, key=lambda header: header.changed, reverse=True))

    def get(self, visitor: str, identity: str) -> Conversation | None:
        """Return a conversation; None when the visitor has none of that name that can be read."""
        path = self._path(visitor, identity)
        return _loaded(path, read_conversation) if path else None

    def put(self, visitor: str, identity: str, exchanges: Sequence[Exchange]) -> str:
        """Keep the conversation; return its name: a new one if another tab went on with the old.

        Raises InputError when it cannot be kept.
        """
        path = self._path(visitor, identity)
        if path is None or not exchanges:
            return identity
        with self._lock:
            kept = self.get(visitor, identity)
            now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
            if kept is None:
                self._make_room(path.parent, visitor)
                header = Header(identity, title_of(exchanges), now, now, 0)
            else:
                header = kept.header
                before, said = _questions(kept.exchanges), _questions(exchanges)
                if before[: len(said)] == said and len(before) > len(said):
                    return identity  # an answer that was given up, when the page had gone on
                if said[: len(before)] != before:
                    return self._forked(visitor, exchanges, header.title, now)
            header = replace(header, changed=now, questions=len(exchanges))
            _write(path, to_json(Conversation(header, tuple(exchanges))))
            return identity

    def _forked(self, visitor: str, exchanges: Sequence[Exchange], title: str, now: str) -> str:
        identity = new_id()
        path = self._path(visitor, identity)
        assert path is not None
        self._make_room(path.parent, visitor)
        header = Header(identity, title, now, now, len(exchanges))
        _write(path, to_json(Conversation(header, tuple(exchanges))))
        return identity

    def rename(self, visitor: str, identity: str, title: str) -> None:
        """Give a conversation another title. Raises InputError."""
        title = " ".join(title.split())[:TITLE_CHARACTERS]
        path = self._path(visitor, identity)
        with self._lock:
            kept = self.get(visitor, identity)
            if kept is None or path is None:
                raise InputError(texts.GONE)
            if not title:
                raise InputError("A title needs at least one letter.")
            _write(path, to_json(replace(kept, header=replace(kept.header, title=title))))

    def delete(self, visitor: str, identity: str) -> None:
        """Remove a conversation, if it is there. Raises InputError when that fails."""
        path = self._path(visitor, identity)
        if path is not None:
            with self._lock, _explained("The conversation could not be deleted"):
                path.unlink(missing_ok=True)

    def _files(self, visitor: str) -> list[Path]:
        if not _is_known(visitor):
            return []
        return [path for path in self._of(visitor).glob("*.json") if _ID.fullmatch(path.stem)]

    def _of(self, visitor: str) -> Path:
        name = visitor.encode("utf-8", "surrogatepass")
        return self.folder / hashlib.sha256(name).hexdigest()[:32]

    def _path(self, visitor: str, identity: str) -> Path | None:
        if not _is_known(visitor) or not _ID.fullmatch(identity):
            return None
        return self._of(visitor) / f"{identity}.json"

    def _make_room(self, folder: Path, visitor: str) -> None:
        """Make the visitor's folder, and room in it for one more conversation."""
        with _explained("The conversation could not be kept"):
            if not folder.is_dir():
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                # Users are not made at will, as browsers are.
                if user_in(visitor) is None and sum(1 for _ in self.folder.iterdir()) >= VISITORS:
                    raise InputError(
                        f"The conversation is not kept: there are those of {VISITORS:,} visitors "
                        f"already in {self.folder}."
                    )
                folder.mkdir(mode=0o700, exist_ok=True)
            files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in files[: max(0, len(files) - CONVERSATIONS + 1)]:
                path.unlink(missing_ok=True)


def _is_known(visitor: str) -> bool:
    return is_visitor(visitor) or user_in(visitor) is not None


def _questions(exchanges: Sequence[Exchange]) -> list[str]:
    return [exchange.question for exchange in exchanges]


def _loaded(path: Path, parse: Callable[[str, str], T]) -> T | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("it is too long")
        return parse(path.read_text("utf-8"), path.stem)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, InputError) as error:
        _log.warning("The kept conversation %s is left out: %s", path, error)
        return None


def _write(path: Path, text: str) -> None:
    if len(text) > MOST_BYTES:
        raise InputError("This conversation is too long to be kept. Begin a new one.")
    with _explained("The conversation could not be kept"):
        replace_file(path, text)


def replace_file(path: Path, text: str) -> None:
    """Write a file of the user's alone, whole or not at all. Raises OSError."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _explained(failed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{failed}: {error.strerror or error}.") from error
