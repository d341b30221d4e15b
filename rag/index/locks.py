"""One writer at a time: a lock that the system frees when its process dies, however it dies.

Readers take none: SQLite gives each one a snapshot.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import math
import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import RagError

LOCK = "writer.lock"
HOLDER = "writer.json"  # who holds the lock; only what is said to others depends on it
SAID_EVERY = 60.0  # seconds between two messages of one who waits
LOOK = 1.0  # seconds after which a dead holder's note, or a new holder's, is read again
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def writing(folder: Path, wait: float = math.inf) -> Iterator[None]:
    """Hold an index folder against other writers; wait so many seconds for one that has it.

    Raises RagError, naming the other one, when it has not finished by then; OSError when the
    folder cannot be written.
    """
    held = FileLock(folder / LOCK)
    _acquire(held, folder, wait)
    try:
        note = {"pid": os.getpid(), "host": socket.gethostname(), "since": _now()}
        (folder / HOLDER).write_text(json.dumps(note), encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / HOLDER).unlink()
        held.release()


@contextlib.contextmanager
def writable(folder: Path, wait: float) -> Iterator[None]:
    """Hold an index folder, made if there is none; what cannot be written becomes RagError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with writing(folder, wait):
            yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RagError(
            f"Cannot write the index {folder}: {reason}. "
            "The index there, if any, stays as it was last written."
        ) from error


def _acquire(held: FileLock, folder: Path, wait: float) -> None:
    begun = time.monotonic()
    said = -math.inf
    while True:
        waited = time.monotonic() - begun
        try:
            # The first look is short: the one who has it may be about to end.
            held.acquire(timeout=max(0.0, min(LOOK, wait - waited)))
        except Timeout:
            waited = time.monotonic() - begun
        else:
            if said >= 0:
                _log.warning("Waited %.0f s for it.", waited)
            return
        if waited >= wait:
            still = f", still after {waited:.0f} s" if wait >= 1 else ""
            raise RagError(
                f"{_holder(folder)} is writing the index {folder}{still}. "
                "Try again when it is done."
            )
        if waited - said >= SAID_EVERY:
            said = waited
            _log.warning("%s is writing the index %s; waiting for it.", _holder(folder), folder)


def _holder(folder: Path) -> str:
    try:
        note = json.loads((folder / HOLDER).read_text(encoding="utf-8"))
        return f"Process {int(note['pid'])} on {note['host']}, since {note['since']},"
    except (OSError, ValueError, KeyError, TypeError):
        return "Another process"  # it has the lock, and has not said who it is yet


def _now() -> str:
    return dt.datetime.now().astimezone().isoformat(" ", "seconds")
