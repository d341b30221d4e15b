"""Each metric against a value computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.evaluation.metrics import (
    METRICS,
    Span,
    answer_held_at_k,
    answer_recall,
    aurc,
    auroc,
    balanced_accuracy,
    bootstrap_interval,
    citation_hits,
    citation_recall,
    ece,
    exact_match,
    f1,
    mean,
    ndcg_at_k,
    normalise_answer,
    overlaps,
    percentile,
    ratio,
    recall_at_k,
    reciprocal_rank,
    reliability,
    risk_coverage,
    share_found,
    share_interval,
    token_f1,
    valid_pointers,
)

FIRST, SECOND, THIRD = Span("a", 0, 10), Span("a", 10, 20), Span("a", 20, 30)
ELSEWHERE = Span("b", 0, 10)
PASSAGE = Span("a", 0, 20)  # holds FIRST and SECOND


def test_normalise_answer_is_that_of_squad() -> None:
    assert normalise_answer("The  “Squid Game” — an ANSWER, a.") == "squid game answer"
    assert normalise_answer("Theatre") == "theatre"


def test_exact_match() -> None:
    assert exact_match("The Eiffel Tower.", ["eiffel tower"]) == 1
    assert exact_match("Eiffel", ["Eiffel Tower", "Tower"]) == 0
    assert exact_match("x", []) == 0


def test_token_f1_is_the_best_over_the_gold_answers() -> None:
    # 2 shared; precision 2/4, recall 2/2.
    assert token_f1("in Russia eastern parts", ["no", "eastern Russia"]) == pytest.approx(4 / 6)
    assert token_f1("yes yes", ["yes"]) == pytest.approx(2 / 3)  # a repeat counts once
    assert token_f1("", ["x"]) == 0
    assert token_f1("x", []) == 0


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("About 12,000 troops went.", "12000"),
        ("About 12\u202f000 troops went.", "12,000"),
        ("It cost $1,234,567.50.", "1234567.50"),
        ("The Indo-Pacific region", "Indo Pacific"),
        ("Kim Jong‑un spoke", "Kim Jong-un"),
        ("Austin's remarks", "Austin"),
        ("the U.S. army", "US"),
        ("from 1939–1945", "1945"),
        ("Vitamin a", "A"),  # nothing but an article: then it counts
        ("It rose 3.5%.", "3.5 %"),
        ("Pacific and Indo", "the Indo Pacific"),
        ("ﬁre", "fire"),
    ],
)
def test_answer_recall_finds(answer: str, gold: str) -> None:
    assert answer_recall(answer, ["never", gold]) == 1


@pytest.mark.parametrize(
    ("answer", "gold"),
    [
        ("It rose 35%.", "3.5"),
        ("It is 112,000", "12,000"),
        ("In 2024,100 came", "100 people"),
        ("Northern Ireland", "north"),
        ("Anything", "—"),
    ],
)
def test_answer_recall_does_not_find(answer: str, gold: str) -> None:
    assert answer_recall(answer, [gold]) == 0


def test_every_metric_of_answers_is_a_share() -> None:
    for metric in METRICS.values():
        assert metric("no", ["no"]) == 1
        assert metric("yes", ["no"]) == 0


def test_overlaps_by_more_than_half_of_the_shorter() -> None:
    assert overlaps(Span("a", 0, 100), Span("a", 94, 104))  # 6 of 10
    assert not overlaps(Span("a", 0, 100), Span("a", 95, 105))  # 5 of 10
    assert not overlaps(FIRST, ELSEWHERE)
    assert not overlaps(Span("a", 5, 5), FIRST)


def test_answer_held_at_k() -> None:
    texts = ["Okoye is the mayor.", "It cost $4 million.", "Four million dollars, said Ann Okoye."]
    held = [answer_held_at_k(texts, ["Ann Okoye", "never"], k) for k in (0, 1, 2, 3, 9)]
    assert held == [0, 0, 0, 1, 1]  # the second text has neither word, the first only one
    assert answer_held_at_k([], ["Okoye"], 3) == 0


def test_recall_at_k() -> None:
    found = [THIRD, ELSEWHERE, FIRST]
    assert recall_at_k(found, [FIRST, SECOND], 3) == 0.5
    assert recall_at_k(found, [FIRST, SECOND], 3, "any") == 1
    assert recall_at_k(found, [FIRST, SECOND], 2, "any") == 0
    assert math.isnan(recall_at_k(found, [], 3))


def test_share_found() -> None:
    found = ["c", "c", "a", "b"]
    assert share_found(found, ["a", "b"], 2) == 0.5  # the second different one is a
    assert share_found(found, ["a", "b"], 3) == 1
    assert share_found(found, ["a", "b"], 1, "any") == 0
    assert share_found(found, ["a", "b"], 2, "any") == 1
    assert math.isnan(share_found(found, [], 2))


def test_reciprocal_rank() -> None:
    assert reciprocal_rank([THIRD, FIRST, SECOND], [FIRST, SECOND]) == 0.5
    assert reciprocal_rank([THIRD, FIRST], [FIRST], k=1) == 0
    assert math.isnan(reciprocal_rank([THIRD], []))


def test_ndcg() -> None:
    # Gold at ranks 1 and 3 of the ideal 1 and 2.
    expected = (1 + 1 / 2) / (1 + 1 / math.log2(3))
    assert ndcg_at_k([FIRST, THIRD, SECOND], [FIRST, SECOND]) == pytest.approx(expected)
    assert ndcg_at_k([FIRST, FIRST], [FIRST]) == 1  # a repeat neither gains nor costs
    assert ndcg_at_k([PASSAGE], [FIRST, SECOND]) == 1  # one passage may hold both
    assert ndcg_at_k([THIRD, PASSAGE], [FIRST, SECOND]) == pytest.approx(1 / math.log2(3))
    assert ndcg_at_k([THIRD], [FIRST]) == 0
    assert ndcg_at_k([], [FIRST]) == 0
    assert math.isnan(ndcg_at_k([THIRD], []))


def test_citations() -> None:
    assert citation_hits([FIRST, ELSEWHERE, SECOND], [FIRST, SECOND, THIRD]) == 2
    assert citation_recall([FIRST], [FIRST, SECOND], "all") == 0.5
    assert citation_recall([FIRST], [FIRST, SECOND], "any") == 1
    assert citation_recall([], [FIRST], "any") == 0


def test_valid_pointers() -> None:
    texts = {"a": "One. Two."}
    good = (Span("a", 0, 4), "One.")
    assert valid_pointers([good, (Span("a", 5, 9), "two.")], texts) == 1
    assert valid_pointers([good, (Span("b", 0, 4), "One."), (Span("a", 3, 3), "")], texts) == 1
    assert valid_pointers([], texts) == 0


def test_shares_and_means() -> None:
    # Pooled: (1 + 0 + 3) / (1 + 1 + 4); the mean of the ratios would be .583.
    assert ratio([(1, 1), (0, 1), (3, 4)]) == pytest.approx(4 / 6)
    assert math.isnan(ratio([]))
    assert math.isnan(ratio([(1, 0)]))
    assert mean([1, 0, 2, 1]) == 1
    assert math.isnan(mean([]))
    assert f1(0.5, 1.0) == pytest.approx(2 / 3)
    assert f1(0.0, 0.0) == 0


def test_auroc() -> None:
    # Pairs (positive, negative): .9>.8, .9>.1, .5<.8, .5>.1 → 3 of 4.
    assert auroc([0.9, 0.8, 0.5, 0.1], [True, False, True, False]) == 0.75
    assert auroc([0.5, 0.5], [True, False]) == 0.5
    assert math.isnan(auroc([0.5], [True]))


def test_aurc() -> None:
    # Risks at coverage 1..3: 0, 1/2, 1/3.
    assert aurc([0.9, 0.5, 0.1], [True, False, True]) == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    assert aurc([0.5, 0.5], [True, False]) == aurc([0.5, 0.5], [False, True]) == 0.5
    assert math.isnan(aurc([], []))


def test_risk_coverage() -> None:
    coverage, risk = risk_coverage([0.9, 0.1, 0.5], [True, True, False])
    assert coverage == pytest.approx([1 / 3, 2 / 3, 1])
    assert risk == pytest.approx([0, 1 / 2, 1 / 3])
    # Two that are equally sure share their one error: half of it each.
    assert risk_coverage([0.5, 0.5], [True, False])[1] == pytest.approx([0.5, 0.5])
    assert len(risk_coverage([], [])[1]) == 0


def test_reliability() -> None:
    # Bin .9–1 holds .95 and 1 (half right), bin .2–.3 holds .25 (wrong); 1 is in the last bin.
    assert reliability([0.95, 1.0, 0.25], [True, False, False]) == [
        (0.25, 0.0, 1),
        (pytest.approx(0.975), 0.5, 2),
    ]
    assert reliability([], []) == []


def test_balanced_accuracy() -> None:
    # 2 of 3 supported pass, 1 of 2 others fail: (2/3 + 1/2) / 2.
    passed, supported = [1, 1, 0, 1, 0], [1, 1, 1, 0, 0]
    assert balanced_accuracy(passed, supported) == pytest.approx(7 / 12)
    assert balanced_accuracy([1, 1, 1, 1], [1, 1, 1, 0]) == 0.5
    assert math.isnan(balanced_accuracy([1], [1]))
    assert math.isnan(balanced_accuracy([], []))


def test_ece() -> None:
    # Bin .9–1: mean confidence .95, half right → .45, weight 2/3; bin .2–.3: .25, right 0, 1/3.
    confidences, correct = [0.9, 1.0, 0.25], [True, False, False]
    assert ece(confidences, correct) == pytest.approx(2 / 3 * 0.45 + 1 / 3 * 0.25)
    assert math.isnan(ece([], []))


def test_percentile() -> None:
    assert percentile([4, 1, 2, 3], 50) == 2.5
    assert math.isnan(percentile([], 50))


def test_bootstrap_interval() -> None:
    assert bootstrap_interval([0.5] * 20) == (0.5, 0.5)
    low, high = bootstrap_interval([0, 1] * 50)
    # The mean of 100 fair coins: .5 ± 1.96 × .05.
    assert low == pytest.approx(0.402, abs=0.02)
    assert high == pytest.approx(0.598, abs=0.02)
    assert bootstrap_interval([0, 1] * 50) == (low, high)
    assert bootstrap_interval([[1, 2]] * 5, ratio) == (0.5, 0.5)
    assert math.isnan(bootstrap_interval([])[0])


def test_a_share_of_a_few_that_are_all_alike_is_not_certain() -> None:
    # Wilson: 1.96² / (n + 1.96²) on the open side.
    assert share_interval([0] * 5) == pytest.approx((0, 3.8416 / 8.8416))
    assert share_interval([1] * 5) == pytest.approx((5 / 8.8416, 1))
    assert share_interval([[2, 2]] * 5, ratio) == pytest.approx((5 / 8.8416, 1))
    assert share_interval([0, 1] * 50) == bootstrap_interval([0, 1] * 50)
    assert share_interval([0.5] * 20) == (0.5, 0.5)
    assert math.isnan(share_interval([])[0])


def test_bootstrap_interval_leaves_out_undefined_resamples() -> None:
    def of_pairs(rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
        return auroc(rows[:, 0], rows[:, 1])

    assert bootstrap_interval([[0.9, 1], [0.1, 0]], of_pairs) == (1, 1)


# -- the same figures by scikit-learn and scipy, which are too slow to be resampled ---------------

JUDGED = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans(), st.booleans()),
    min_size=2,
    max_size=40,
).filter(lambda rows: len({truth for _, _, truth in rows}) == 2)


@settings(deadline=None)
@given(JUDGED)
def test_auroc_and_balanced_accuracy_are_those_of_scikit_learn(
    rows: list[tuple[float, bool, bool]],
) -> None:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    scores, passed, truth = zip(*rows, strict=True)
    assert auroc(scores, truth) == pytest.approx(roc_auc_score(truth, scores), abs=1e-9)
    expected = balanced_accuracy_score(truth, passed)
    assert balanced_accuracy(passed, truth) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(JUDGED)
def test_the_bootstrap_is_that_of_scipy(rows: list[tuple[float, bool, bool]]) -> None:
    from scipy import stats

    values = np.array(rows, float)
    if (values == values[0]).all():
        return
    for columns, statistic in ((values[:, 0], mean), (values[:, :2] + 1, ratio)):
        resampled = stats.bootstrap(
            (np.arange(len(values)),),
            lambda picks, columns=columns, statistic=statistic: statistic(columns[picks]),
            n_resamples=1000,
            method="percentile",
            vectorized=False,
            rng=0,
        )
        low, high = resampled.confidence_interval
        assert bootstrap_interval(columns, statistic) == pytest.approx((low, high), abs=1e-9)
