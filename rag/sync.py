"""The indexing flow: folder → articles → passages → vectors → files.

The one commit point is the SQLite transaction. Vector and lexical files are written before it,
under a new generation's name, and its manifest row holds their sizes and checksums: a crash, a
full disk or Ctrl-C at any moment leaves the old index as it was.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from rag.articles import ArticleFile, find_articles
from rag.config import TERMS_VERSION, Config
from rag.database import NAME, Database
from rag.encoder import Encoder
from rag.errors import ArticleError, IndexCorrupt, RagError
from rag.lexical import LexicalIndex
from rag.manifest import check_articles_folder, damaged, mismatch, seal
from rag.passages import make_passages
from rag.store import store_named
from rag.terms import terms
from rag.types import Article, Passage, Vectors

BATCH = 64  # passages encoded at a time

Progress = Callable[[int, int], None]  # files done, files in all


@dataclass(frozen=True, slots=True)
class Changes:
    """What ``sync`` did, as paths relative to the articles folder."""

    added: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    skipped: tuple[tuple[str, str], ...] = ()  # path, reason
    rebuilt: str | None = None  # why everything, or the search files alone, was made anew

    def __str__(self) -> str:
        counts = [
            f"{len(paths)} {name}"
            for name in ("added", "edited", "renamed", "removed", "skipped")
            if (paths := getattr(self, name))
        ]
        return ", ".join([*counts, f"{self.unchanged} unchanged"])


def sync(
    articles: Path,
    folder: Path,
    config: Config,
    encoder: Encoder,
    progress: Progress = lambda _done, _all: None,
    *,
    wait: float = math.inf,
) -> Changes:
    """Make the index in ``folder`` say what the ``articles`` folder says now.

    ``wait``: for how many seconds, if another process is writing the index. Raises ArticleError
    when no article can be read, IndexMismatch when the index belongs to another folder, RagError
    when it cannot be written; the old index is then unchanged.
    """
    files = list(find_articles(articles))
    with _written(folder, wait):
        return _mended(folder, lambda database, lost: _Sync(
            articles, folder, config, encoder, database, lost
        ).run(files, progress))  # fmt: skip


def repair(
    articles: Path,
    folder: Path,
    config: Config,
    encoder: Encoder,
    progress: Progress = lambda _done, _all: None,
    *,
    wait: float = math.inf,
) -> Changes:
    """Make damage to an index good, and read only the articles whose rows are damaged.

    Vector and lexical files are made again from the store. Raises what ``sync`` raises, and
    IndexMismatch when the settings have changed.
    """
    if not (folder / NAME).is_file():
        raise IndexMissing(missing(folder))
    with _written(folder, wait):
        return _mended(folder, lambda database, lost: _Sync(
            articles, folder, config, encoder, database, lost
        ).repair(progress))  # fmt: skip


@contextlib.contextmanager
def _written(folder: Path, wait: float) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with writing(folder, wait):
            yield
    except (OSError, sqlite3.OperationalError) as error:
        reason = getattr(error, "strerror", None) or error
        raise RagError(
            f"Cannot write the index {folder}: {reason}. The index there, if any, is unchanged."
        ) from error


def _mended(folder: Path, run: Callable[[Database, Lost | None], Changes]) -> Changes:
    lost: Lost | None = None
    while True:
        try:
            with contextlib.closing(Database(folder, write=True)) as database:
                return run(database, lost)  # what is not committed is rolled back
        except IndexCorrupt as damage:
            if lost:
                raise
            lost = salvage(folder, str(damage).partition(" Rebuild it with")[0])


@dataclass
class _Sync:
    """One run of ``sync``: its parts, in the order in which ``run`` calls them."""

    articles: Path
    folder: Path
    config: Config
    encoder: Encoder
    database: Database
    lost: Lost | None  # what a damaged store's copy does not hold
    pending: list[tuple[int, Article, Passage]] = field(default_factory=list)

    def run(self, files: list[ArticleFile], progress: Progress) -> Changes:
        manifest = self._begin()
        rebuilt = self._prepare(manifest)
        changes = self._read(files, progress)
        if not changes.unchanged + len(changes.added + changes.edited + changes.renamed):
            raise ArticleError(self._nothing_to_read(changes))
        touched = changes.added + changes.edited + changes.renamed + changes.removed
        rebuilt = rebuilt or damaged(self.folder, manifest.get("files", {}))
        if rebuilt or touched:
            self._publish(manifest)
        return replace(changes, rebuilt=rebuilt)

    def _nothing_to_read(self, changes: Changes) -> str:
        skipped = "; ".join(f"{path} {reason}" for path, reason in changes.skipped[:3])
        return f"No article (.txt or .md) can be read in {self.articles}." + (
            f" Skipped: {skipped}." if skipped else ""
        )

    def _prepare(self, manifest: dict[str, Any]) -> str | None:
        """Return the first setting with which the index was made that is another now; empty the
        store when its rows depend on one.
        """
        if not manifest:
            return None
        check_articles_folder(manifest, self.articles, self.folder)
        self.database.check()
        reason = mismatch(manifest, self.config, self.encoder)
        of_rows = {**manifest, "terms_version": TERMS_VERSION}  # that one is the files' alone
        if mismatch(of_rows, self.config, self.encoder):
            for row in self.database.article_paths().values():
                self.database.remove_article(row)
        return reason

    def _read(self, files: list[ArticleFile], progress: Progress) -> Changes:
        known = self.database.content_hashes()
        present = {file.path for file in files}
        gone = {path: value for path, value in known.items() if path not in present}
        moved = {digest: (path, row) for path, (row, digest) in gone.items()}
        added, edited, renamed, skipped, unchanged = [], [], [], [], 0
        for done, file in enumerate(files):
            progress(done, len(files))
            row, digest = known.get(file.path, (None, None))
            try:
                article, now = file.read(self.config.article_bytes)
            except ArticleError as error:
                skipped.append((file.path, str(error)))
                if row is not None:  # the folder is the truth: what cannot be read is not there
                    gone[file.path] = known[file.path]
                continue
            if now == digest:
                unchanged += 1
            elif row is not None:
                edited.append(file.path)
                self.database.remove_article(row)
                self._add(article, now)
            elif now in moved and self._rename(article, *moved[now]):
                renamed.append(file.path)
                del gone[moved.pop(now)[0]]
            else:
                added.append(file.path)
                self._add(article, now)
        self._encode_pending()
        progress(len(files), len(files))
        for row, _ in gone.values():
            self.database.remove_article(row)
        return Changes(
            tuple(added), tuple(edited), tuple(renamed), tuple(sorted(gone)), unchanged,
            tuple(skipped),
        )  # fmt: skip

    def _rename(self, article: Article, old_path: str, row: int) -> bool:
        old = self.database.article(row)
        if old != replace(article, path=old_path):  # a title taken from the file's name
            return False
        self.database.rename_article(row, article.path)
        return True

    def _add(self, article: Article, digest: str) -> None:
        token_spans = self.encoder.token_spans(article.text)
        room = self.encoder.window - self.config.title_tokens - 1
        most = max(1, min(self.config.passage_tokens, room))
        passages = make_passages(article, token_spans, most)
        sentences = sum(len(passage.sentences) for passage in passages)
        row = self.database.add_article(article, digest, sentences)
        self.pending.extend((row, article, passage) for passage in passages)
        if len(self.pending) >= BATCH:
            self._encode_pending()

    def _encode_pending(self) -> None:
        heads = {
            article.path: header(article, self.encoder, self.config.title_tokens)
            for _, article, _ in self.pending
        }
        inputs = [_input(heads[article.path], article, passage) for _, article, passage in self.pending]
        hashes = [row_hash(self.encoder.fingerprint, *of) for of in inputs]
        found = {digest: self.database.vectors_of(digest) for digest in hashes}
        new = [n for n, digest in enumerate(hashes) if found[digest] is None]
        if new:
            vectors, parts = self.encoder.encode_passages(  # (n, dim), n × (m, dim)
                [inputs[n][0] for n in new], [inputs[n][1] for n in new]
            )
            found |= {hashes[n]: of for n, *of in zip(new, vectors, parts, strict=True)}
        for (row, article, passage), digest in zip(self.pending, hashes, strict=True):
            self.database.add_passage(row, passage, found[digest], digest, indexed(article, passage))
        self.pending.clear()


def _input(head: str, article: Article, passage: Passage) -> tuple[str, list[tuple[int, int]]]:
    """Return what the encoder sees of a passage: the text, and its sentences' places in that."""
    shift = len(head) - passage.start
    spans = [(s.start + shift, s.end + shift) for s in passage.sentences]
    return head + article.text[passage.start : passage.end], spans


def header(article: Article, encoder: Encoder, title_tokens: int) -> str:
    """Return what stands before a passage's sentences when it is embedded: the title, cut."""
    spans = encoder.token_spans(article.title)[:title_tokens]
    return article.title[: spans[-1][1]] + "\n" if spans else ""
