"""Bringing an index up to date in the background, while questions go on, and how far that is."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import watchfiles
from watchfiles._rust_notify import WatchfilesRustInternalError

from rag import texts
from rag.errors import RagError
from rag.index.embedding import Until
from rag.ingest.formats import is_known
from rag.types import Changes, Progress

# Keeping an index current: the system says when a file changes; a sync says what, by content.

STILL = 1.0  # seconds without a change after which the folder is read
TURN = 20  # milliseconds that a change is waited for at once; what embeds asks after every batch
POLL = 800  # milliseconds between two looks where the system says nothing; less than STILL
AGAIN = 0.1  # seconds until what was left to embed is taken up again
Fill: TypeAlias = "Callable[[Until], int]"  # embeds until it is told to end; what is left


def nothing_to_fill(_until: Until) -> int:
    """For an index that ``update`` embeds at once."""
    return 0


def watch(
    articles: Path,
    update: Callable[[], Changes],
    say: Callable[[Changes], None],
    stop: threading.Event,
    still: float = STILL,
    fill: Fill = nothing_to_fill,
) -> None:
    """Call ``update`` whenever the folder has changed and has then been ``still`` for some seconds.

    Begins with one, so that nothing is missed since the last sync. While ``fill`` says that
    something is left to embed, it is called again; when the folder changes it is told to end, so
    that new text does not wait for it. What either raises is logged; the index then stays as it was
    until the folder changes again.
    """
    events = _events(articles, stop)
    due: float | None = None  # when the folder is to be read
    behind = False

    def changed() -> bool:
        nonlocal due
        if told := next(events, True):
            due = time.monotonic() + still
        return told

    while not stop.is_set():
        if changed() or (time.monotonic() < due if due is not None else not behind):
            continue  # a file that is being written is not read yet
        try:
            if due is not None:
                due, behind = None, True
                if (changes := update()).any():
                    say(changes)
            behind = bool(fill(changed))
        except RagError as error:
            behind = False
            _log.warning("The index stays as it was: %s", error)


def _events(articles: Path, stop: threading.Event) -> Iterator[bool]:
    """Yield every turn whether articles may have changed, also when the folder goes or comes."""
    polling: bool | None = None  # as the environment says: WATCHFILES_FORCE_POLLING
    while not stop.is_set():
        try:
            folder = _identity(articles)
            yield True
            for found in watchfiles.watch(
                articles,
                watch_filter=None,
                debounce=TURN,
                step=TURN,
                rust_timeout=TURN,
                yield_on_timeout=True,
                stop_event=stop,
                force_polling=polling,
                poll_delay_ms=POLL,
                ignore_permission_denied=True,
            ):
                yield any(_concerns(Path(path)) for _, path in found)
                if _identity(articles) != folder:
                    break  # what is watched is no longer what has that name
        except (FileNotFoundError, NotADirectoryError):
            yield True  # for the update to say so
            while not articles.is_dir() and not stop.wait(TURN / 1000):
                yield False
        except (OSError, WatchfilesRustInternalError) as error:
            if not polling:
                _log.warning("The folder is looked at again and again, as in: %s", error)
            stop.wait(STILL if polling else 0.0)
            polling = True


def _identity(articles: Path) -> tuple[int, int]:
    status = articles.stat()
    return status.st_dev, status.st_ino


def _concerns(path: Path) -> bool:
    """Hidden files and those of other kinds do not; what is gone may have been a folder."""
    return not path.name.startswith(".") and (is_known(path.name) or not path.is_file())


@contextlib.contextmanager
def watching(
    articles: Path,
    update: Callable[[], Changes],
    say: Callable[[str], None],
    still: float = STILL,
    fill: Fill = nothing_to_fill,
) -> Iterator[None]:
    """Watch in a thread of its own; what it says is one line for each sync."""
    stop = threading.Event()
    with _beside(
        lambda: watch(articles, update, lambda done: say(f"Articles: {done}."), stop, still, fill),
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
    thread = threading.Thread(target=run, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(AGAIN * 5)  # Python had better not end while it waits in native code


RECENT = 12  # steps of progress that the speed is taken from
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """What an update is doing, or what the last one did."""

    run: int = 0  # number of updates that were begun
    running: bool = False
    done: int = 0
    all: int = 0  # 0: not known yet
    seconds_left: float | None = None
    changes: Changes | None = None  # of the last one that has ended
    error: str = ""  # why the last one failed; the index is then as it was


class Updater:
    """Runs updates one after the other in a thread. What is asked for meanwhile is one more.

    ``update`` makes articles searchable; ``fill`` embeds what it has left, and ends early when its
    argument says so, since the next update has to wait for it.
    """

    def __init__(self, update: Callable[[Progress], Changes], fill: Fill = nothing_to_fill) -> None:
        self._update = update
        self._fill = fill
        self._status = Status()
        self._wanted = False
        self._at_work = False
        self._changed = threading.Condition()

    def request(self) -> None:
        """See to it that an update begins after this moment."""
        with self._changed:
            if not self._at_work:
                # First, as it may fail; it waits for what follows.
                threading.Thread(target=self._work, name="update", daemon=True).start()
                self._at_work = True
            self._wanted = True
            if not self._status.running:
                self._set(run=self._status.run + 1, running=True, done=0, all=0, error="")

    def fill(self, until: Callable[[], bool]) -> int:
        """Embed what is not embedded yet, until that says so or an update is asked for."""
        return self._fill(lambda: until() or self._wanted)

    @property
    def status(self) -> Status:
        return self._status

    def follow(self, every: float = 0.5) -> Iterator[Status]:
        """Yield the status now and whenever it has changed, until nothing is running."""
        last: Status | None = None
        while True:
            with self._changed:
                if self._status is last:
                    self._changed.wait(every)
                status = self._status
            if status is not last:
                yield status
                last = status
            if not status.running:
                return
            time.sleep(every / 2)  # a page need not see each of a thousand steps

    def _work(self) -> None:
        while True:
            self._run_wanted()
            try:
                self.fill(lambda: False)
            except RagError as error:  # found by words alone, until the next update
                _log.warning("Not all passages are embedded: %s", error)
            except Exception:  # noqa: BLE001
                _log.exception("Not all passages are embedded")
            with self._changed:
                if not self._wanted:
                    self._at_work = False
                    return

    def _run_wanted(self) -> None:
        while True:
            with self._changed:
                if not self._wanted:
                    self._set(running=False, seconds_left=None)
                    return
                self._wanted = False
            marks: deque[tuple[float, int]] = deque(maxlen=RECENT)
            try:
                changes = self._update(partial(self._step, marks))
                self._said(changes=changes, error="")
            except RagError as error:
                self._said(changes=None, error=str(error))
            except Exception:  # noqa: BLE001 - a page must not be left waiting
                _log.exception("The update failed")
                self._said(changes=None, error=texts.FAULT)

    def _step(self, marks: deque[tuple[float, int]], done: int, total: int) -> None:
        marks.append((time.monotonic(), done))
        (first, begun), (now, done) = marks[0], marks[-1]
        left = (total - done) * (now - first) / (done - begun) if done > begun else None
        self._said(done=done, all=total, seconds_left=left)

    def _said(self, **changes: object) -> None:
        with self._changed:
            self._set(**changes)

    def _set(self, **changes: object) -> None:
        self._status = replace(self._status, **changes)  # type: ignore[arg-type]
        self._changed.notify_all()
