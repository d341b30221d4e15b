"""Keeping an index current: look at the folder now and then, and sync when it has changed.

Sizes and times of files only say when to look; what has changed is told by content.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from rag.articles import find_articles
from rag.changes import Changes
from rag.errors import RagError

EVERY = 2.0  # seconds between two looks
Seen: TypeAlias = "dict[str, tuple[int, ...]]"
_log = logging.getLogger(__name__)


def watch(
    articles: Path, update: Callable[[], Changes], say: Callable[[Changes], None],
    stop: threading.Event, every: float = EVERY,
) -> None:  # fmt: skip
    """Call ``update`` whenever the folder has changed and has then been still for one look.

    Begins with a look, so that nothing is missed since the last sync. What ``update`` raises is
    logged; the index then stays as it was until the folder changes again.
    """
    synced: Seen | str | None = None
    before: Seen | str | None = None
    while not stop.wait(every):
        now = look(articles)
        if now not in (before, synced):
            before = now  # a file that is being written is not read yet
        elif now != synced:
            synced = now
            try:
                changes = update()
            except RagError as error:
                _log.warning("The index stays as it was: %s", error)
            else:
                if changes.any():
                    say(changes)


@contextlib.contextmanager
def watching(
    articles: Path, update: Callable[[], Changes], say: Callable[[str], None], every: float = EVERY
) -> Iterator[None]:
    """Watch in a thread of its own; what it says is one line for each sync."""
    stop = threading.Event()
    worker = threading.Thread(
        target=watch, args=(articles, update, lambda done: say(f"Articles: {done}."), stop, every),
        name="watch", daemon=True,  # what is not committed when the process ends is rolled back
    )  # fmt: skip
    worker.start()
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
