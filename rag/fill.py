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
from rag.database import Database
from rag.embed import embed
from rag.encoder import Encoder
from rag.errors import IndexMismatch
from rag.locks import writable
from rag.manifest import mismatch, no_index
from rag.publish import newest, publish
from rag.stored import NAME

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
