"""When two articles disagree on a value, and when they only seem to: made-up pairs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rag.answering.disagreement import disagreeing, kind_asked
from rag.text.sentences import split
from rag.text.terms import content_terms
from rag.types import Evidence

DATA = Path(__file__).parents[1] / "data" / "disagreements.jsonl"
PAIRS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
MISSED = {"h-age"}  # the question calls him a victim, the sentences do not


def evidence_of(pair: dict[str, Any]) -> list[Evidence]:
    """The sentences of both articles, those with most words of the question first."""
    asked = set(content_terms(pair["question"]))
    found = [
        Evidence(
            f"{n}.txt",
            article["title"],
            article["published"],
            s.start,
            s.end,
            article["text"][s.start : s.end],
            0.5,
        )
        for n, article in enumerate(pair["articles"])
        for s in split(article["text"])
    ]
    return sorted(found, key=lambda e: -len(asked.intersection(content_terms(e.quote))))


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["id"] for pair in PAIRS])
def test_the_pair_disagrees_or_not(pair: dict[str, Any]) -> None:
    evidence = evidence_of(pair)
    best = [next(e for e in evidence if e.article == f"{n}.txt") for n in (0, 1)]
    for cited in best:
        found = disagreeing(pair["question"], cited.quote, cited, evidence)
        assert bool(found) is (pair["disagree"] and pair["id"] not in MISSED)
        if found:  # the second article of each pair is the newer one
            assert [place for _, place in found] == best[::-1]


def test_there_are_enough_pairs_of_both_kinds() -> None:
    disagree = sum(pair["disagree"] for pair in PAIRS)
    assert min(disagree, len(PAIRS) - disagree) >= 20


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many people died?", "count"),
        ("What was the death toll?", "count"),
        ("How much did it cost?", "money"),
        ("How old is she?", "age"),
        ("When did it open?", "date"),
        ("What percentage of them voted?", "percent"),
        ("How tall is the tower?", "measure"),
        ("Who won?", None),
        ("Which state has the highest price?", None),
        ("Which year was it built?", "date"),
        ("Did 12 people die?", None),
    ],
)
def test_the_question_says_what_kind_of_value_it_wants(question: str, kind: str | None) -> None:
    assert kind_asked(question) == kind


def sentence(article: str, quote: str, published: str | None = None) -> Evidence:
    return Evidence(article, "Storm over Lisk", published, 0, len(quote), quote, 0.5)


QUESTION = "How many boats sank in the Lisk storm?"
SIX = sentence("a", "Six boats sank in the Lisk storm.", "2024-01-02")


def test_articles_without_a_date_stand_last() -> None:
    undated = sentence("b", "Nine boats sank in the Lisk storm.")
    assert [p for _, p in disagreeing(QUESTION, undated.quote, undated, [SIX])] == [SIX, undated]


def test_one_sentence_for_each_value() -> None:
    others = [
        sentence(name, f"{value} boats sank in the Lisk storm.", f"2024-01-0{day}")
        for name, value, day in [
            ("b", "Nine", 3),
            ("c", "Six", 4),
            ("d", "Nine", 5),
            ("e", "Ten", 6),
        ]
    ]
    found = disagreeing(QUESTION, SIX.quote, SIX, others)
    assert [place.article for _, place in found] == ["e", "b", "a"]


def test_a_claim_without_the_value_disagrees_with_nothing() -> None:
    other = sentence("b", "Nine boats sank in the Lisk storm.", "2024-01-03")
    assert disagreeing(QUESTION, "Boats sank in the Lisk storm.", SIX, [other]) == []


def test_the_same_article_does_not_disagree_with_itself() -> None:
    other = sentence("a", "Nine boats sank in the Lisk storm.", "2024-01-02")
    assert disagreeing(QUESTION, SIX.quote, SIX, [other]) == []


@pytest.mark.parametrize(
    ("one", "other", "disagree"),
    [
        (
            "Six boats sank in the Lisk storm on Sunday.",
            "Nine boats sank in the Lisk storm on Monday.",
            False,
        ),
        (
            "Six boats sank in the Lisk storm, police said on Sunday.",
            "Nine boats sank in the Lisk storm, police said on Monday.",
            True,
        ),
        ("Six boats sank in the Lisk storm.", "Six to nine boats sank in the Lisk storm.", False),
        ("10,000 boats sank in the Lisk storm.", "6,600 boats sank in the Lisk storm.", True),
        ("7,000 boats sank in the Lisk storm.", "6,600 boats sank in the Lisk storm.", False),
        ("Six boats sank in the Lisk storm.", "Nine boats could sink in the Lisk storm.", False),
        ("Six boats sank in the Lisk storm.", "Nine boats sank in the Orsk storm.", False),
        ("Six boats sank in the Lisk storm.", f"{'9' * 400} boats sank in the Lisk storm.", True),
        (
            "Six boats sank in the Lisk storm of 2019.",
            "Nine boats sank in the Lisk storm of 2021.",
            False,
        ),
    ],
)
def test_days_ranges_possibilities_places_and_years(one: str, other: str, disagree: bool) -> None:
    first, second = sentence("a", one, "2024-01-02"), sentence("b", other, "2024-01-03")
    second = replace(second, title="Weather")
    assert bool(disagreeing(QUESTION, one, first, [second])) is disagree
