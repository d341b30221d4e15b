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

from rag.index.database import Database
from rag.index.ivf import choose_store, described
from rag.index.lexical import LexicalIndex
from rag.index.manifest import lexical_generation, seal
from rag.index.schema import NAME


def publish(
    database: Database, folder: Path, generation: int, settings: dict[str, Any], *,
    words: bool = True,
) -> None:  # fmt: skip
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
