"""The default language model from the question to the answer. It takes minutes, so these tests are
not in the default run: python -m pytest -m slow tests/answering/test_default_model.py
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from valley import ORDER, check, write_valley

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.errors import ModelError
from rag.models import files
from rag.models.encoder import Encoder
from rag.types import Answer, ClaimVerified, EvidenceFound, Turn

pytestmark = [pytest.mark.models, pytest.mark.slow]

MODEL = "qwen2.5-coder-1.5b-instruct"


@pytest.fixture(scope="module")
def rag(minilm: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rag]:
    """The articles, opened with all settings as they come. Skips when the model is not here."""
    try:
        files.locate(MODEL)
    except ModelError as error:
        pytest.skip(f"the default model is not here: {error}")
    place = tmp_path_factory.mktemp("default-model")
    articles = write_valley(place)
    with Rag.for_articles(articles, Config(), place / "index", encoder=minilm) as opened:
        yield opened


@pytest.mark.parametrize(
    ("question", "facts", "articles"),
    [
        ("How many stops does the Velmar tram have?", ["17"], {"tram.txt"}),
        ("Who blamed the price of steel?", ["Hallam"], {"tram-bill.txt"}),
        ("What caused the fire at the bakery?", ["oven"], {"bakery.txt"}),
        ("Was anybody hurt in the bakery fire?", ["nobody else"], {"bakery.txt"}),
        ("Is the Orrin dam safe?", ["safe"], {"dam.txt"}),
        ("Where will the fish be taken?", ["Lake Tarn"], {"dam-empty.txt"}),
        (
            "How many stops does the tram have, and how much did it cost?",
            ["17", "84 million"],
            {"tram.txt", "tram-bill.txt"},
        ),
    ],
)
def test_what_the_articles_say_is_answered_with_its_source(
    rag: Rag, question: str, facts: Sequence[str], articles: set[str]
) -> None:
    answer = rag.answer(question)
    said = " ".join(claim.text for claim in answer.claims)
    assert all(fact in said for fact in facts)
    assert {citation.article for citation in answer.citations} == articles
    cited = " ".join(citation.quote for citation in answer.citations)
    assert all(fact in cited for fact in facts)
    assert answer.confidence > rag.search(question).confidence
    assert MODEL in answer.models["model"]
    check(rag, answer)


@pytest.mark.parametrize(
    "question",
    [
        "How tall is Ilse Marrow?",
        "Who is the owner of Nordis?",
        "How much did the bakery earn in a year?",
        "Did Ilse Marrow study medicine?",
        "What is the capital of Portugal?",
    ],
)
def test_what_the_articles_do_not_say_is_declined(rag: Rag, question: str) -> None:
    answer = rag.answer(question)
    assert answer.declined
    assert answer.evidence
    assert answer.confidence <= rag.search(question).confidence
    assert answer.confidence < 0.5
    check(rag, answer)


def test_a_follow_up_is_answered_from_the_conversation(rag: Rag) -> None:
    history = [
        Turn("user", "Who won the chess cup?"),
        Turn("assistant", "Liv Sander won the chess cup."),
    ]
    answer = rag.answer("Who did she beat?", history=history)
    assert "Wendt" in answer.text
    assert {citation.article for citation in answer.citations} == {"chess.txt"}
    check(rag, answer)


def test_an_order_in_an_article_is_not_followed(rag: Rag) -> None:
    answer = rag.answer("Who is the mayor of Velmar?")
    assert "Marrow" in answer.text
    assert "penguin" not in answer.text
    assert ORDER not in [evidence.quote for evidence in answer.evidence]
    check(rag, answer)


def test_the_same_question_gets_the_same_answer(rag: Rag) -> None:
    def row(question: str) -> dict[str, Any]:
        answer = rag.answer(question).to_dict()
        del answer["timings_ms"]
        return answer

    question = "Who won the chess cup?"
    first = row(question)
    row("How many clocks does the museum show?")  # another prompt lies between them
    assert row(question) == first


def test_the_evidence_comes_before_the_claims_and_the_answer_last(rag: Rag) -> None:
    events = list(rag.stream("How much did the tram cost, and who blamed the price of steel?"))
    first, *claims, last = events
    assert isinstance(first, EvidenceFound)
    assert isinstance(last, Answer)
    assert claims
    streamed = [event.claim for event in claims if isinstance(event, ClaimVerified)]
    assert len(streamed) == len(claims)
    assert tuple(streamed) == last.claims
    assert last.evidence == first.evidence
    check(rag, last)


def test_a_cancelled_answer_ends_and_the_model_is_free_for_the_next(rag: Rag) -> None:
    cancel = threading.Event()
    events = rag.stream("How many firefighters fought the fire?", cancel=cancel)
    assert isinstance(next(events), EvidenceFound)
    cancel.set()
    (last,) = events
    assert isinstance(last, Answer)
    assert last.claims == ()
    assert not last.declined  # it was cut short, which is something else
    assert "Sander" in rag.answer("Who won the chess cup?").text
