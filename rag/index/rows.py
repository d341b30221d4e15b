"""Files that have changed → rows of the store. Passages that are new have no vectors yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from rag.config import Config
from rag.errors import ArticleError
from rag.index.database import Database
from rag.index.embedding import UNEMBEDDED, header, input_hash, input_of
from rag.ingest.folder import ArticleFile, by_file
from rag.ingest.passages import make_passages
from rag.models.encoder import Encoder
from rag.text.terms import terms
from rag.types import Article, Changes, Passage, Progress

Known: TypeAlias = "dict[str, tuple[int, str]]"  # path: row, digest


@dataclass
class Ingest:
    """One pass over files, inside the caller's transaction."""

    config: Config
    encoder: Encoder
    database: Database

    def read(self, files: Sequence[ArticleFile], known: Known, progress: Progress) -> Changes:
        """Add, rename and remove articles until the ``known`` ones are those of the files."""
        held = by_file(known, files)
        gone = {row: path for path, (row, _) in held.get(None, {}).items()}
        moved = {digest: row for row, digest in held.get(None, {}).values()}
        added, edited, renamed, skipped, unchanged = [], [], [], [], 0
        for done, file in enumerate(files):
            progress(done, len(files))
            old = held.get(file.path, {})
            try:
                parts = file.parts(self.config)
            except ArticleError as error:
                skipped.append((file.path, str(error)))
                parts = []  # the folder is the truth: what cannot be read is not there
            now = {part.path: part.digest for part in parts}
            for path, (row, digest) in old.items():
                if now.get(path) != digest:
                    gone[row] = path
                    if path != file.path:  # rows of a collection move when one is put in
                        moved[digest] = row
                        self.database.rename_article(row, f"{path}\0{row}")
            # Moves first, while what they come from is still there.
            for part in sorted(parts, key=lambda part: part.digest not in moved):
                row, digest = old.get(part.path, (-1, ""))
                if part.digest == digest:
                    unchanged += 1
                    continue
                try:
                    article = part.load()
                except ArticleError as error:
                    skipped.append((part.path, str(error)))
                    continue
                whole = row in gone and part.path == file.path
                source = -1 if whole else moved.get(part.digest, -1)
                if source in gone and self._rename(article, source):
                    renamed.append(part.path)
                    del gone[source]
                    continue
                if row in gone:
                    edited.append(part.path)
                    del gone[row]
                    self.database.remove_article(row)
                else:
                    added.append(part.path)
                self.add(article, part.digest)
        progress(len(files), len(files))
        for row in gone:
            self.database.remove_article(row)
        self.database.drop_orphans()
        return Changes(
            tuple(added),
            tuple(edited),
            tuple(renamed),
            tuple(sorted(gone.values())),
            unchanged,
            tuple(skipped),
        )

    def _rename(self, article: Article, row: int) -> bool:
        old = self.database.article(row)
        if old != replace(article, path=old.path):  # a title taken from the file's name
            return False
        self.database.rename_article(row, article.path)
        return True

    def add(self, article: Article, digest: str) -> None:
        token_spans = self.encoder.token_spans(article.text)
        room = self.encoder.window - self.config.title_tokens - 1
        most = max(1, min(self.config.passage_tokens, room))
        passages = make_passages(article, token_spans, most)
        sentences = sum(len(passage.sentences) for passage in passages)
        row = self.database.add_article(article, digest, sentences)
        head = header(article, self.encoder, self.config.title_tokens)
        for passage in passages:
            made_from = input_hash(self.encoder, input_of(head, article, passage))
            vectors = self.database.vectors_of(made_from) or UNEMBEDDED
            words = " ".join(indexed_terms(article, passage))
            self.database.add_passage(row, passage, vectors, made_from, words)


def indexed_terms(article: Article, passage: Passage) -> list[str]:
    """Return the terms under which a passage is found: those of its title and text."""
    return terms(f"{article.title}\n{article.text[passage.start : passage.end]}")


def renew_terms(database: Database) -> None:
    """Make the terms of all passages again, from their articles."""
    article, row = None, -1
    for stored in database.passages(database.passage_keys().tolist()):
        if article is None or stored.article != row:
            article, row = database.article(stored.article), stored.article
        database.set_terms(stored.key, " ".join(indexed_terms(article, stored.passage)))
