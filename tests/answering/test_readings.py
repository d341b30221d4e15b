"""A question that does not say which of several things it means gets a question back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.answering.clarify import MOST_TITLES, asking_back, points_at
from rag.types import Hit, Turn


def hits(*found: tuple[str, float]) -> list[Hit]:
    return [Hit(n, title, 0, 1, score) for n, (title, score) in enumerate(found)]


PARKS = hits(("Lisk Park", 0.5), ("Lisk Park", 0.49), ("Maldon Park", 0.45), ("Owls", 0.2))


def ask(question: str, history: Sequence[Turn] = (), found: Sequence[Hit] = PARKS) -> str | None:
    return asking_back(question, history, found, lambda path: path)


@pytest.mark.parametrize(
    ("question", "what"),
    [
        ("Can we take dogs in this park?", "this park"),
        ("Who signed these two treaties?", "these two treaties"),
        ("Who wrote this anthem originally?", "this anthem originally"),
        ("When was she born?", "she"),
        ("How does it work?", "it"),
    ],
)
def test_what_is_pointed_at_and_never_named(question: str, what: str) -> None:
    assert points_at(question, ()) == what


@pytest.mark.parametrize(
    "question",
    [
        "Can we take dogs in the park?",  # nothing in its form says that there are several
        "What awards did the actor win?",
        "Who owns the café on Quay Street?",
        "Which film won the festival that Maldon held?",
        "What happened this week?",
        "Is it true that ferries run at night?",
        "How long does it take to cross the harbour?",
        "Which chain lets no one use its restrooms without a purchase?",
        "What did Mayor Okoye do when she closed the bridge?",
        "Where was Ines Calder when this interview was made?",
    ],
)
def test_a_clear_question_is_left_alone(question: str) -> None:
    assert points_at(question, ()) is None
    assert ask(question) is None


def test_what_the_conversation_has_named_is_clear() -> None:
    before = [Turn("user", "Tell me about Lisk Park."), Turn("assistant", "It is a park.")]
    assert points_at("Can we take dogs in this park?", before) is None
    assert points_at("Can we take dogs in this park?", before[:0]) == "this park"
    assert points_at("When was it opened?", before) is None


def test_the_note_lists_the_articles_that_come_near() -> None:
    question = "Can we take dogs in this park?"
    assert ask(question) == (
        "The question does not say what “this park” is. The articles that come nearest: “Lisk "
        "Park”, “Maldon Park”. Which one do you mean?"
    )
    listed = ask(question, found=hits(*((f"Park {n}", 0.5) for n in range(9))))
    assert listed is not None
    assert listed.count("“Park") == MOST_TITLES


def test_one_article_that_comes_near_is_no_choice() -> None:
    assert ask("Can we take dogs in this park?", found=PARKS[:2]) is None
    assert ask("Can we take dogs in this park?", found=()) is None


def test_an_adverb_is_no_part_of_what_is_pointed_at() -> None:
    note = ask("Who wrote this anthem originally?")
    assert note is not None
    assert "“this anthem”" in note


def test_long_and_hostile_input_comes_to_an_end() -> None:
    turns: Sequence[Turn] = [Turn("assistant", "this the " * 300_000)] * 50
    for question in ("this " * 400, "these\n" * 400, "it is " * 400):
        ask(question, turns)
    assert ask("it is " * 400, turns) is None
