"""Damage to the store: found by its checksums, and made good by building it anew.

The folder of articles is the truth, so no row of a damaged store is kept. The vector and lexical
files are made again from a sound store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from rag.index.database import Database
from rag.index.schema import NAME, TABLES, row_hash


def verify(database: Database) -> None:
    """Read the whole store. Raises IndexCorrupt when its file is damaged, a row fails its checksum,
    or a passage is missing.
    """
    database.check_pages()
    span = 2 * np.dtype(np.int32).itemsize  # bytes of a sentence's start and end
    sentences: dict[int, int] = {}  # article row → sentences in its passages
    owners: dict[int, int] = {}  # passage row → article row
    for key, article, spans, *_ in _rows(database, "passages"):
        owners[key] = article
        sentences[article] = sentences.get(article, 0) + len(spans) // span
    inputs = {row[0] for row in _rows(database, "inputs")}
    if inputs != owners.keys():
        raise database.corrupt(f"passage row {min(inputs ^ owners.keys())} has lost a part")
    for key, _, count, *_ in _rows(database, "articles"):
        if sentences.pop(key, 0) != count:
            raise database.corrupt(f"article row {key} lacks passages")
    if sentences:
        raise database.corrupt(f"article row {min(sentences)} is missing")


def _rows(database: Database, table: str) -> Iterator[tuple[Any, ...]]:
    for *row, digest in database.each(f"SELECT {TABLES[table]}, row_hash FROM {table} ORDER BY id"):
        if row_hash(*row) != digest:
            raise database.corrupt(f"{table.removesuffix('s')} row {row[0]} fails its checksum")
        yield tuple(row)


ASIDE = ".damaged"  # ends the names of the files of a damaged store while another is made


@contextmanager
def set_aside(folder: Path) -> Iterator[None]:
    """Have no store, for another to be made; what fails puts the damaged one back. Its files go
    with the next publication.
    """
    store = [folder / f"{NAME}{end}" for end in ("", "-wal", "-shm")]
    for path in store:
        with suppress(FileNotFoundError):
            path.replace(f"{path}{ASIDE}")
    try:
        yield
    except BaseException:
        for path in store:
            path.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                Path(f"{path}{ASIDE}").replace(path)
        raise
