"""What is measured: pure functions. An undefined value (nothing to count) is ``nan``.

``METRICS`` holds those that compare an answer's text with the gold answers.
"""

from __future__ import annotations

import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Mode: TypeAlias = Literal["any", "all"]  # whether one gold sentence does, or all are needed

_TYPOGRAPHIC = "‘’“”„«»–—…"
_PUNCTUATION = str.maketrans("", "", string.punctuation + _TYPOGRAPHIC)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_ARTICLE_WORDS = {"a", "an", "the"}
_GROUPED = re.compile(r"(?<=\d)[,\u00a0\u2009\u202f](?=\d{3}(?!\d))")  # 12,000
_POSSESSIVE = re.compile(r"['’]s\b")
_DROPPED = re.compile(r"['’]|(?<!\d)\.|\.(?!\d)")  # U.S. is US, but 3.5 stays
_WORDS = re.compile(r"\d+(?:\.\d+)+|\w+")


class Span(NamedTuple):
    """A place in an article: offsets into its text, half-open."""

    article: str
    start: int
    end: int


# Answers


def normalise_answer(text: str) -> str:
    """Lower case, without punctuation and articles, single spaces (Rajpurkar et al. 2016, the
    official script of SQuAD); typographic quotes and dashes count as punctuation too.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(answer: str, gold: Sequence[str]) -> float:
    """1 if the normalised answer is one of the normalised gold answers (SQuAD)."""
    return float(normalise_answer(answer) in {normalise_answer(text) for text in gold})


def token_f1(answer: str, gold: Sequence[str]) -> float:
    """The best F1 of the answer's normalised tokens against a gold answer's (SQuAD)."""
    return max((_f1(normalise_answer(answer), normalise_answer(text)) for text in gold), default=0)


def _f1(answer: str, gold: str) -> float:
    said, wanted = answer.split(), gold.split()
    shared = sum((Counter(said) & Counter(wanted)).values())
    if not said or not wanted:
        return float(said == wanted)
    return 2 * shared / (len(said) + len(wanted))


def answer_recall(answer: str, gold: Sequence[str]) -> float:
    """1 if all words of one gold answer are in the answer, in any order (after Adlakha et al.
    2024, "Evaluating Correctness and Faithfulness", but all or nothing).

    "12,000" is 12000, "Indo-Pacific" is two words, "U.S." is US and "Brandt's" is Brandt.
    """
    said = _words(answer)
    wanted = [_words(text) for text in gold]
    return float(any(words and (words - _ARTICLE_WORDS or words) <= said for words in wanted))


def answer_held_at_k(texts: Sequence[str], gold: Sequence[str], k: int) -> float:
    """1 if one of the first k texts holds all tokens of a gold answer: retrieval that found the
    answer, be it in another sentence than the annotated one.
    """
    return max((answer_recall(text, gold) for text in texts[:k]), default=0.0)


def _words(text: str) -> set[str]:
    text = unicodedata.normalize("NFKC", _GROUPED.sub("", text)).lower()
    return set(_WORDS.findall(_DROPPED.sub("", _POSSESSIVE.sub("", text))))


METRICS: dict[str, Callable[[str, Sequence[str]], float]] = {
    "answer_recall": answer_recall,
    "exact_match": exact_match,
    "token_f1": token_f1,
}


# Places: passages, evidence and citations against gold sentences


def overlaps(span: Span, gold: Span) -> bool:
    """Whether they share more than half of the shorter one, in the same article."""
    shared = min(span.end, gold.end) - max(span.start, gold.start)
    shorter = min(span.end - span.start, gold.end - gold.start)
    return span.article == gold.article and shorter > 0 and 2 * shared > shorter


def recall_at_k(found: Sequence[Span], gold: Sequence[Span], k: int, mode: Mode = "all") -> float:
    """The share of the gold that the first ``k`` overlap; with "any", 1 if they overlap one."""
    if not gold:
        return math.nan
    hits = sum(any(overlaps(span, one) for span in found[:k]) for one in gold)
    return float(hits > 0) if mode == "any" else hits / len(gold)


def share_found(found: Sequence[str], gold: Sequence[str], k: int, mode: Mode = "all") -> float:
    """``recall_at_k`` of whole articles: the first ``k`` different ones that were found."""
    first = list(dict.fromkeys(found))[:k]
    hits = len(set(first) & set(gold))
    if not gold:
        return math.nan
    return float(hits > 0) if mode == "any" else hits / len(set(gold))


def reciprocal_rank(found: Sequence[Span], gold: Sequence[Span], k: int = 10) -> float:
    """1 / rank of the first of ``k`` that overlaps a gold sentence, else 0; its mean is MRR@k."""
    ranks = (n for n, span in enumerate(found[:k], 1) if any(overlaps(span, one) for one in gold))
    return 1 / next(ranks, math.inf) if gold else math.nan


def ndcg_at_k(found: Sequence[Span], gold: Sequence[Span], k: int = 10) -> float:
    """DCG over the best possible DCG (Järvelin and Kekäläinen 2002, discount log2(1 + rank)).

    The gain of a place is how many gold sentences it is the first to overlap, so repeats gain
    nothing and a passage may hold two; the ideal has the same gains, and the gold that was missed
    one by one, in the best order.
    """
    if not gold:
        return math.nan
    left, gains = set(gold), []
    for span in found[:k]:
        covered = {one for one in left if overlaps(span, one)}
        gains.append(len(covered))
        left -= covered
    return _dcg(gains) / _dcg(sorted([*gains, *[1] * len(left)], reverse=True)[:k])


def _dcg(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(1 + rank) for rank, gain in enumerate(gains, 1))


def citation_hits(cited: Sequence[Span], gold: Sequence[Span]) -> int:
    """How many citations overlap a gold sentence."""
    return sum(any(overlaps(span, one) for one in gold) for span in cited)


def citation_recall(cited: Sequence[Span], gold: Sequence[Span], mode: Mode) -> float:
    """Of one question: "any" → 1 if a gold sentence is cited, "all" → the share of them cited."""
    return recall_at_k(cited, gold, len(cited), mode)


def valid_pointers(citations: Sequence[tuple[Span, str]], texts: Mapping[str, str]) -> int:
    """How many citations have a quote that is exactly the slice of the article that they name."""
    return sum(
        bool(quote) and texts.get(at.article, "")[at.start : at.end] == quote
        for at, quote in citations
    )


def f1(precision: float, recall: float) -> float:
    """The harmonic mean of the two."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


