"""Writing a generation: the vector and lexical files of the store's present state, then the commit.

The one commit point is the SQLite transaction. The files are written before it, under a new
generation's name, and its manifest row holds their sizes and checksums: a crash, a full disk or
Ctrl-C at any moment leaves the old index as it was.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rag.database import Database
from rag.lexical import LexicalIndex
from rag.manifest import seal
from rag.store_ivf import choose_store, described
from rag.stored import NAME


def publish(database: Database, folder: Path, generation: int, settings: dict[str, Any]) -> None:
    """Write the files of a generation, commit the transaction, and remove the older files.

    Raises OSError, OperationalError; all is then as before the transaction.
    """
    names = (f"vectors-{generation}.bin", f"lexical-{generation}")
    vector_file, lexical_folder = (folder / name for name in names)
    _remove([vector_file, lexical_folder])  # left by a crash
    try:
        lexical_folder.mkdir()
        vectors = choose_store(settings["store"], *database.all_vectors())
        vectors.save(vector_file)
        rows = ((key, terms.split()) for key, terms in database.all_terms())
        LexicalIndex.build(lexical_folder, rows)
        written = [vector_file, *sorted(lexical_folder.iterdir())]
        seals = {
            path.relative_to(folder).as_posix(): seal(path)
            for path in written
            if not path.name.endswith(".lock")
        }
        _sync_folders(lexical_folder, folder)
        written_now = {"generation": generation, "files": seals, "vectors": described(vectors)}
        database.set_manifest({**settings, **written_now})
        database.commit()
    except BaseException:  # Ctrl-C too: leave nothing half-written behind
        database.rollback()
        if database.manifest().get("generation") != generation:
            _remove([vector_file, lexical_folder])
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
