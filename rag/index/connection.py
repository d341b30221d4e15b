"""The store's SQLite file: opening it, statements, transactions, and its upkeep."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.command import command
from rag.errors import IndexCorrupt
from rag.index.schema import CIRCUMSTANCES, NAME, SCHEMA

BUSY_SECONDS = 5.0  # how long a writer waits for another one


class Connection:
    """The store's file. Transactions are the caller's: ``begin``, ``commit``, ``rollback``."""

    def __init__(self, folder: Path, *, write: bool = False, name: str = NAME) -> None:
        """Open or (for writing) create the store. Raises IndexCorrupt when it is no such file."""
        self.path = folder / name
        mode = "mode=rwc" if write else "mode=rw"
        if not write and not os.access(folder, os.W_OK) and not Path(f"{self.path}-wal").exists():
            mode = "mode=ro&immutable=1"  # it cannot make the files that readers share
        location = f"{self.path.absolute().as_uri()}?{mode}"
        self._connection = sqlite3.connect(
            location, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS
        )
        try:
            self.execute("PRAGMA cell_size_check = ON")  # finds damage before it is followed
            self.execute("PRAGMA trusted_schema = OFF")
            if write:
                self.execute("PRAGMA journal_mode=WAL")
                self.execute("PRAGMA secure_delete=ON")  # deleted text is gone
                self._create()
            self.execute("SELECT count(*) FROM sqlite_master")
        except BaseException:
            self._connection.close()
            raise

    def _create(self) -> None:
        # All tables or none, whenever the process ends; also within a transaction.
        self.execute("SAVEPOINT tables")
        for statement in SCHEMA.split(";"):
            self.execute(statement)
        self.execute("RELEASE tables")

    def empty(self) -> bool:
        """Return whether there is no table yet."""
        return not self.execute("SELECT 1 FROM sqlite_master LIMIT 1")

    def corrupt(self, detail: object) -> IndexCorrupt:
        """Return the error that says so, and what helps."""
        line = " ".join(str(detail).removeprefix("*** in database main ***").split())
        return IndexCorrupt(
            f"The index store {self.path} is damaged ({line[:80]}). "
            f"Repair it with: {command()} index ARTICLES --repair"
        )

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement.

        Raises IndexCorrupt when the file is damaged, OperationalError when it is in use or cannot
        be reached.
        """
        return list(self.each(sql, values))

    def each(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield what ``execute`` returns, row by row."""
        try:
            yield from self._connection.execute(sql, values)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in CIRCUMSTANCES:
                raise
            raise self.corrupt(error) from error

    def begin(self, *, write: bool = False) -> None:
        """Start a transaction; a reader sees one consistent state until it ends."""
        self.execute("BEGIN IMMEDIATE" if write else "BEGIN")
        self.execute("SELECT count(*) FROM manifest")  # the snapshot is taken by the first read

    def commit(self) -> None:
        self.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    def check_pages(self) -> None:
        """Raise IndexCorrupt when the structure of the file is damaged."""
        problems = self.execute("PRAGMA integrity_check(1)")
        if problems != [("ok",)]:
            raise self.corrupt(problems[0][0])

    def compact(self) -> None:
        """Give the space of removed rows back, if it is most of the file. Not in a transaction."""
        (free,), (pages,) = (
            self.execute(f"PRAGMA {name}")[0] for name in ("freelist_count", "page_count")
        )
        if free > pages // 2:
            self.execute("VACUUM")

    def checkpoint(self) -> bool:
        """Empty the write-ahead log, as far as no reader needs it; return whether it is empty."""
        self.execute("PRAGMA busy_timeout = 0")
        ((busy, _, _),) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.execute(f"PRAGMA busy_timeout = {int(1000 * BUSY_SECONDS)}")
        return not busy