# Confidence and refusing


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """The share of pairs whose positive scores higher; ties half (Hanley and McNeil 1982)."""
    values, truth = np.asarray(scores, float), np.asarray(positive, bool)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return math.nan
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # mean rank of each distinct value
    wins = ranks[inverse][truth].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def risk_coverage(
    confidences: ArrayLike, correct: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of the most confident answers that is kept, and the error rate among them, for each
    size of that share (El-Yaniv and Wiener 2010): two (n,). Equals share their errors evenly.
    """
    values, right = np.asarray(confidences, float), np.asarray(correct, float)
    _, inverse, counts = np.unique(-values, return_inverse=True, return_counts=True)
    errors = np.bincount(inverse, weights=1 - right) / counts  # per distinct confidence, best first
    kept = np.arange(1, len(values) + 1)
    return kept / max(1, len(values)), np.cumsum(np.repeat(errors, counts)) / kept


def aurc(confidences: ArrayLike, correct: ArrayLike) -> float:
    """Area under the risk–coverage curve: its mean risk (Geifman et al. 2019). Lower is better."""
    return mean(risk_coverage(confidences, correct)[1])


def ece(confidences: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Guo et al. 2017, equation 3)."""
    values, right = np.asarray(confidences, float), np.asarray(correct, float)
    if not len(values):
        return math.nan
    gaps = np.bincount(_bins(values, bins), weights=values - right)
    return float(np.abs(gaps).sum() / len(values))


def reliability(
    confidences: ArrayLike, correct: ArrayLike, bins: int = 10
) -> list[tuple[float, float, int]]:
    """The reliability diagram (Guo et al. 2017, section 2): of each bin that is not empty its mean
    confidence, its share of right ones, and how many it holds.
    """
    values, right = np.asarray(confidences, float), np.asarray(correct, float)
    in_bin = _bins(values, bins)
    return [
        (mean(values[in_bin == n]), mean(right[in_bin == n]), int((in_bin == n).sum()))
        for n in np.unique(in_bin)
    ]


def _bins(values: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    return np.clip(np.floor(values * bins).astype(np.int64), 0, bins - 1)


# Judging claims


def balanced_accuracy(passed: ArrayLike, supported: ArrayLike) -> float:
    """The mean of the shares of supported claims that passed and of others that did not."""
    said, truth = np.asarray(passed, bool), np.asarray(supported, bool)
    if truth.all() or not truth.any():
        return math.nan
    return (mean(said[truth]) + mean(~said[~truth])) / 2


# Means, percentiles and bootstrap intervals. An undefined value (nothing to count) is ``nan``.

Statistic: TypeAlias = Callable[[NDArray[np.float64]], float]


def mean(values: ArrayLike) -> float:
    """The arithmetic mean."""
    array = np.asarray(values, float)
    return float(array.mean()) if array.size else math.nan


def ratio(rows: ArrayLike) -> float:
    """The first column's sum over the second's: a share that is pooled over the questions."""
    first, second = np.asarray(rows, float).reshape(-1, 2).sum(axis=0)
    return float(first / second) if second else math.nan


def percentile(values: ArrayLike, q: float) -> float:
    """The ``q``-th percentile, 0..100, with linear interpolation."""
    array = np.asarray(values, float)
    return float(np.percentile(array, q)) if array.size else math.nan


def bootstrap_interval(
    values: ArrayLike, statistic: Statistic = mean, n: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % percentile interval over ``n`` resamples of the rows (Efron and Tibshirani 1993,
    section 13.3). Resamples for which the statistic is undefined are left out.
    """
    array = np.asarray(values, float)
    if not len(array):
        return math.nan, math.nan
    if (array == array[0]).all():  # so is every resample
        value = float(statistic(array))
        return value, value
    random = np.random.default_rng(seed)
    picks = random.integers(len(array), size=(n, len(array)), dtype=np.int32)
    if statistic is mean:  # by far the most common, and much faster so
        drawn = array.reshape(len(array), -1).mean(axis=1)[picks].mean(axis=1)  # (n,)
    else:
        drawn = np.array([statistic(array[pick]) for pick in picks])  # (n,)
    known = drawn[~np.isnan(drawn)]
    return percentile(known, 2.5), percentile(known, 97.5)


def share_interval(values: ArrayLike, statistic: Statistic = mean) -> tuple[float, float]:
    """The 95 % interval of a share, ``mean`` or ``ratio``: the bootstrap's, but where every
    resample would be 0 or 1, Wilson's (1927) for the number of rows. None of five is no proof.
    """
    low, high = bootstrap_interval(values, statistic)
    if low != high or low not in {0.0, 1.0}:
        return low, high
    n = len(np.asarray(values, float))
    width = 1.96**2 / (n + 1.96**2)
    return (0.0, width) if high == 0 else (1 - width, 1.0)
