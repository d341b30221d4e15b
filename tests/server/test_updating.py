"""Updates in the background: one at a time, none forgotten, and never a page left waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from rag import texts
from rag.errors import ArticleError
from rag.server import background as updating
from rag.server.background import Updater
from rag.types import Changes, Progress

HANGS = 120  # seconds after which a test that waits for another thread gives up


def test_what_is_asked_for_meanwhile_is_one_more_update() -> None:
    begun, go = threading.Semaphore(0), threading.Semaphore(0)
    runs: list[int] = []

    def update(_progress: Progress) -> Changes:
        runs.append(1)
        begun.release()
        assert go.acquire(timeout=HANGS)
        return Changes(added=(str(len(runs)),))

    updater = Updater(update)
    updater.request()
    assert begun.acquire(timeout=HANGS)
    for _ in range(5):
        updater.request()
    go.release(2)
    *_, last = updater.follow(0.01)
    assert not last.running
    assert last.changes == Changes(added=("2",))
    assert len(runs) == 2


def test_steps_are_followed_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    clock = iter((100.0, 103.0))
    monkeypatch.setattr(
        updating, "time", SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None)
    )

    def update(progress: Progress) -> Changes:
        progress(0, 4)
        progress(2, 4)
        assert go.wait(HANGS)
        return Changes()

    updater = Updater(update)
    updater.request()
    for status in updater.follow(0.01):
        if status.done == 2 and status.running and not go.is_set():
            assert status.all == 4
            assert status.seconds_left == 3.0
            go.set()
    assert not status.running
    assert status.seconds_left is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ArticleError("No article can be read."), "No article can be read."),
        (KeyError("x"), texts.FAULT),
    ],
)
def test_an_update_that_fails_says_so_and_the_next_one_runs(error: Exception, said: str) -> None:
    fails = [error]

    def update(_progress: Progress) -> Changes:
        if fails:
            raise fails.pop()
        return Changes(unchanged=3)

    updater = Updater(update)
    updater.request()
    *_, last = updater.follow(0.01)
    assert last.error == said
    updater.request()
    *_, last = updater.follow(0.01)
    assert last.error == ""
    assert last.changes == Changes(unchanged=3)
    assert last.run == 2


def test_an_update_interrupts_the_filling_in_and_goes_first() -> None:
    log: list[str] = []
    filling, requested = threading.Event(), threading.Event()

    def update(_progress: Progress) -> Changes:
        log.append("update")
        return Changes()

    def fill(until: Callable[[], bool]) -> int:
        log.append("fill")
        filling.set()
        assert requested.wait(HANGS)
        log.append("told to end" if until() else "filled")
        return 0

    updater = Updater(update, fill)
    updater.request()
    *_, last = updater.follow(0.01)
    assert not last.running  # what was added can be asked about before all of it is embedded
    assert filling.wait(HANGS)
    filling.clear()
    updater.request()
    requested.set()
    *_, last = updater.follow(0.01)
    assert last.run == 2
    assert filling.wait(HANGS)
    assert log[:5] == ["update", "fill", "told to end", "update", "fill"]
