"""The indexing flow: folder → articles → passages → vectors → files, as one transaction.

One process writes at a time. A store that turns out to be damaged is built anew from the folder;
the explicit command for that is ``repair``, which reads no article of a sound store.
"""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rag.config import TERMS_VERSION, Config
from rag.errors import ArticleError, IndexCorrupt, IndexMismatch
from rag.index.database import Database
from rag.index.embedding import embed, fill_in, never
from rag.index.ivf import outdated
from rag.index.manifest import check_articles_folder, damaged, mismatch, no_index
from rag.index.publish import newest, publish, writable
from rag.index.repair import set_aside, verify
from rag.index.rows import Ingest, Known, renew_terms
from rag.index.schema import NAME
from rag.ingest.folder import ArticleFile, find_articles
from rag.ingest.formats import FORMATS
from rag.ingest.loaders.tables import recorded
from rag.models.encoder import Encoder
from rag.types import Article, Changes, Progress, silent

FEW_PASSAGES = 32  # new passages that are embedded before their text is published: two seconds
MOST_SKIPPED = 1_000  # files that could not be read, kept to be listed


def sync(
    articles: Path,
    folder: Path,
    config: Config,
    encoder: Encoder,
    progress: Progress = silent,
    embedding: Progress = silent,
    *,
    wait: float = math.inf,
    vectors: bool = True,
) -> Changes:
    """Make the index in ``folder`` say what the ``articles`` folder says now.

    Much new text is found by its words first, and then embedded; ``vectors`` False leaves that to
    ``fill``. ``progress`` counts files, ``embedding`` passages. ``wait``: for how many seconds, if
    another process is writing the index. A folder without articles empties the index.

    Raises ArticleError when the folder is missing or cannot be listed, or has no article for a new
    index, IndexMismatch when the index belongs to another folder, RagError when it cannot be
    written; the old index is then unchanged, but for what was embedded.
    """
    files = list(find_articles(articles))
    with writable(folder, wait):
        changes = Syncing(articles, folder, config, encoder, progress).run(files)
        if vectors:
            fill_in(folder, config, encoder, embedding, never)
    return changes


def repair(
    articles: Path,
    folder: Path,
    config: Config,
    encoder: Encoder,
    progress: Progress = silent,
    embedding: Progress = silent,
    *,
    wait: float = math.inf,
) -> Changes:
    """Make damage to an index good: of a sound store the vector and lexical files are made again, a
    damaged one is built anew from the articles.

    As ``sync`` it empties the index of a folder without articles.
    Raises what ``sync`` raises, IndexMissing, and IndexMismatch when settings have changed.
    """
    if not (folder / NAME).is_file():
        raise no_index(folder)
    with writable(folder, wait):
        changes = Syncing(articles, folder, config, encoder, progress).run(None)
        fill_in(folder, config, encoder, embedding, never)
    return changes


