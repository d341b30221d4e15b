"""Several visitors at once: each gets its own answer, and nobody holds up the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fake_rag import FakeRag
from gated import TOWNS, GatedGenerator, open_towns, question

from rag.answering.cite import Citer
from rag.answering.draft import DraftSentence
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.errors import ModelError, Overloaded
from rag.history.conversation import Exchange
from rag.models.encoder import Encoder
from rag.server.engine import MOST_QUESTIONS, Running
from rag.types import Answer, ClaimVerified, Event, EvidenceFound, Turn, Waiting
from rag.web.answer_html import conversation
from rag.web.session import answering


@pytest.fixture
def model() -> GatedGenerator:
    return GatedGenerator()


@pytest.fixture
def rag(tmp_path: Path, config: Config, model: GatedGenerator) -> Iterator[Rag]:
    with open_towns(tmp_path, config, model) as opened:
        yield opened


def started(rag: Rag, asked: str, cancel: threading.Event | None = None) -> Iterator[Event]:
    """Begin a question; it has been read as far as its evidence."""
    stream = rag.stream(asked, cancel=cancel)
    assert isinstance(next(stream), EvidenceFound)
    return stream


@contextmanager
def writing(rag: Rag, model: GatedGenerator, town: str) -> Iterator[Future[Answer]]:
    """Ask about a town; the model writes as long as its gate is closed."""
    model.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(rag.answer, question(town))
        model.until(question(town))
        yield asked


def soon(rag: Rag, *asked: str) -> list[Answer]:
    """Return the answers; fails where they do not come."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: [rag.answer(each) for each in asked]).result(30)


def test_with_a_free_model_nothing_is_said_of_waiting(rag: Rag) -> None:
    events = list(rag.stream(question("Arvel")))
    assert [type(event) for event in events] == [EvidenceFound, ClaimVerified, Answer]
    assert isinstance(events[-1], Answer)
    assert "wait" not in events[-1].timings_ms


