"""Making damage good with as little new work as possible.

A row that fails its checksum is dropped with its article, which is then read again; vectors whose
rows are intact are found again by what they were made from. A store whose pages are damaged is
copied, row by row, as far as it can be read.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import IndexCorrupt
from rag.index.database import AT_ONCE, Database
from rag.index.schema import NAME, TABLES, row_hash

NEW = f"{NAME}.new"


def mend(database: Database) -> tuple[set[str], str | None]:
    """Drop rows that fail their checksum and articles that lack some of theirs.

    Returns the paths of those articles, where known, and what was found, as text. Raises
    IndexCorrupt when the file itself is damaged.
    """
    database.check_pages()
    bad: dict[str, list[int]] = {table: [] for table in TABLES}
    found: dict[int, int] = {}  # article row → sentences in its passages
    owners: dict[int, int] = {}  # passage row → article row
    for key, row in _rows(database, "passages"):
        if row is None:
            bad["passages"].append(key)
        else:
            owners[key] = row[1]
            found[row[1]] = found.get(row[1], 0) + len(row[2]) // (2 * np.dtype(np.int32).itemsize)
    for key, row in _rows(database, "inputs"):
        if row is None or key not in owners:
            bad["inputs"].append(key)
        else:
            owners.pop(key, None)
    incomplete = set(owners.values())  # some of their passages have no row in inputs
    paths = set()
    for key, row in _rows(database, "articles"):
        if row is None:
            bad["articles"].append(key)
        elif found.pop(key, 0) != row[2] or key in incomplete:
            bad["articles"].append(key)
            paths.add(row[3])
    for table, keys in bad.items():
        for key in keys:
            database.drop_row(table, key)
    if not (any(bad.values()) or found):  # what is left in ``found`` belongs to no article
        return set(), None
    table = next((table for table in TABLES if bad[table]), "passages")
    first = bad[table][0] if bad[table] else min(found)
    return paths, f"{database.path}: {table.removesuffix('s')} row {first} fails its checksum"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What is known of a store that was replaced by a copy of its intact rows."""

    reason: str
    manifest: dict[str, Any]  # of the old one; empty when it is lost


def salvage(folder: Path, damage: IndexCorrupt) -> Salvaged:
    """Put a store of the rows that can still be read in place of a damaged one.

    The new store has no manifest, so that nobody opens it before a sync has completed it.
    """
    new, store = folder / NEW, folder / NAME
    for path in (new, *_beside(new)):
        path.unlink(missing_ok=True)
    manifest: dict[str, Any] = {}
    with contextlib.closing(Database(folder, write=True, name=NEW)) as target:
        try:
            source = Database(folder)
        except (IndexCorrupt, sqlite3.OperationalError):
            pass  # nothing of it can be read
        else:
            with contextlib.closing(source):
                with contextlib.suppress(IndexCorrupt):
                    manifest = source.manifest()
                _copy(source, target)
    for path in _beside(store):
        path.unlink(missing_ok=True)
    new.replace(store)
    return Salvaged(str(damage).partition(" Repair it with")[0], manifest)


def _copy(source: Database, target: Database) -> None:
    target.begin(write=True)
    for table in TABLES:
        for _, row in _rows(source, table):
            if row is not None:
                marks = ", ".join("?" * len(row))
                target.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
    target.commit()


def _rows(database: Database, table: str) -> Iterator[tuple[int, tuple[Any, ...] | None]]:
    """Yield the table's keys, each with its row, or None when that fails its checksum."""
    keys = _keys(database, table)
    select = f"SELECT {TABLES[table]}, row_hash FROM {table} WHERE id"
    for at in range(0, len(keys), AT_ONCE):
        some = keys[at : at + AT_ONCE]
        found = {}
        try:
            marks = ", ".join("?" * len(some))
            found = {row[0]: row for row in database.execute(f"{select} IN ({marks})", some)}
        except IndexCorrupt:  # one of them: find out which
            for key in some:
                with contextlib.suppress(IndexCorrupt):
                    found.update({row[0]: row for row in database.execute(f"{select} = ?", (key,))})
        for key in some:
            row = found.get(key)
            yield key, row if row and row_hash(*row[:-1]) == row[-1] else None


def _keys(database: Database, table: str) -> list[int]:
    # From both ends, so that one damaged page costs only what is on it.
    found: set[int] = set()
    for order, sign in (("ASC", 1), ("DESC", -1)):
        last = -math.inf
        with contextlib.suppress(IndexCorrupt):
            for (key,) in database.each(f"SELECT id FROM {table} ORDER BY id {order}"):
                if sign * key <= last:  # a damaged tree can lead round in circles
                    break
                last = sign * key
                found.add(key)
    return sorted(found)


def _beside(store: Path) -> list[Path]:
    return [store.with_name(f"{store.name}{end}") for end in ("-wal", "-shm")]
