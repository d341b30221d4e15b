"""What a question gets for an answer after others: the real encoder, the default thresholds,
quotations or a scripted draft.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from scripted import Drafting
from valley import BUILT, FINAL, LINE, STEEL, TICKET, YOUNG, check

from rag.answering.pipeline import Rag
from rag.types import Turn

pytestmark = pytest.mark.models


def turns(question: str, answer: str) -> list[Turn]:
    return [Turn("user", question), Turn("assistant", answer)]


STOPS = turns("How many stops does the Velmar tram have?", "It has 17 stops.")
SANDER = turns("Who won the chess cup?", "Liv Sander, 13, won the chess cup.")
MAYOR = turns("Who is the mayor of Velmar?", "Ilse Marrow was elected mayor of Velmar.")
MUSEUM = turns("How many clocks does the museum show?", "It shows 1,300 clocks.")


@pytest.mark.parametrize(
    ("history", "question", "sentence"),
    [
        (STOPS, "And how long is it?", LINE),
        (STOPS, "How much is a ticket?", TICKET),
        (SANDER, "Who did she beat?", FINAL),
        (SANDER, "And in how many moves?", FINAL),
        (
            MAYOR,
            "What did she promise?",
            "Marrow promised to plant 4,000 trees and to keep the night buses.",
        ),
        (MUSEUM, "What do tickets cost?", "Tickets cost 7 crowns, and school classes pay nothing."),
    ],
)
def test_a_follow_up_uses_the_conversation(
    quoting: Rag, history: Sequence[Turn], question: str, sentence: str
) -> None:
    answer = quoting.answer(question, history=history)
    assert answer.claims[0].text == sentence
    assert answer.question == question
    check(quoting, answer)


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        (SANDER, MAYOR, "What did she say?"),
        (STOPS, MUSEUM, "How much is a ticket?"),
        (SANDER, MAYOR, "Who did she beat?"),
    ],
)
def test_the_same_words_after_another_question_get_another_answer(
    quoting: Rag, one: Sequence[Turn], other: Sequence[Turn], question: str
) -> None:
    after = [quoting.answer(question, history=h).evidence[0].article for h in (one, other)]
    assert after[0] != after[1]


@pytest.mark.parametrize("history", [STOPS, SANDER, MAYOR, MUSEUM])
@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("When was the Orrin dam built?", BUILT),
        ("How many young beavers did the ranger count?", YOUNG),
        ("Who blamed the price of steel?", STEEL),
    ],
)
def test_a_new_topic_is_answered_as_without_the_conversation(
    quoting: Rag, history: Sequence[Turn], question: str, sentence: str
) -> None:
    answer = quoting.answer(question, history=history)
    assert answer.claims[0].text == quoting.answer(question).claims[0].text == sentence


@pytest.mark.parametrize("history", [STOPS, SANDER, MAYOR])
@pytest.mark.parametrize(
    "question", ["What is the capital of Portugal?", "How many moons does Saturn have?"]
)
def test_a_conversation_makes_nothing_answerable_that_is_not(
    quoting: Rag, history: Sequence[Turn], question: str
) -> None:
    assert quoting.answer(question, history=history).declined


def test_the_draft_is_given_the_conversation_and_the_bare_question(drafting: Drafting) -> None:
    rag, generator = drafting("She beat Oskar Wendt. [1]")
    rag.answer("Who did she beat?", history=SANDER)
    assert generator.calls[0].question == "Who did she beat?"
    assert generator.calls[0].before == [SANDER[0].text]


def test_a_new_question_without_its_words_in_what_is_found_is_not_repaired_from_the_old_topic(
    drafting: Drafting,
) -> None:
    draft = "Farmer Olaf Breck complained that a field of barley was under water. [1]"
    rag, _ = drafting(draft)
    question = "Whose crops got soaked?"
    alone = rag.search(question).evidence[0]
    history = turns("Who complained about the beavers?", "Farmer Colm Breck complained.")
    after = rag.answer(question, history=history)
    assert after.evidence[0].quote == alone.quote
    assert after.declined
