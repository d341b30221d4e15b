"""What a sync would do: the same flow over a store that is not written."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rag.changes import Changes, Progress, silent
from rag.config import Config
from rag.errors import IndexCorrupt
from rag.index.database import Database
from rag.index.rows import Ingest, Known
from rag.index.schema import NAME
from rag.index.sync import Syncing
from rag.ingest.folder import find_articles
from rag.models.encoder import Encoder
from rag.types import Article


def plan(
    articles: Path, folder: Path, config: Config, encoder: Encoder, progress: Progress = silent,
    embedding: Progress = silent, *, wait: float = 0,  # noqa: ARG001 - for nobody, and nothing
) -> Changes:  # fmt: skip
    """Return what ``sync`` would do. Raises what it raises, but for what writing alone can raise.

    Of a store whose pages are damaged it says that alone: which of its rows can be saved is only
    known when they are.
    """
    files = list(find_articles(articles))
    run = Syncing(articles, folder, config, encoder, progress)
    try:
        with _unwritten(folder) as database:
            return run.changes(files, database.manifest(), Unread(config, encoder, database))
    except IndexCorrupt as damage:
        return Changes(rebuilt=str(damage).partition(" Repair it with")[0])


@contextlib.contextmanager
def _unwritten(folder: Path) -> Iterator[Unwritten]:
    """Open the store of an index; an empty one where there is none, or one never finished."""
    if (folder / NAME).is_file():
        with contextlib.closing(Unwritten(folder)) as database:
            if not database.empty():
                database.begin()
                yield database
                return
    with (
        tempfile.TemporaryDirectory() as empty,
        contextlib.closing(Unwritten(Path(empty), write=True)) as database,
    ):
        yield database


class Unread(Ingest):
    """A pass over files that splits and embeds nothing."""

    def add(self, article: Article, digest: str) -> None:
        """Leave out what would be added."""


class Unwritten(Database):
    """A store that leaves changes out, and says what it would say after them."""

    def __init__(self, folder: Path, *, write: bool = False) -> None:
        super().__init__(folder, write=write)
        self._gone: set[int] = set()

    def content_hashes(self) -> Known:
        return {p: of for p, of in super().content_hashes().items() if of[0] not in self._gone}

    def drop_row(self, table: str, key: int) -> None:
        if table == "articles":
            self._gone.add(key)

    def forget_articles(self) -> None:
        self._gone.update(self.article_paths().values())

    def clear(self) -> None:
        self.forget_articles()

    def set_terms(self, key: int, terms: str) -> None: ...
    def rename_article(self, row: int, path: str) -> None: ...
    def remove_article(self, row: int) -> None: ...
    def drop_orphans(self) -> None: ...
