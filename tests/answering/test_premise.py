"""What a refusal says of a question that supposes something the articles do not say."""

from __future__ import annotations

import pytest

from rag.answering.refusal import missing_words, why_not
from rag.types import Evidence

TEXT = "Harbour Minister Lena Okafor promised on Tuesday the repair of Rillan piers."
NEAREST = [Evidence("a.txt", "Ministry promises repairs", None, 0, len(TEXT), TEXT, 0.5)]
NOT_SAID = "The sentences that come nearest say nothing of “resign”."
REPAIR = "When did Lena Okafor promise the repair?"


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("Why did Lena Okafor resign?", ("resign",)),
        ("When did Lena Okafor promise the repair?", ()),  # all said: something else is wrong
        ("What did the ministry promise about Rillan ferries?", ("ferries",)),
        ("Which Rillan pier was repaired?", ()),  # other forms of the same words
        ("How do penguins hatch eggs in Antarctica?", ()),  # all of it is missing
        ("Why?", ()),
        ("", ()),
    ],
)
def test_names_the_words_that_nothing_near_says(question: str, missing: tuple[str, ...]) -> None:
    assert missing_words(question, NEAREST) == missing


@pytest.mark.parametrize(
    ("question", "unknown", "refused", "reason"),
    [
        ("Why did Lena Okafor resign?", (), True, NOT_SAID),
        ("Why did Lena Okafor resign?", (), False, NOT_SAID),
        (REPAIR, (), True, "The sentences that come nearest do not say it."),
        (REPAIR, (), False, "No answer could be verified against the sentences found."),
        ("When did Bob Okafor promise the repair?", ("Bob",), False, "They do not mention “Bob”."),
    ],
)
def test_the_reason_names_them(
    question: str, unknown: tuple[str, ...], refused: bool, reason: str
) -> None:
    assert why_not(question, NEAREST, unknown, refused=refused) == reason


def test_without_a_sentence_nothing_is_said_of_it() -> None:
    assert why_not("Why did Lena Okafor resign?", [], (), refused=False) == (
        "No answer could be verified against the sentences found."
    )
