"""What a refusal says of a question that supposes something the articles do not say."""

from __future__ import annotations

import pytest

from rag.premise import unsaid, why_not
from rag.types import Evidence

TEXT = "Defense Secretary Lloyd Austin confirmed on Wednesday the deployment of Korean troops."
NEAREST = [Evidence("a.txt", "Pentagon confirms troops", None, 0, len(TEXT), TEXT, 0.5)]


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("Why did Lloyd Austin resign?", ("resign",)),
        ("When did Lloyd Austin confirm the deployment?", ()),  # all said: something else is wrong
        ("What did the Pentagon confirm about Korean submarines?", ("submarines",)),
        ("Which Koreans were deployed?", ()),  # other forms of the same words
        ("How do penguins hatch eggs in Antarctica?", ()),  # all of it is missing
        ("Why?", ()),
        ("", ()),
    ],
)
def test_names_the_words_that_nothing_near_says(question: str, missing: tuple[str, ...]) -> None:
    assert unsaid(question, NEAREST) == missing


@pytest.mark.parametrize(
    ("question", "unknown", "denies", "refused", "reason"),
    [
        ("Why did Lloyd Austin resign?", (), False, True,
         "The sentences that come nearest say nothing of “resign”."),
        ("Why did Lloyd Austin resign?", (), False, False,
         "The sentences that come nearest say nothing of “resign”."),
        ("When did Lloyd Austin confirm the deployment?", (), False, True,
         "The sentences that come nearest do not say it."),
        ("When did Lloyd Austin confirm the deployment?", (), False, False,
         "No answer could be verified against the sentences found."),
        ("When did Bob Austin confirm the deployment?", ("Bob",), False, False,
         "They do not mention “Bob”."),
        ("Why did Austin not confirm it?", (), True, True,
         "The question says that something is not so; the sentences that come nearest do not."),
    ],
)  # fmt: skip
def test_the_reason_names_them(
    question: str, unknown: tuple[str, ...], denies: bool, refused: bool, reason: str
) -> None:
    assert why_not(question, NEAREST, unknown, denies, refused=refused) == reason


def test_without_a_sentence_nothing_is_said_of_it() -> None:
    assert why_not("Why did Lloyd Austin resign?", [], (), denies=False, refused=False) == (
        "No answer could be verified against the sentences found."
    )
