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


def test_the_reason_names_them() -> None:
    assert why_not("Why did Lloyd Austin resign?", NEAREST, "No.") == (
        "The sentences that come nearest say nothing of “resign”."
    )
    assert why_not("When did Lloyd Austin confirm the deployment?", NEAREST, "No.") == "No."
    assert why_not("Why did Lloyd Austin resign?", [], "No.") == "No."