def test_evidence_comes_before_the_wait_and_the_place_with_it(
    rag: Rag, model: GatedGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    with writing(rag, model, "Arvel") as first:
        events = started(rag, question("Brone"))
        assert next(events) == Waiting(1)
        now[0] = 5.0
        model.gate.set()
        assert "Arvel has 1,100 people" in first.result(30).text
    assert next(events) == Waiting(0)
    *_, answer = events
    assert isinstance(answer, Answer)
    assert "Brone has 2,200 people" in answer.text
    assert (answer.timings_ms["wait"], answer.timings_ms["generate"]) == (5000, 0)


def test_eight_conversations_do_not_mix(rag: Rag, model: GatedGenerator) -> None:
    together = threading.Barrier(len(TOWNS))

    def converse(town: str) -> list[Answer]:
        history: list[Turn] = []
        answers: list[Answer] = []
        for asked in (question(town), f"Who is the mayor of {town}?", f"Who runs {town} now?"):
            together.wait(30)
            answers.append(rag.answer(asked, history=tuple(history)))
            history += [Turn("user", asked), Turn("assistant", answers[-1].claims[0].text)]
        return answers

    with ThreadPoolExecutor(len(TOWNS)) as pool:
        conversations = dict(zip(TOWNS, pool.map(converse, TOWNS), strict=True))
    for town, answers in conversations.items():
        for answer in answers:
            assert {citation.article for citation in answer.citations} == {f"{town}.txt"}
            told = " ".join([answer.question, *model.before[answer.question]])
            assert not [other for other in TOWNS if other in told + answer.text and other != town]
        assert model.before[f"Who runs {town} now?"] == [f"Who is the mayor of {town}?"]
    assert model.most_at_once == 1


def test_a_visitor_who_stops_reading_blocks_nobody(rag: Rag) -> None:
    slow = started(rag, question("Arvel"))
    assert isinstance(next(slow), ClaimVerified)  # and reads no further
    answers = soon(rag, *map(question, TOWNS[1:]))
    assert all(town in each.text for town, each in zip(TOWNS[1:], answers, strict=True))
    *_, answer = slow
    assert isinstance(answer, Answer)


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_cancelled_question_frees_the_model(rag: Rag, model: GatedGenerator, how: str) -> None:
    cancel = threading.Event()
    slow = started(rag, "How many slow people live in Arvel?", cancel)
    assert isinstance(next(slow), ClaimVerified)
    waiting = started(rag, question("Brone"))
    assert next(waiting) == Waiting(1)
    assert len(model.begun) == 1
    if how == "cancel":
        cancel.set()
    else:
        slow.close()  # type: ignore[attr-defined]
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(list, waiting).result(30)[-1]
    assert isinstance(answer, Answer)
    assert "Brone" in answer.text


def test_a_fault_frees_the_model_while_its_error_is_kept(
    rag: Rag, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Citer.add

    def add(citer: Citer, sentence: DraftSentence) -> Iterator[ClaimVerified]:
        if "Arvel" in sentence.text:
            raise RuntimeError("a fault")
        return whole(citer, sentence)

    monkeypatch.setattr(Citer, "add", add)
    with pytest.raises(RuntimeError, match="a fault") as kept:
        list(rag.stream("How many slow people live in Arvel?"))
    assert "Brone" in soon(rag, question("Brone"))[0].text
    assert kept.value.__traceback__ is not None  # it holds the frames that it came through


def test_a_failing_draft_fails_one_question(rag: Rag, model: GatedGenerator) -> None:
    model.error = ModelError("The model ended.")
    asked = [question("Arvel"), "Is Brone broken?", question("Castra")]
    with ThreadPoolExecutor(3) as pool:
        first, broken, last = [pool.submit(rag.answer, each) for each in asked]
        assert "Arvel" in first.result(10).text
        with pytest.raises(ModelError, match=r"The model ended\."):
            broken.result(10)
        assert "Castra" in last.result(10).text


@pytest.mark.models
def test_a_question_is_encoded_by_one_core_and_a_batch_by_all(
    minilm: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    passages, _ = minilm.encode_passages(["One."] * 8, [()] * 8)
    here, used = threading.get_ident(), set[tuple[bool, int]]()
    monkeypatch.setattr(minilm, "_threads", 4)
    monkeypatch.setattr(
        torch, "set_num_threads", lambda threads: used.add((threading.get_ident() == here, threads))
    )
    one = minilm.encode_texts(["One."])
    assert used == {(True, 1), (True, 4)}
    used.clear()
    minilm.encode_texts(["One."] * 8)
    assert used == {(False, 1), (True, 4)}
    assert abs(float(one[0] @ passages[0]) - 1) < 1e-5


# -- what the chat makes of it ----------------------------------------------------------------


def test_the_status_line_says_how_many_are_ahead() -> None:
    exchange = Exchange(1, "When?", state="reading")
    assert "2 answers are written before yours…" in conversation([replace(exchange, ahead=2)])
    assert "1 answer is written before yours…" in conversation([replace(exchange, ahead=1)])
    assert "before yours" not in conversation([exchange])
    ended = replace(exchange, ahead=2, state="stopped")
    assert "before yours" not in conversation([ended])


def test_a_waiting_question_is_told_its_place_until_its_turn(
    rag: Rag, model: GatedGenerator
) -> None:
    with writing(rag, model, "Arvel") as first:
        steps = []
        for step in answering(rag, (), question("Brone"), threading.Event()):
            steps.append(step)
            if step.ahead:
                model.gate.set()
        first.result(30)
    assert {step.ahead for step in steps} == {0, 1}
    assert all(step.evidence for step in steps if step.ahead)
    assert steps[-1].state == "answered"
    assert steps[-1].ahead == 0


def test_more_questions_than_can_be_taken_on_are_declined_at_once() -> None:
    running, rag = Running(most=2), FakeRag()
    with running.question("a") as first, running.question("b"):
        with pytest.raises(Overloaded, match="2 questions are in progress already"):
            running.question("c").__enter__()
        assert not running.busy("c")
        assert not first.is_set()
        with running.question("a"):  # a visitor's own next question takes the place of the first
            assert first.is_set()
    with running.question("c") as third:
        assert list(answering(rag, (), "When?", third))[-1].state == "answered"


def test_the_places_are_all_given_and_never_more() -> None:
    running, begun, answered = Running(), threading.Barrier(40), threading.Barrier(40)
    taken: list[int] = []

    def visit(n: int) -> None:
        begun.wait(10)
        try:
            with running.question(f"visitor {n}"):
                taken.append(n)
                answered.wait(10)
        except Overloaded:
            answered.wait(10)

    with ThreadPoolExecutor(40) as pool:
        for future in [pool.submit(visit, n) for n in range(40)]:
            future.result(20)
    assert len(taken) == MOST_QUESTIONS
