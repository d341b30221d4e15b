"""Filling in the vectors of an index whose text is newer, a stretch at a time.

Each stretch is committed and published, so that what has been embedded is used at once, and is
not lost when the process ends.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy as np

from rag.config import Config
from rag.errors import IndexMismatch
from rag.index.database import Database
from rag.index.manifest import mismatch, no_index
from rag.index.publish import newest, publish, writable
from rag.index.schema import NAME, PassageVectors, StoredPassage, row_hash
from rag.models.encoder import Encoder, Spans
from rag.types import Article, Passage, Progress, silent

BATCH = 128  # passages embedded at a time
STRETCH = 30.0  # seconds between two generations
SHARE = 10  # … or so many times as long as writing one takes, if that is longer
Until = Callable[[], bool]


def never() -> bool:
    """Go on to the end."""
    return False


def fill(
    folder: Path,
    config: Config,
    encoder: Encoder,
    progress: Progress = silent,
    *,
    until: Until = never,
    wait: float = math.inf,
) -> int:
    """Embed what an index has not embedded yet; return how many passages are left.

    ``until``: ends it early, asked after every batch. ``progress`` counts passages. Raises
    IndexMissing, IndexMismatch when settings have changed, RagError when the index cannot be
    written; what had been embedded some seconds before is kept.
    """
    if not (folder / NAME).is_file():
        raise no_index(folder)
    with writable(folder, wait):
        return fill_in(folder, config, encoder, progress, until)


def fill_in(
    folder: Path, config: Config, encoder: Encoder, progress: Progress, until: Until
) -> int:
    """Do it for a caller who holds the lock."""
    with contextlib.closing(Database(folder, write=True)) as database:
        waiting = database.unembedded()
        done, total, stretch = 0, len(waiting), STRETCH
        if total:
            progress(done, total)
        while waiting:
            database.begin(write=True)
            manifest = database.manifest()
            if reason := mismatch(manifest, config, encoder):
                raise IndexMismatch(f"The index {folder} was made with other settings: {reason}.")
            end = time.monotonic() + stretch
            while True:
                batch, waiting = waiting[:BATCH], waiting[BATCH:]
                embed(database, encoder, config.title_tokens, batch)
                done += len(batch)
                progress(done, total)
                if (over := until()) or not waiting or time.monotonic() >= end:
                    break
            begun = time.monotonic()
            generation = 1 + max(manifest["generation"], newest(folder))
            publish(database, folder, generation, manifest, words=False)
            stretch = max(STRETCH, SHARE * (time.monotonic() - begun))
            if over:
                break
        return len(waiting)


class Pace:
    """A progress that knows how long the rest will take, from how it has gone so far."""

    def __init__(self) -> None:
        self._since: tuple[float, int] | None = None  # time and what was done at the first call
        self.seconds: float | None = None  # left; unknown at the beginning, and at the end

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self._since is None:
            self._since = now, done
        begun, before = self._since
        if done >= total:
            self._since = self.seconds = None
        elif done > before:
            self.seconds = (now - begun) / (done - before) * (total - done)


def about(seconds: float) -> str:
    """Say how long that is."""
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5))} seconds"
    if seconds < 5400:
        return f"about {round(seconds / 60)} minutes"
    return f"about {round(seconds / 3600)} hours"


# Vectors of passages. New text is found by its words at once; its vectors are made behind.

UNEMBEDDED: PassageVectors = (np.empty(0, np.float16), np.empty((0, 0), np.float16))
PassageInput = tuple[str, Spans]  # what the encoder sees: a text, and its sentences' places in it


def header(article: Article, encoder: Encoder, title_tokens: int) -> str:
    """Return what stands before a passage's sentences when it is embedded: the title, cut."""
    spans = encoder.token_spans(article.title)[:title_tokens]
    return article.title[: spans[-1][1]] + "\n" if spans else ""


def input_of(head: str, article: Article, passage: Passage) -> PassageInput:
    """Return what the encoder sees of a passage, below the header of its article."""
    shift = len(head) - passage.start
    spans = [(s.start + shift, s.end + shift) for s in passage.sentences]
    return head + article.text[passage.start : passage.end], spans


def input_hash(encoder: Encoder, of: PassageInput) -> str:
    """Return what says that vectors are those of an input, made by this encoder."""
    return row_hash(encoder.fingerprint, *of)


def vectors_for(
    stored: Sequence[StoredPassage],
    articles: Sequence[Article],
    encoder: Encoder,
    title_tokens: int,
) -> list[PassageVectors]:
    """Embed passages of these articles; equal inputs once. Half precision, as they are stored."""
    inputs = []
    for article, group in groupby(zip(articles, stored, strict=True), key=lambda pair: pair[0]):
        head = header(article, encoder, title_tokens)
        inputs += [input_of(head, article, of.passage) for _, of in group]
    hashes = [input_hash(encoder, of) for of in inputs]
    different = dict(zip(hashes, inputs, strict=True))
    texts, spans = zip(*different.values(), strict=True)
    vectors, parts = encoder.encode_passages(texts, spans)  # (n, dim), n × (m, dim)
    halves = [
        (vector.astype(np.float16), part.astype(np.float16))
        for vector, part in zip(vectors, parts, strict=True)
    ]
    found = dict(zip(different, halves, strict=True))
    return [found[digest] for digest in hashes]


def embed(database: Database, encoder: Encoder, title_tokens: int, keys: Sequence[int]) -> None:
    """Give the passages of these keys their vectors, inside the caller's transaction."""
    stored = sorted(database.passages(keys), key=attrgetter("article"))
    if not stored:
        return
    rows = {row: database.article(row) for row in {of.article for of in stored}}
    articles = [rows[of.article] for of in stored]
    for of, vectors in zip(
        stored, vectors_for(stored, articles, encoder, title_tokens), strict=True
    ):
        database.set_vectors(of, vectors)
