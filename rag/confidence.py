"""How probable it is that the articles answer a question, judged by what retrieval found.

A logistic model over a few signals that mean the same in any corpus. Fitted by
benchmarks/confidence.py; results/confidence.md has the sets and what it reaches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rag.numbers import numbers
from rag.retrieve import Candidate, Query
from rag.rules import missing_names, names

SIGNALS = (
    "score",  # of the best sentence
    "cosine",  # the largest of a sentence among the best
    "coverage",  # the largest share of the question's terms in a sentence and what is around it
    "known",  # idf-weighted share of the question's terms that occur in the articles at all
    "names",  # share of the question's names in the best sentences and their titles
    "numbers",  # share of the question's numbers there
    "answer_type",  # whether one of the best three can hold this kind of answer
    "margin",  # of the best sentence over the tenth
)
WEIGHTS = (2.01, 10.73, 0.85, 2.13, 2.36, 0.56, 3.47, 3.19)
BIAS = -14.75
# How much likelier a question that the articles answer makes a verified claim, or a refusal. Set by
# hand from early counts; the counts in results/*-llamacpp.json together would give 2.3 and 0.14.
ANSWERED, REFUSED = 3.2, 0.13
LOOKED_AT = 5  # best sentences


def confidence(query: Query, best: Sequence[Candidate]) -> float:
    """Return the probability, 0..1, for the ranked candidates of a query."""
    if not best:
        return 0.0
    logit = BIAS + sum(w * s for w, s in zip(WEIGHTS, signals(query, best), strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def after_draft(before: float, *, answered: bool) -> float:
    """Return the probability when it is known whether the draft held a verified claim.

    Bayes' rule in odds, with the ratios ANSWERED and REFUSED.
    """
    before = min(max(before, 1e-6), 1 - 1e-6)
    odds = before / (1 - before) * (ANSWERED if answered else REFUSED)
    return round(odds / (1 + odds), 4)


def signals(query: Query, best: Sequence[Candidate]) -> tuple[float, ...]:
    """Return the values of SIGNALS for at least one ranked candidate."""
    top = best[:LOOKED_AT]
    near = " \n".join(f"{c.article.title}\n{_passage_text(c)}" for c in top)
    total = sum(query.idf.values())
    unknown = sum(idf for term, idf in query.idf.items() if term not in query.known)
    return (
        top[0].score,
        max(c.feature("sentence_cosine") for c in top),
        max(c.feature("context_coverage") for c in top),
        1 - unknown / total if total else 0.0,
        _names_held(query.text, near),
        _numbers_held(query.text, near),
        float(query.wants is None or any(c.feature("answer_type") for c in top[:3])),
        top[0].score - best[min(9, len(best) - 1)].score,
    )


def _passage_text(candidate: Candidate) -> str:
    passage = candidate.passage.passage
    return candidate.article.text[passage.start : passage.end]


def _names_held(question: str, text: str) -> float:
    wanted = {part for run in names(question) for word in run for part in word.split("-")}
    return 1 - len(missing_names(question, text)) / len(wanted) if wanted else 1.0


def _numbers_held(question: str, text: str) -> float:
    wanted = {number.value for number in numbers(question)}
    held = {number.value for number in numbers(text)}
    return len(wanted & held) / len(wanted) if wanted else 1.0
