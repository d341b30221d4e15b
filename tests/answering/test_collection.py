"""Questions about the collection: greetings, what is in it, and who wrote what and when."""

from __future__ import annotations

import pytest
from scripted import Drafting
from valley import check_citations

from rag.answering.collection import GREETING


@pytest.mark.parametrize("greeting", ["Hello", "hi there!", "Thanks.", "Good morning"])
def test_a_greeting_gets_a_short_reply(opened: Drafting, greeting: str) -> None:
    rag, generator = opened()
    answer = rag.answer(greeting)
    assert answer.text == GREETING
    assert not answer.declined
    assert generator.calls == []


@pytest.mark.parametrize("question", ["What is in here?", "Which articles are there?"])
def test_what_is_in_here(opened: Drafting, question: str) -> None:
    rag, _ = opened()
    text = rag.answer(question).text
    assert "4 articles" in text
    assert "- Ferry to Lisk runs twice a day" in text
    assert "- Harbour bridge closes for repairs (The Port Herald, 2024-03-08)" in text


def test_when_was_it_published(opened: Drafting) -> None:
    rag, _ = opened()
    answer = rag.answer("When was the article about the bridge repairs published?")
    assert "Harbour bridge closes for repairs" in answer.text
    assert "2024-03-08" in answer.text
    # It does not say of which article: all of them are named.
    assert rag.answer("When was this published?").text.count("\n- ") == 4
    unknown = rag.answer("When was the article about the ferry published?")
    assert unknown.declined
    assert "Ferry to Lisk runs twice a day" in unknown.text


def test_who_wrote_it(opened: Drafting) -> None:
    rag, _ = opened()
    text = rag.answer("Who wrote the article about the bridge?").text
    for part in ("Harbour bridge closes for repairs", "Ines Calder", "The Port Herald"):
        assert part in text


def test_a_summary_is_the_cited_lead(opened: Drafting) -> None:
    rag, generator = opened()
    answer = rag.answer("Summarise the article about the harbour bridge")
    assert [claim.verdict for claim in answer.claims] == ["quoted"] * 3
    assert {citation.article for citation in answer.citations} == {"bridge.txt"}
    check_citations(rag, answer)
    of_all = rag.answer("Give me a summary")
    assert {citation.article for citation in of_all.citations} == set(
        "bridge.txt ferry.txt café.txt islands/owls.md".split()
    )
    check_citations(rag, of_all)
    assert generator.calls == []


@pytest.mark.parametrize(
    "question",
    [
        "What is in the agreement?",
        "When was the bridge opened?",
        "Who wrote to the mayor?",
        "What are owls?",
        "Help for whom?",
        "How old is the café?",
        "Who is the author of the plan?",
    ],
)
def test_questions_about_the_world_are_no_small_talk(opened: Drafting, question: str) -> None:
    rag, generator = opened("Not found.")
    rag.answer(question)
    assert len(generator.calls) == 1
