"""What the confidence is made of, one signal at a time, and what a draft does to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from rag.answering.confidence import (
    ANSWERED,
    BIAS,
    ENCODER,
    REFUSED,
    SIGNALS,
    WEIGHTS,
    after_draft,
    confidence,
    least_confidence,
    signals,
)
from rag.config import Config
from rag.errors import InputError
from rag.index.index import Index
from rag.models.encoder import HashedEncoder
from rag.retrieval.ranking import Candidate, Query, find_candidates, make_query, ranked

Found = Callable[[str], tuple[Query, list[Candidate]]]


@pytest.fixture
def found(index: Index, config: Config, encoder: HashedEncoder) -> Found:
    def search(question: str) -> tuple[Query, list[Candidate]]:
        query = make_query(question, index, encoder)
        return query, ranked(find_candidates(query, index, config))

    return search


def named(query: Query, best: list[Candidate]) -> dict[str, float]:
    return dict(zip(SIGNALS, signals(query, best), strict=True))


def test_what_is_found_is_weighed_and_nothing_is_no_confidence(found: Found) -> None:
    query, best = found("How much would the repairs cost?")
    values = named(query, best)
    logit = BIAS + sum(w * s for w, s in zip(WEIGHTS, values.values(), strict=True))
    assert confidence(query, best) == pytest.approx(1 / (1 + math.exp(-logit)))
    assert confidence(query, []) == 0.0
    assert values["score"] == best[0].score


def test_the_cosine_is_the_largest_among_the_best_five(found: Found) -> None:
    query, best = found("How much would the repairs of the bridge cost?")
    worst_first = best[::-1]
    cosines = [candidate.feature("sentence_cosine") for candidate in worst_first]
    assert max(cosines[:5]) < max(cosines)
    assert named(query, worst_first)["cosine"] == max(cosines[:5])


def test_words_that_no_article_has_count_by_how_rare_they_are(found: Found, index: Index) -> None:
    whole = named(*found("What do the repairs cost?"))
    half = named(*found("What do the gluon repairs cost?"))
    none = named(*found("Why does gluon confinement hold?"))
    assert whole["known"] == 1.0
    assert 0.0 < half["known"] < 1.0
    assert none["known"] == 0.0
    size = math.log10(index.lexical.passages) / 3
    assert half["size"] == pytest.approx(size)
    assert half["known_of_many"] == pytest.approx(half["known"] * size)


@pytest.mark.parametrize(
    ("question", "share"),
    [
        ("Who said that, Mayor Ann Okoye?", 1.0),
        ("Who is Paul Okoye of Atlantis?", 2 / 3),
        ("Where is Atlantis?", 0.0),
        ("How much would the repairs cost?", 1.0),  # no name, none missing
    ],
)
def test_names_count_by_the_share_that_is_there(found: Found, question: str, share: float) -> None:
    assert named(*found(question))["names"] == pytest.approx(share)


def test_a_name_elsewhere_in_the_article_does_not_count(found: Found) -> None:
    query, best = found("What did Ann Okoye close?")
    texts = {c.passage.key: c.article.text[: c.passage.passage.end] for c in best}
    earlier = [
        c for c in best if c.article.path == "bridge.txt" and "Okoye" not in texts[c.passage.key]
    ]
    assert earlier  # the passages before the one that names her
    assert {named(query, [candidate])["names"] for candidate in earlier} == {0.0}


def test_the_kind_of_answer_counts_when_one_of_the_best_three_has_it(found: Found) -> None:
    query, best = found("When was the bridge opened?")
    kinds = {bool(c.feature("answer_type")): c for c in best}
    has, has_not = kinds[True], kinds[False]
    assert named(query, [has_not] * 3 + [has])["answer_type"] == 0.0
    assert named(query, [has_not] * 2 + [has])["answer_type"] == 1.0
    anything, best = found("Describe the café")
    assert anything.wants is None
    assert named(anything, best)["answer_type"] == 1.0


def test_a_draft_changes_the_odds(found: Found) -> None:
    for before in (0.1, 0.5, 0.9):
        odds = before / (1 - before)
        answered, refused = after_draft(before, answered=True), after_draft(before, answered=False)
        assert refused < before < answered
        assert answered / (1 - answered) == pytest.approx(ANSWERED * odds, rel=1e-2)
        assert refused / (1 - refused) == pytest.approx(REFUSED * odds, rel=1e-2)


@pytest.mark.parametrize("before", [0.0, 1.0])
@pytest.mark.parametrize("answered", [True, False])
def test_certainty_stays_a_probability(before: float, answered: bool) -> None:
    assert after_draft(before, answered=answered) == pytest.approx(before, abs=1e-4)


def test_a_threshold_by_errors_is_a_probability(config: Config) -> None:
    by_errors = replace(config, encoder=ENCODER, accept_errors=0.2)
    assert least_confidence(by_errors, reads=False, is_read=False) == pytest.approx(0.8)
    least = least_confidence(by_errors, reads=True, is_read=False)
    assert after_draft(least, answered=True) == pytest.approx(0.8, abs=1e-4)
    fixed = replace(by_errors, decline_below=0.5)
    assert least_confidence(fixed, reads=True, is_read=False) == 0.5


def test_a_threshold_by_errors_is_refused_where_nothing_is_calibrated(config: Config) -> None:
    other = replace(config, encoder="hashed", accept_errors=0.2)
    with pytest.raises(InputError, match=r"hashed.*--accept-errors"):
        least_confidence(other, reads=True, is_read=False)
