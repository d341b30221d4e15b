"""Bringing an index up to date in the background, while questions go on, and how far that is."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from rag import texts
from rag.changes import Changes, Progress
from rag.errors import RagError
from rag.server.watch import Fill, nothing_to_fill

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
