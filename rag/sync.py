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

from rag.articles import FORMATS, ArticleFile, by_file, find_articles
from rag.changes import Changes
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


def sync(
    articles: Path,
    folder: Path,
    config: Config,
    encoder: Encoder,
    progress: Progress = lambda _done, _all: None,
) -> Changes:
    """Make the index in ``folder`` say what the ``articles`` folder says now.

    Raises ArticleError when no article can be read, IndexMismatch when the index belongs to
    another folder, RagError when it cannot be written; the old index is then unchanged.
    """
    files = list(find_articles(articles))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            return _sync(articles, folder, config, encoder, files, progress)
        except IndexCorrupt as damage:
            # Nothing is lost: all of it is in the articles folder.
            for name in (NAME, f"{NAME}-wal", f"{NAME}-shm"):
                if (folder / name).exists():
                    (folder / name).replace(folder / f"{name}.damaged")
            changes = _sync(articles, folder, config, encoder, files, progress)
            return replace(changes, rebuilt=str(damage).partition(" Rebuild it with")[0])
    except (OSError, sqlite3.OperationalError) as error:
        raise RagError(_write_failure(folder, error)) from error


def _sync(
    articles: Path,
    folder: Path,
    config: Config,
    encoder: Encoder,
    files: list[ArticleFile],
    progress: Progress,
) -> Changes:
    database = Database(folder, write=True)
    try:
        return _Sync(articles, folder, config, encoder, database).run(files, progress)
    finally:
        database.close()  # what is not committed is rolled back


def _write_failure(folder: Path, error: Exception) -> str:
    if "locked" in str(error):
        return f"Another process is writing the index {folder}. Wait for it, then try again."
    reason = getattr(error, "strerror", None) or error
    return f"Cannot write the index {folder}: {reason}. The index there, if any, is unchanged."


@dataclass
class _Sync:
    """One run of ``sync``: its parts, in the order in which ``run`` calls them."""

    articles: Path
    folder: Path
    config: Config
    encoder: Encoder
    database: Database
    pending: list[tuple[int, Article, Passage]] = field(default_factory=list)

    def run(self, files: list[ArticleFile], progress: Progress) -> Changes:
        self.database.begin(write=True)
        manifest = self.database.manifest()
        rebuilt = self._prepare(manifest)
        changes = self._read(files, progress)
        if not changes.unchanged + len(changes.added + changes.edited + changes.renamed):
            raise ArticleError(self._nothing_to_read(changes))
        touched = changes.added + changes.edited + changes.renamed + changes.removed
        rebuilt = rebuilt or damaged(self.folder, manifest.get("files", {}))
        if rebuilt or touched:
            generation = manifest.get("generation", 0) + 1
            self._publish(generation)
        return replace(changes, rebuilt=rebuilt)

    def _nothing_to_read(self, changes: Changes) -> str:
        skipped = "; ".join(f"{path} {reason}" for path, reason in changes.skipped[:3])
        return f"No article ({FORMATS}) can be read in {self.articles}." + (
            f" Skipped: {skipped}." if skipped else ""
        )

    def _prepare(self, manifest: dict[str, Any]) -> str | None:
        """Return the first setting with which the index was made that is another now; empty the
        store when its rows depend on one.
        """
        if not manifest:
            return None
        check_articles_folder(manifest, self.articles, self.folder)
        reason = mismatch(manifest, self.config, self.encoder)
        if manifest.get("format_version") != self.config.index_settings()["format_version"]:
            self.database.clear()
            return reason
        self.database.check()
        of_rows = {**manifest, "terms_version": TERMS_VERSION}  # that one is the files' alone
        if mismatch(of_rows, self.config, self.encoder):
            for row in self.database.article_paths().values():
                self.database.remove_article(row)
        return reason

    def _read(self, files: list[ArticleFile], progress: Progress) -> Changes:
        held = by_file(self.database.content_hashes(), files)
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
                self._add(article, part.digest)
        self._encode_pending()
        progress(len(files), len(files))
        for row in gone:
            self.database.remove_article(row)
        return Changes(
            tuple(added), tuple(edited), tuple(renamed), tuple(sorted(gone.values())), unchanged,
            tuple(skipped),
        )  # fmt: skip

    def _rename(self, article: Article, row: int) -> bool:
        old = self.database.article(row)
        if old != replace(article, path=old.path):  # a title taken from the file's name
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
        if not self.pending:
            return
        heads = {
            article.path: header(article, self.encoder, self.config.title_tokens)
            for _, article, _ in self.pending
        }
        texts, spans = [], []
        for _, article, passage in self.pending:
            head = heads[article.path]
            texts.append(head + article.text[passage.start : passage.end])
            shift = len(head) - passage.start
            spans.append([(s.start + shift, s.end + shift) for s in passage.sentences])
        vectors, parts = self.encoder.encode_passages(texts, spans)  # (n, dim), n × (m, dim)
        for (row, _, passage), vector, part in zip(self.pending, vectors, parts, strict=True):
            self.database.add_passage(row, passage, vector, part)
        self.pending.clear()

    def _publish(self, generation: int) -> None:
        names = (f"vectors-{generation}.bin", f"lexical-{generation}")
        vector_file, lexical_folder = (self.folder / name for name in names)
        _remove([vector_file, lexical_folder])  # left by a crash
        try:
            lexical_folder.mkdir()
            self._write_vectors(vector_file)
            self._write_lexical(lexical_folder)
            written = [vector_file, *sorted(lexical_folder.iterdir())]
            self.database.set_manifest(self._manifest(generation, written))
            self.database.commit()
        except BaseException:  # Ctrl-C too: leave nothing half-written behind
            self.database.rollback()
            if self.database.manifest().get("generation") != generation:
                _remove([vector_file, lexical_folder])
            raise
        _remove(
            path
            for pattern in ("vectors-*.bin", "lexical-*", f"{NAME}*.damaged")
            for path in self.folder.glob(pattern)
            if path.name not in names
        )

    def _manifest(self, generation: int, written: list[Path]) -> dict[str, Any]:
        return {
            **self.config.index_settings(),
            "encoder_hash": self.encoder.fingerprint,
            "dimensions": self.encoder.dimensions,
            "articles_folder": str(self.articles.resolve()),
            "generation": generation,
            "files": {
                path.relative_to(self.folder).as_posix(): seal(path)
                for path in written
                if not path.name.endswith(".lock")
            },
        }

    def _write_vectors(self, path: Path) -> None:
        keys = self.database.passage_keys()
        vectors: Vectors = np.zeros((len(keys), self.encoder.dimensions), np.float32)
        for row, stored in zip(vectors, self.database.passages(keys.tolist()), strict=True):
            row[:] = stored.vector
        store_named(self.config.store)(keys, vectors).save(path)

    def _write_lexical(self, folder: Path) -> None:
        def rows() -> Iterable[tuple[int, list[str]]]:
            article, article_row = None, -1
            for stored in self.database.passages(self.database.passage_keys().tolist()):
                if stored.article != article_row:
                    article, article_row = self.database.article(stored.article), stored.article
                assert article is not None
                text = article.text[stored.passage.start : stored.passage.end]
                yield stored.key, terms(f"{article.title}\n{text}")

        LexicalIndex.build(folder, rows())


def header(article: Article, encoder: Encoder, title_tokens: int) -> str:
    """Return what stands before a passage's sentences when it is embedded: the title, cut."""
    spans = encoder.token_spans(article.title)[:title_tokens]
    return article.title[: spans[-1][1]] + "\n" if spans else ""


def _remove(paths: Iterable[Path]) -> None:
    for path in list(paths):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
