"""Writing a generation: the vector and lexical files of the store's present state, then the commit.

The one commit point is the SQLite transaction. The files are written before it, under a new
generation's name, and its manifest row holds their sizes and checksums: a crash, a full disk or
Ctrl-C at any moment leaves the old index as it was.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import math
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from rag.errors import RagError
from rag.index.database import Database
from rag.index.ivf import choose_store, described
from rag.index.lexical import LexicalIndex
from rag.index.manifest import lexical_generation, seal
from rag.index.schema import NAME


def publish(
    database: Database,
    folder: Path,
    generation: int,
    settings: dict[str, Any],
    *,
    words: bool = True,
) -> None:
    """Write the files of a generation, commit the transaction, and remove the older files.

    ``words``: whether the lexical files, too; if not, the present ones stay. Raises OSError,
    OperationalError; all is then as before the transaction.
    """
    lexical = generation if words else lexical_generation(settings)
    names = (f"vectors-{generation}.bin", f"lexical-{lexical}")
    vector_file, lexical_folder = (folder / name for name in names)
    made = [vector_file, lexical_folder] if words else [vector_file]
    _remove(made)  # left by a crash
    try:
        store = choose_store(settings["store"], *database.all_vectors(settings["dimensions"]))
        store.save(vector_file)
        if words:
            lexical_folder.mkdir()
            rows = ((key, terms.split()) for key, terms in database.all_terms())
            LexicalIndex.build(lexical_folder, rows)
        written = [vector_file, *(sorted(lexical_folder.iterdir()) if words else ())]
        seals = {
            path.relative_to(folder).as_posix(): seal(path)
            for path in written
            if not path.name.endswith(".lock")
        }
        if not words:  # those of then: files that were damaged since must not be sealed anew
            old = settings["files"].items()
            seals |= {name: of for name, of in old if name.startswith(f"{names[1]}/")}
        _sync_folders(*([lexical_folder] if words else []), folder)
        new = {"generation": generation, "lexical_generation": lexical, "files": seals}
        new["vectors"] = described(store)
        database.set_manifest({**settings, **new})
        database.commit()
    except BaseException:  # Ctrl-C too: leave nothing half-written behind
        database.rollback()
        if database.manifest().get("generation") != generation:
            _remove(made)
        raise
    tidy(database, folder, names)


def newest(folder: Path) -> int:
    """Return the highest generation of which there is a file; 0 when there is none."""
    found = [path.stem.removeprefix("vectors-") for path in folder.glob("vectors-*.bin")]
    return max((int(number) for number in found if number.isdecimal()), default=0)


def tidy(database: Database, folder: Path, names: Iterable[str]) -> None:
    """Remove what older generations and repairs left, all but these names, as far as possible."""
    kept = set(names)
    _remove(
        path
        for pattern in ("vectors-*.bin", "lexical-*", f"{NAME}*.damaged")
        for path in folder.glob(pattern)
        if path.name not in kept
    )
    # The new state is committed: a full disk or a reader in the way changes nothing of it.
    with contextlib.suppress(sqlite3.OperationalError):
        database.compact()
        database.checkpoint()


def _sync_folders(*folders: Path) -> None:
    # New names in a folder reach the disk with the folder, not with the files. Windows has no such.
    for folder in folders if os.name == "posix" else ():
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(paths: Iterable[Path]) -> None:
    # What a reader on Windows has open stays, and goes with the next generation.
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


# One writer at a time: a lock that the system frees when its process dies, however it dies.
#
# Readers take none: SQLite gives each one a snapshot.

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
