"""How long the stages of an answer take, and what a refusal says."""

from __future__ import annotations

import pytest

from rag.answering.run import Found, Run


def test_a_stage_is_timed_from_its_start_or_from_that_of_the_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.5, 12.0, 13.0])
    monkeypatch.setattr("rag.answering.run.time.perf_counter", lambda: next(clock))
    run = Run("Why?", {}, started=10.0)
    begun = run.mark("retrieve")
    assert begun == 10.5
    assert run.mark("generate", begun) == 12.0
    answer = run.answer()
    assert answer.timings_ms == {"retrieve": 500.0, "generate": 1500.0, "total": 3000.0}


def test_a_refusal_gives_its_reason_and_an_answer_has_none() -> None:
    run = Run("Why?", {"model": "m"}, found=Found((), (), 0.4), remarks=("Which one?",))
    declined = run.decline("They do not say.")
    assert declined.declined
    assert declined.reason == "They do not say."
    assert declined.reason in declined.notes[0]
    assert declined.notes[1:] == ("Which one?",)
    assert (declined.confidence, declined.models) == (0.4, {"model": "m"})
    answered = run.answer(notes=("The articles disagree.",))
    assert not answered.declined
    assert answered.reason is None
    assert answered.notes == ("The articles disagree.", "Which one?")


def test_a_draft_moves_the_confidence() -> None:
    run = Run("Why?", {}, found=Found((), (), 0.4))
    run.drafted(answered=True)
    raised = run.found.confidence
    run.drafted(answered=False)
    assert run.found.confidence < 0.4 < raised
