"""Drafts for several at once: the order, the place in it, and who is held up by whom."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from gated import GatedGenerator

from rag.errors import ModelError
from rag.types import Evidence
from rag.writing import DraftQueue

Asked = Future[list[int | str]]


def evidence(text: str) -> list[Evidence]:
    return [Evidence("a.txt", "A", None, 0, len(text), text, 1.0)]


@pytest.fixture
def model() -> GatedGenerator:
    return GatedGenerator(open_at_once=False)


@pytest.fixture
def drafts(model: GatedGenerator) -> Iterator[DraftQueue]:
    opened = DraftQueue(model)
    yield opened
    opened.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as opened:
        yield opened


def draft(
    drafts: DraftQueue, question: str, cancel: threading.Event | None = None
) -> Iterator[int | str]:
    return drafts.draft(question, evidence(f"About {question}."), (), cancel or threading.Event())


def ask(
    pool: ThreadPoolExecutor, drafts: DraftQueue, question: str,
    cancel: threading.Event | None = None,
) -> Asked:  # fmt: skip
    return pool.submit(lambda: list(draft(drafts, question, cancel)))


def text(said: list[int | str]) -> str:
    return "".join(piece for piece in said if isinstance(piece, str)).strip()


def places(said: list[int | str]) -> list[int]:
    return [piece for piece in said if isinstance(piece, int)]


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)


def queued(pool: ThreadPoolExecutor, drafts: DraftQueue, *questions: str) -> list[Asked]:
    """Ask one after the other, each only when the one before has its place."""
    asked = []
    for question in questions:
        before = len(drafts._orders)
        asked.append(ask(pool, drafts, question))
        wait_until(lambda before=before: len(drafts._orders) == before + 1)  # type: ignore[misc]
    return asked


def test_a_free_model_writes_at_once_and_no_place_is_told(
    model: GatedGenerator, drafts: DraftQueue
) -> None:
    model.gate.set()
    for question in ("one", "two"):
        said = list(draft(drafts, question))
        assert places(said) == []
        assert text(said) == f"About {question}. [1]"


def test_first_come_first_served_with_its_place_told(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    names = [f"number {n}" for n in range(5)]
    asked = queued(pool, drafts, *names)
    time.sleep(0.2)  # each has been told its first place
    model.seconds = 0.15
    model.gate.set()
    said = [future.result(10) for future in asked]
    assert [text(each) for each in said] == [f"About {name}. [1]" for name in names]
    assert model.begun == names
    assert model.most_at_once == 1
    assert [places(each) for each in said] == [[], [1, 0], [2, 1, 0], [3, 2, 1, 0], [4, 3, 2, 1, 0]]


def test_cancelling_the_draft_in_progress_lets_the_next_begin_at_once(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    cancel = threading.Event()
    first = ask(pool, drafts, "one", cancel)
    wait_until(lambda: model.begun == ["one"])
    (second,) = queued(pool, drafts, "two")
    since = time.monotonic()
    cancel.set()
    wait_until(lambda: model.begun == ["one", "two"], 1.0)
    assert first.result(1.0) == []
    assert time.monotonic() - since < 1.0
    model.gate.set()
    assert text(second.result(10)) == "About two. [1]"


def test_who_waits_and_cancels_leaves_the_queue(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    (first,) = queued(pool, drafts, "one")
    cancel = threading.Event()
    second = ask(pool, drafts, "two", cancel)
    wait_until(lambda: len(drafts._orders) == 2)
    (third,) = queued(pool, drafts, "three")
    time.sleep(0.15)
    cancel.set()
    assert text(second.result(1.0)) == ""
    time.sleep(0.15)
    model.gate.set()
    assert text(first.result(10)) == "About one. [1]"
    assert places(third.result(10)) == [2, 1, 0]
    assert model.begun == ["one", "three"]


@pytest.mark.parametrize("how", ["close", "forget"])
def test_closing_the_iterator_frees_the_model(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor, how: str
) -> None:
    model.gate.set()
    pieces = draft(drafts, "a slow one")
    assert next(pieces) == "About "
    (waiting,) = queued(pool, drafts, "two")
    since = time.monotonic()
    if how == "close":
        pieces.close()  # type: ignore[attr-defined]
    del pieces
    assert text(waiting.result(1.0)) == "About two. [1]"
    assert time.monotonic() - since < 1.0


def test_who_stops_reading_holds_nobody_up(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    model.gate.set()
    pieces = draft(drafts, "one")
    first = next(pieces)  # and then nothing more is read
    assert text(ask(pool, drafts, "two").result(2.0)) == "About two. [1]"
    assert text([first, *pieces]) == "About one. [1]"


@pytest.mark.parametrize("error", [ModelError("The model has died."), RuntimeError("a fault")])
def test_an_error_reaches_the_one_who_asked_and_no_other(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor, error: Exception
) -> None:
    model.error = error
    first, broken, last = queued(pool, drafts, "one", "a broken one", "three")
    model.gate.set()
    assert text(first.result(10)) == "About one. [1]"
    with pytest.raises(type(error), match=str(error)):
        broken.result(10)
    assert text(last.result(10)) == "About three. [1]"


def test_closing_ends_the_draft_in_progress_and_turns_down_the_others(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    asked = queued(pool, drafts, "one", "two", "three")
    drafts.close()
    for future in asked:
        with pytest.raises(ModelError, match="has been closed"):
            future.result(1.0)
    with pytest.raises(ModelError, match="has been closed"):
        list(draft(drafts, "four"))
    assert model.begun == ["one"]
    drafts.close()


def test_nothing_is_left_of_it_when_nobody_asks(model: GatedGenerator) -> None:
    model.gate.set()
    drafts = DraftQueue(model)
    list(draft(drafts, "one"))
    deadline = time.monotonic() + 10
    while drafts._writer is not None and time.monotonic() < deadline:
        time.sleep(0.005)
    assert drafts._orders == []
    gone = weakref.ref(drafts)
    del drafts
    while gone() is not None and time.monotonic() < deadline:  # its thread is about to end
        gc.collect()
        time.sleep(0.005)
    assert gone() is None


def test_a_thread_that_cannot_be_started_leaves_no_order_behind(
    model: GatedGenerator, drafts: DraftQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.gate.set()

    def fail(_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError, match="new thread"):
            list(draft(drafts, "one"))
    assert text(list(draft(drafts, "two"))) == "About two. [1]"


def test_many_who_ask_and_cancel_at_random(pool: ThreadPoolExecutor) -> None:
    model = GatedGenerator()
    drafts = DraftQueue(model)

    def visit(n: int) -> None:
        for turn in range(20):
            cancel = threading.Event()
            name = f"{n}.{turn}"
            pieces = draft(drafts, name, cancel)
            if (n + turn) % 3 == 0:
                next(pieces, None)
                cancel.set()
            elif (n + turn) % 3 == 1:
                next(pieces, None)
                pieces.close()  # type: ignore[attr-defined]
            else:
                assert text(list(pieces)) == f"About {name}. [1]"

    for future in [pool.submit(visit, n) for n in range(8)]:
        future.result(30)
    wait_until(lambda: drafts._writer is None)
    assert drafts._orders == []
    assert model.most_at_once == 1
    drafts.close()