@dataclass
class Syncing:
    """One run of ``sync`` (over files) or ``repair`` (over None)."""

    articles: Path
    folder: Path
    config: Config
    encoder: Encoder
    progress: Progress

    def run(self, files: Sequence[ArticleFile] | None) -> Changes:
        """Run; if the store is damaged, build it anew from the files."""
        manifest: dict[str, Any] = {}
        try:
            with contextlib.closing(Database(self.folder, write=True)) as database:
                database.begin(write=True)  # what is not committed is rolled back by closing
                manifest = database.manifest()
                if files is None and (self._lost(manifest) or self._emptied()):
                    files = list(find_articles(self.articles))
                return self._published(files, manifest, database)
        except IndexCorrupt as damage:
            files = list(find_articles(self.articles)) if files is None else files
            with (
                set_aside(self.folder),
                contextlib.closing(Database(self.folder, write=True)) as database,
            ):
                database.begin(write=True)
                reason = str(damage).partition(" Repair it with")[0]
                return self._published(files, manifest, database, reason)

    def _published(
        self,
        files: Sequence[ArticleFile] | None,
        manifest: dict[str, Any],
        database: Database,
        damage: str | None = None,
    ) -> Changes:
        ingest = Ingest(self.config, self.encoder, database)
        changes = self.changes(files, manifest, ingest, damage)
        skipped = (
            changes.skipped[:MOST_SKIPPED] if files is not None else manifest.get("skipped", ())
        )
        fields = ingest.config.fields or ()
        noted = {"skipped": [*map(list, skipped)], "fields": [*map(list, fields)]}
        if changes.any():
            if len(few := database.unembedded()) <= FEW_PASSAGES:
                embed(database, self.encoder, self.config.title_tokens, few)
            settings = {
                **self.config.index_settings(),
                "encoder_hash": self.encoder.fingerprint,
                "dimensions": self.encoder.dimensions,
                "articles_folder": str(self.articles.resolve()),
                **noted,
            }
            # Above all numbers used: a reader must see that it is another state.
            generation = 1 + max(manifest.get("generation", 0), newest(self.folder))
            publish(database, self.folder, generation, settings)
        elif any(manifest.get(name, []) != value for name, value in noted.items()):
            database.set_manifest({**manifest, **noted})
            database.commit()
        return changes

    def changes(
        self,
        files: Sequence[ArticleFile] | None,
        manifest: dict[str, Any],
        ingest: Ingest,
        damage: str | None = None,
    ) -> Changes:
        """Bring the rows of the store up to date, inside the caller's transaction. Raises
        IndexCorrupt when they are damaged; ``damage``: why there are none, though there were.
        """
        database = ingest.database
        if self.config.fields is None:
            ingest.config = replace(self.config, fields=recorded(manifest))
        reason = damage or self._outdated(manifest, database, repairing=files is None)
        articles = database.content_hashes()
        if files is None:
            done = Changes(unchanged=len(articles))
        else:
            done = ingest.read(files, articles, self.progress)
        if not (manifest or done.left()):  # of a folder that has had some, none may be left
            raise ArticleError(self._nothing_to_read(done))
        reason = reason or damaged(self.folder, manifest.get("files", {}))
        return replace(done, rebuilt=reason or outdated(manifest.get("vectors", {})))

    def _lost(self, manifest: dict[str, Any]) -> bool:
        """Return whether the store lacks what was written last: the articles alone know."""
        return not manifest or newest(self.folder) > manifest.get("generation", 0)

    def _emptied(self) -> bool:
        """Return whether the folder has no article. One that is not there says nothing."""
        with contextlib.suppress(ArticleError):
            return next(find_articles(self.articles), None) is None
        return False

    def _outdated(
        self, manifest: dict[str, Any], database: Database, *, repairing: bool
    ) -> str | None:
        """Drop rows that cannot stay as they are; return why."""
        if not manifest:  # a new store, or one that does not say how its rows were made
            database.forget_articles()
            return None
        check_articles_folder(manifest, self.articles, self.folder)
        reason = mismatch(manifest, self.config, self.encoder)
        if reason and repairing:
            raise IndexMismatch(
                f"The index {self.folder} was made with other settings: {reason}. "
                "Rebuild it with the same command, without --repair."
            )
        if manifest.get("format_version") != self.config.index_settings()["format_version"]:
            database.clear()
            return reason
        verify(database)
        of_files = {"terms_version": TERMS_VERSION, "store": self.config.store}
        if mismatch({**manifest, **of_files}, self.config, self.encoder):
            database.forget_articles()
        elif reason:
            renew_terms(database)
        return reason

    def _nothing_to_read(self, changes: Changes) -> str:
        skipped = "; ".join(f"{path} {reason}" for path, reason in changes.skipped[:3])
        return f"No article ({FORMATS}) can be read in {self.articles}." + (
            f" Skipped: {skipped}." if skipped else ""
        )


# What a sync would do: the same flow over a store that is not written.


def plan(
    articles: Path, folder: Path, config: Config, encoder: Encoder, progress: Progress = silent
) -> Changes:
    """Return what ``sync`` would do. Raises what it raises, but for what only writing raises."""
    files = list(find_articles(articles))
    run = Syncing(articles, folder, config, encoder, progress)
    manifest: dict[str, Any] = {}
    try:
        if (folder / NAME).is_file():
            with contextlib.closing(Unwritten(folder)) as database:
                if not database.empty():  # else one never finished
                    database.begin()
                    manifest = database.manifest()
                    return run.changes(files, manifest, Unread(config, encoder, database))
        reason = None
    except IndexCorrupt as damage:
        reason = str(damage).partition(" Repair it with")[0]
    with (
        tempfile.TemporaryDirectory() as nothing,
        contextlib.closing(Unwritten(Path(nothing), write=True)) as database,
    ):
        return run.changes(files, manifest, Unread(config, encoder, database), reason)


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

    def forget_articles(self) -> None:
        self._gone.update(self.article_paths().values())

    def clear(self) -> None:
        self.forget_articles()

    def set_terms(self, key: int, terms: str) -> None: ...
    def rename_article(self, row: int, path: str) -> None: ...
    def remove_article(self, row: int) -> None: ...
    def drop_orphans(self) -> None: ...
