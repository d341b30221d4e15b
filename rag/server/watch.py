"""Keeping an index current: look at the folder now and then, and sync when it has changed.

Sizes and times of files only say when to look; what has changed is told by content.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

from rag.changes import Changes
from rag.errors import RagError
from rag.index.embedding import Until
from rag.ingest.folder import find_articles

EVERY = 2.0  # seconds between two looks
AGAIN = 0.1  # … and until what was left to embed is taken up again
Seen: TypeAlias = "dict[str, tuple[int, ...]]"
Fill: TypeAlias = "Callable[[Until], int]"  # embeds until it is told to end; what is left
_log = logging.getLogger(__name__)


def nothing_to_fill(_until: Until) -> int:
    """For an index that ``update`` embeds at once."""
    return 0


def watch(
    articles: Path, update: Callable[[], Changes], say: Callable[[Changes], None],
    stop: threading.Event, every: float = EVERY, fill: Fill = nothing_to_fill,
) -> None:  # fmt: skip
    """Call ``update`` whenever the folder has changed and has then been still for one look.

    Begins with a look, so that nothing is missed since the last sync. While ``fill`` says that
    something is left to embed, it is called again; when the folder changes it is told to end, so
    that new text does not wait for it. What either raises is logged; the index then stays as it was
    until the folder changes again.
    """
    synced: Seen | str | None = None
    before: Seen | str | None = None
    behind = False
    while not stop.wait(0.0 if behind else every):
        now = look(articles)
        if now not in (before, synced):
            before, behind = now, False  # a file that is being written is not read yet
            continue
        try:
            if now != synced:
                synced, behind = now, True
                if (changes := update()).any():
                    say(changes)
            if behind:
                behind = bool(fill(partial(_changed, articles, now, stop)))
        except RagError as error:
            behind = False
            _log.warning("The index stays as it was: %s", error)


def _changed(articles: Path, seen: Seen | str, stop: threading.Event) -> bool:
    return stop.is_set() or look(articles) != seen


@contextlib.contextmanager
def watching(
    articles: Path, update: Callable[[], Changes], say: Callable[[str], None],
    every: float = EVERY, fill: Fill = nothing_to_fill,
) -> Iterator[None]:  # fmt: skip
    """Watch in a thread of its own; what it says is one line for each sync."""
    stop = threading.Event()
    with _beside(
        lambda: watch(articles, update, lambda done: say(f"Articles: {done}."), stop, every, fill),
        stop,
    ):
        yield


@contextlib.contextmanager
def filling(fill: Fill) -> Iterator[None]:
    """Embed what is not embedded yet in a thread of its own."""
    stop = threading.Event()

    def run() -> None:
        try:
            while fill(stop.is_set) and not stop.wait(AGAIN):
                pass  # a sync came first
        except RagError as error:
            _log.warning("Not all passages are embedded: %s", error)

    with _beside(run, stop):
        yield


@contextlib.contextmanager
def _beside(run: Callable[[], None], stop: threading.Event) -> Iterator[None]:
    # A daemon: what is not committed when the process ends is rolled back.
    threading.Thread(target=run, name="watch", daemon=True).start()
    try:
        yield
    finally:
        stop.set()


def look(articles: Path) -> Seen | str:
    """Return what changes when a file does, by path; why not, if the folder cannot be listed."""
    found: Seen = {}
    try:
        for file in find_articles(articles):
            with contextlib.suppress(OSError):
                of = file.location.stat()
                # The time of the last change of any kind cannot be set back as that of the text.
                found[file.path] = (of.st_size, of.st_mtime_ns, of.st_ctime_ns, of.st_ino)
    except RagError as error:
        return str(error)
    return found
