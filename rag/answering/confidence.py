"""How probable it is that the articles answer a question, judged by what retrieval found.

A logistic model over a few signals that mean the same in any corpus. Fitted by
benchmarks/answering/confidence.py; benchmarks/results/confidence.md has the sets and what it
reaches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rag.config import Config
from rag.errors import InputError
from rag.retrieval.ranking import Candidate, Query
from rag.text.names import missing_names, names

SIGNALS = (
    "score",  # of the best sentence
    "cosine",  # the largest of a sentence among the best
    "known",  # idf-weighted share of the question's terms that occur in the articles at all
    "known_of_many",  # … times the size of the index: one article need not hold a question's words
    "size",  # of the index, 0..1
    "names",  # share of the question's names in the best sentences and their titles
    "answer_type",  # whether one of the best three can hold this kind of answer
)
ENCODER = "all-MiniLM-L6-v2"  # whose cosines the weights are for
WEIGHTS = (3.48, 6.55, -2.66, 4.93, -4.53, 2.18, 2.15)
BIAS = -6.74
# What a reading changes: shares of the log odds before it and of the best sentence's reading, in
# tens of logits, and a constant. Fitted by benchmarks/training/reader_fit.py, as if three of four
# questions were answered.
BEFORE_READING, READING, READING_BIAS = 0.66, 1.51, 0.61
# How much likelier a question that the articles answer makes a verified claim, or a refusal.
# Counted on the seed questions and 100 of squad that got a draft (commit d8dacba): 114 of 122
# answerable ones had a claim, and 28 of 58 others.
ANSWERED, REFUSED = 1.9, 0.13
# Least confidence for which an answer is tried. A language model that reads the sentences refuses
# too, and with the reading behind it; without one, this is all there is.
LEAST, LEAST_UNREAD = 0.08, 0.2
READ_LEAST, READ_LEAST_UNREAD = 0.35, 0.4  # … where a reader has read the sentences
BEST_SENTENCES = 5  # best sentences


def confidence(query: Query, best: Sequence[Candidate]) -> float:
    """Return the probability, 0..1, for the ranked candidates of a query."""
    if not best:
        return 0.0
    logit = BIAS + sum(w * s for w, s in zip(WEIGHTS, signals(query, best), strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def after_reading(before: float, score: float) -> float:
    """Return the probability when the best sentence's reading is known, in logits."""
    before = min(max(before, 1e-6), 1 - 1e-6)
    read = READING * max(-1.5, min(1.2, score / 10))
    logit = BEFORE_READING * math.log(before / (1 - before)) + read + READING_BIAS
    return 1 / (1 + math.exp(-logit))


def after_draft(before: float, *, answered: bool) -> float:
    """Return the probability when it is known whether the draft held a verified claim.

    Bayes' rule in odds, with the ratios ANSWERED and REFUSED.
    """
    before = min(max(before, 1e-6), 1 - 1e-6)
    odds = before / (1 - before) * (ANSWERED if answered else REFUSED)
    return round(odds / (1 + odds), 4)


def least_confidence(config: Config, *, reads: bool, is_read: bool) -> float:
    """Return the confidence under which an answer declines before a draft is written: where a
    language model ``reads`` the sentences, and where a reader has.

    With ``Config.accept_errors``, it is the one at which an answer would be to a question that
    the articles do not answer with that probability. Raises InputError for an encoder that the
    weights were not fitted for.
    """
    if config.decline_below is not None:
        return config.decline_below
    if config.accept_errors is None:
        least, unread = (READ_LEAST, READ_LEAST_UNREAD) if is_read else (LEAST, LEAST_UNREAD)
        return least if reads else unread
    if config.encoder != ENCODER:
        raise InputError(
            f"A threshold by errors needs a confidence that is calibrated, and it is so for the "
            f"encoder {ENCODER}, not for {config.encoder}. Leave --accept-errors out."
        )
    correct = 1 - config.accept_errors
    odds = correct / max(1e-9, 1 - correct) / (ANSWERED if reads else 1)
    return odds / (1 + odds)


def signals(query: Query, best: Sequence[Candidate]) -> tuple[float, ...]:
    """Return the values of SIGNALS for at least one ranked candidate."""
    top = best[:BEST_SENTENCES]
    near = " \n".join(f"{c.article.title}\n{_passage_text(c)}" for c in top)
    known = query.share(query.known)
    return (
        top[0].score,
        max(c.feature("sentence_cosine") for c in top),
        known,
        known * query.size,
        query.size,
        _names_share(query.text, near),
        float(query.wants is None or any(c.feature("answer_type") for c in top[:3])),
    )


def _passage_text(candidate: Candidate) -> str:
    passage = candidate.passage.passage
    return candidate.article.text[passage.start : passage.end]


def _names_share(question: str, text: str) -> float:
    question_words = {part for run in names(question) for word in run for part in word.split("-")}
    return 1 - len(missing_names(question, text)) / len(question_words) if question_words else 1.0
