"""Filling in the vectors of an index whose text is newer, a stretch at a time.

Each stretch is committed and published, so that what has been embedded is used at once, and is
not lost when the process ends.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path

from rag.changes import Progress, silent
from rag.config import Config
from rag.errors import IndexMismatch
from rag.index.database import Database
from rag.index.embed import embed
from rag.index.locks import writable
from rag.index.manifest import mismatch, no_index
from rag.index.publish import newest, publish
from rag.index.schema import NAME
from rag.models.encoder import Encoder

BATCH = 128  # passages embedded at a time
STRETCH = 30.0  # seconds between two generations
SHARE = 10  # … or so many times as long as writing one takes, if that is longer
Until = Callable[[], bool]


def never() -> bool:
    """Go on to the end."""
    return False


def fill(
    folder: Path, config: Config, encoder: Encoder, progress: Progress = silent,
    *, until: Until = never, wait: float = math.inf,
) -> int:  # fmt: skip
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
) -> int:  # fmt: skip
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
