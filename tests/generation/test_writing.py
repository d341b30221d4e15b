"""Drafts for several at once: the order, the place in it, and who is held up by whom."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from gated import GatedGenerator

from rag.errors import ModelError
from rag.generation import prompts
from rag.generation.queue import DraftQueue
from rag.types import Evidence

Asked = Future[list[int | str]]
Pieces = Generator[int | str]


def quote(text: str) -> Evidence:
    return Evidence("a.txt", "A", None, 0, len(text), text, 1.0)


@pytest.fixture
def model() -> GatedGenerator:
    return GatedGenerator(open_at_once=False)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as opened:
        yield opened


@pytest.fixture
def drafts(model: GatedGenerator, pool: ThreadPoolExecutor) -> Iterator[DraftQueue]:
    opened = DraftQueue(model)
    yield opened
    opened.close()  # before the pool, whose threads may wait for it


def draft(drafts: DraftQueue, question: str, cancel: threading.Event | None = None) -> Pieces:
    messages = prompts.chat(question, [quote(f"About {question}.")], ())
    return drafts.draft(messages, 9, cancel or threading.Event())


def ask(
    pool: ThreadPoolExecutor,
    drafts: DraftQueue,
    question: str,
    cancel: threading.Event | None = None,
) -> Asked:
    return pool.submit(lambda: list(draft(drafts, question, cancel)))


def begun(
    pool: ThreadPoolExecutor,
    drafts: DraftQueue,
    model: GatedGenerator,
    question: str,
    cancel: threading.Event | None = None,
) -> Asked:
    """Ask a free model, which has begun its draft on return."""
    asked = ask(pool, drafts, question, cancel)
    model.until(question)
    return asked


def waiting(
    pool: ThreadPoolExecutor,
    drafts: DraftQueue,
    question: str,
    ahead: int,
    cancel: threading.Event | None = None,
) -> Pieces:
    """Ask a model that is writing; so many drafts are ahead of it, which it has been told."""
    pieces = draft(drafts, question, cancel)
    assert soon(pool, pieces) == ahead
    return pieces


def soon(pool: ThreadPoolExecutor, pieces: Pieces) -> int | str | None:
    return pool.submit(next, pieces, None).result(30)


def rest(pool: ThreadPoolExecutor, pieces: Pieces) -> list[int | str]:
    return pool.submit(list, pieces).result(30)


def text(said: list[int | str]) -> str:
    return "".join(piece for piece in said if isinstance(piece, str)).strip()


def places(said: list[int | str]) -> list[int]:
    return [piece for piece in said if isinstance(piece, int)]


def writer_of(drafts: DraftQueue) -> threading.Thread:
    writer = drafts._writer
    assert writer is not None
    return writer


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
    model.single = True
    first = begun(pool, drafts, model, names[0])
    others = [waiting(pool, drafts, name, n) for n, name in enumerate(names[1:], start=1)]
    for written in range(4):
        model.gate.set()
        assert [soon(pool, each) for each in others[written:]] == [*range(4 - written)]
        model.until(*names[: written + 2])
    model.gate.set()
    assert first.result(30) == ["About ", "number ", "0. ", "[1] "]
    said = [rest(pool, each) for each in others]
    assert [text(each) for each in said] == [f"About {name}. [1]" for name in names[1:]]
    assert [places(each) for each in said] == [[], [], [], []]
    assert model.most_at_once == 1


def test_cancelling_the_draft_in_progress_lets_the_next_begin(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    cancel = threading.Event()
    first = begun(pool, drafts, model, "one", cancel)
    second = waiting(pool, drafts, "two", 1)
    cancel.set()
    model.until("one", "two")  # though the gate is closed
    assert first.result(30) == []
    model.gate.set()
    assert text(rest(pool, second)) == "About two. [1]"


def test_who_waits_and_cancels_leaves_the_queue(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    first = begun(pool, drafts, model, "one")
    cancel = threading.Event()
    second = waiting(pool, drafts, "two", 1, cancel)
    third = waiting(pool, drafts, "three", 2)
    cancel.set()
    assert rest(pool, second) == []
    assert soon(pool, third) == 1
    model.gate.set()
    assert text(first.result(30)) == "About one. [1]"
    assert text(rest(pool, third)) == "About three. [1]"
    assert model.begun == ["one", "three"]


@pytest.mark.parametrize("how", ["close", "forget"])
def test_closing_the_iterator_frees_the_model(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor, how: str
) -> None:
    model.gate.set()
    pieces = draft(drafts, "a slow one")
    assert next(pieces) == "About "
    second = waiting(pool, drafts, "two", 1)
    if how == "close":
        pieces.close()
    del pieces
    assert text(rest(pool, second)) == "About two. [1]"


def test_who_stops_reading_holds_nobody_up(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    model.gate.set()
    pieces = draft(drafts, "one")
    first = next(pieces)  # and then nothing more is read
    assert text(ask(pool, drafts, "two").result(30)) == "About two. [1]"
    assert text([first, *pieces]) == "About one. [1]"


@pytest.mark.parametrize("error", [ModelError("The model has died."), RuntimeError("a fault")])
def test_an_error_reaches_the_one_who_asked_and_no_other(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor, error: Exception
) -> None:
    model.error = error
    first = begun(pool, drafts, model, "one")
    broken = waiting(pool, drafts, "a broken one", 1)
    last = waiting(pool, drafts, "three", 2)
    model.gate.set()
    assert text(first.result(30)) == "About one. [1]"
    with pytest.raises(type(error), match=str(error)):
        rest(pool, broken)
    assert text(rest(pool, last)) == "About three. [1]"


def test_closing_ends_the_draft_in_progress_and_turns_down_the_others(
    model: GatedGenerator, drafts: DraftQueue, pool: ThreadPoolExecutor
) -> None:
    first = begun(pool, drafts, model, "one")
    others = [waiting(pool, drafts, "two", 1), waiting(pool, drafts, "three", 2)]
    drafts.close()
    with pytest.raises(ModelError, match="has been closed"):
        first.result(30)
    for pieces in others:
        with pytest.raises(ModelError, match="has been closed"):
            rest(pool, pieces)
    with pytest.raises(ModelError, match="has been closed"):
        list(draft(drafts, "four"))
    assert model.begun == ["one"]
    drafts.close()


def test_nothing_is_left_of_it_when_nobody_asks(
    model: GatedGenerator, pool: ThreadPoolExecutor
) -> None:
    drafts = DraftQueue(model)
    asked = begun(pool, drafts, model, "one")
    writer = writer_of(drafts)
    model.gate.set()
    asked.result(30)
    writer.join(30)
    assert not writer.is_alive()
    assert drafts._orders == []
    gone = weakref.ref(drafts)
    del drafts, asked
    gc.collect()
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
                pieces.close()
            else:
                assert text(list(pieces)) == f"About {name}. [1]"

    for future in [pool.submit(visit, n) for n in range(8)]:
        future.result(30)
    if (writer := drafts._writer) is not None:
        writer.join(30)
    assert (drafts._writer, drafts._orders) == (None, [])
    assert model.most_at_once == 1
    drafts.close()
