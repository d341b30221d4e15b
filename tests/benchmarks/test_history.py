"""What the baselines search for: a question is completed when it leans on the one before."""

from __future__ import annotations

import pytest

from benchmarks.baselines.search import with_history
from rag.types import Turn

BEFORE = [Turn("user", "Who leads the port of Rilla?"), Turn("assistant", "Lena Okafor. [1]")]


@pytest.mark.parametrize("question", ["And since when?", "Where was she born?", "Why?"])
def test_a_question_that_leans_on_the_one_before_is_searched_with_it(question: str) -> None:
    assert with_history(question, BEFORE) == f"Who leads the port of Rilla? {question}"
    assert with_history(question, ()) == question


@pytest.mark.parametrize(
    "question", ["What did Lisk say about it?", "How many owls are there?", "When do ferries run?"]
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    assert with_history(question, BEFORE) == question
