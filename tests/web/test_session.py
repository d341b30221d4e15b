"""What the chat does with an engine, without Gradio: answering, stopping, opening an article."""

from __future__ import annotations

import datetime as dt
import re
import threading
from dataclasses import replace
from html import unescape

import pytest
from fake_rag import ARTICLES, FakeRag

from rag import texts
from rag.errors import IndexCorrupt
from rag.history.conversation import Exchange, turns
from rag.server.engine import Running
from rag.types import Article, ArticleSummary, Scope, Turn
from rag.web.session import answering, begun, neighbours, opened, with_contexts


def marks(markup: str, kind: str) -> list[str]:
    found = re.findall(rf'<mark class="{kind}"[^>]*>(.*?)</mark>', markup, re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", mark)) for mark in found]


def asked(question: str = "When?") -> tuple[FakeRag, Exchange]:
    rag = FakeRag()
    return rag, list(answering(rag, (), question, threading.Event()))[-1]


# -- answering and stopping -------------------------------------------------------------------


def test_evidence_then_its_neighbours_then_claims() -> None:
    steps = list(answering(FakeRag(), (), "When?", threading.Event()))
    assert [step.state for step in steps[:3]] == ["searching", "reading", "reading"]
    assert steps[1].evidence
    assert not steps[1].contexts  # at once, and not after every article has been read again
    assert {(e.article, e.start, e.end) for e in steps[2].evidence} == set(steps[2].contexts)
    assert [len(step.claims) for step in steps[3:]] == [1, 2, 3, 3]
    assert steps[-1].state == "answered"


@pytest.mark.parametrize("question", ["slow", "slowest"])  # with a last answer, and without
def test_a_stopped_question_keeps_its_claims(question: str) -> None:
    rag, cancel = FakeRag(), threading.Event()
    for step in answering(rag, (), question, cancel):
        if step.claims:
            cancel.set()
    assert step.state == "stopped"
    assert len(step.claims) == len(step.citations) == 1
    assert step.contexts
    assert rag.running == 0


def test_an_engine_that_cannot_stop_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.web.session.GRACE", 0.05)
    rag, cancel = FakeRag(), threading.Event()
    rag.loaded.clear()
    for step in answering(rag, (), "When?", cancel):
        if step.contexts:
            cancel.set()
    assert step.state == "stopped"
    assert step.evidence
    assert rag.running == 1
    rag.loaded.set()
    rag.until(running=0)  # what it was doing has ended, and nothing after it has begun


def test_the_engine_is_asked_with_the_conversation_the_day_and_the_scope() -> None:
    rag, scope = FakeRag(), Scope(paths=frozenset({"ferry.txt"}))
    earlier = list(answering(rag, (), "When does the ferry leave?", threading.Event()))[-1]
    asked = list(answering(rag, (earlier,), "Why?", threading.Event(), scope, "one article"))
    assert [question for question, _ in rag.calls] == ["When does the ferry leave?", "Why?"]
    assert rag.calls[0][1] == []
    assert rag.calls[1][1] == turns([earlier])
    assert rag.calls[1][1][0] == Turn("user", "When does the ferry leave?")
    assert rag.scopes == [None, scope]
    for step in asked:
        assert (step.number, step.question, step.limited) == (2, "Why?", "one article")
        assert step.asked is not None
        assert dt.date.fromisoformat(step.asked)


def test_a_refusal_is_answered_and_an_error_is_not(caplog: pytest.LogCaptureFixture) -> None:
    declined = asked("What of the moon?")[1]
    assert (declined.state, declined.declined, declined.claims) == ("answered", True, ())
    failed = asked("Is it broken?")[1]
    assert failed.state == "failed"
    assert "qwen.gguf" in (failed.error or "")
    assert not failed.declined
    fault = asked("Is it a fault?")[1]
    assert fault.state == "failed"
    assert "not one of ours" not in (fault.error or "")
    assert "not one of ours" in caplog.text  # for whoever runs the server
    assert len(fault.claims) == 1  # what had been verified stays


def test_an_abandoned_question_is_told_to_stop() -> None:
    running = Running()
    with running.question("visitor") as first, running.question("visitor") as second:
        assert first.is_set()
        assert not second.is_set()
        running.stop("somebody else")
        assert not second.is_set()
        running.stop_all()
        assert second.is_set()


class Damaged(FakeRag):
    def contents(self) -> tuple[ArticleSummary, ...]:
        raise IndexCorrupt("vectors.faiss is damaged.")


def test_an_unreadable_index_is_said_in_one_line() -> None:
    for markup in (*begun(Damaged()), opened(Damaged(), (), {"article": "ferry.txt"})):
        assert "vectors.faiss is damaged." in markup
        assert "python -m rag index" not in markup


def test_the_neighbours_of_a_quote_are_whole_sentences() -> None:
    article = Article("a.txt", "T", "One. Two. Three. Four.", 0)
    rag = FakeRag([article])
    assert neighbours(rag, article, 10, 16) == ("Two.", "Four.")
    assert neighbours(rag, article, 5, 16) == ("One.", "Four.")
    assert neighbours(rag, article, 0, 4) == ("", "Two.")
    assert neighbours(rag, article, 17, 22) == ("Three.", "")


# -- opening an article -----------------------------------------------------------------------


def test_a_click_opens_the_cited_sentence() -> None:
    rag, exchange = asked()
    cited = exchange.citations[1]
    wanted = {"article": cited.article, "exchange": "1", "start": cited.start, "end": cited.end}
    markup = opened(rag, (exchange,), wanted)
    assert marks(markup, "current") == [cited.quote]
    assert len(marks(markup, "other")) == 2
    assert texts.CHANGED not in markup


def test_a_forgotten_conversation_still_opens_whole_sentences() -> None:
    rag, exchange = asked()
    cited = exchange.citations[0]
    wanted = {"article": cited.article, "exchange": "1", "start": cited.start, "end": cited.end}
    assert marks(opened(rag, (), wanted), "current") == [cited.quote]
    assert "<mark" not in opened(rag, (), {**wanted, "end": cited.end - 3})


def test_a_quote_is_shown_between_its_neighbours_while_the_article_still_has_it() -> None:
    rag, exchange = asked()
    for place in exchange.places():
        text = rag.article(place.article).text
        before, after = exchange.contexts[place.article, place.start, place.end]
        assert before in text[: place.start]
        assert after in text[place.end :]
    assert any(before and after for before, after in exchange.contexts.values())
    edited = [replace(a, text=a.text.replace("seven", "eight")) for a in ARTICLES]
    shown = with_contexts(FakeRag(edited), replace(exchange, contexts={}))
    assert 0 < len(shown.contexts) < len(exchange.contexts)
    assert shown.claims == exchange.claims


def test_an_edited_article_is_shown_without_a_false_highlight() -> None:
    rag, exchange = asked()
    cited = exchange.citations[0]
    rag.articles = [replace(a, text=a.text.replace("seven", "eight")) for a in rag.articles]
    wanted = {"article": cited.article, "exchange": "1", "start": cited.start, "end": cited.end}
    markup = opened(rag, (exchange,), wanted)
    assert not marks(markup, "current")
    assert texts.CHANGED in markup


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        [],
        "ferry.txt",
        {},
        {"library": True},
        {"article": "../../etc/passwd"},
        {"article": ["ferry.txt"]},
        {"article": {"a": 1}},
        {"article": "/ferry.txt", "start": "1", "end": "5"},
    ],
)
def test_what_is_not_an_indexed_article_opens_the_list(wanted: object) -> None:
    assert 'data-view="library"' in opened(FakeRag(), (), wanted)


@pytest.mark.parametrize("start", ["-5", "x", None, "9" * 400, 1.5, [], "٣", "1e3"])
def test_offsets_from_the_browser_are_not_trusted(start: object) -> None:
    rag, exchange = asked()
    wanted = {"article": "ferry.txt", "exchange": start, "start": start, "end": start}
    assert not marks(opened(rag, (exchange,), wanted), "current")
