"""Rule checks of a claim against its sources: what a paraphrase must not change.

Each file beside this one holds one idea: numbers, dates, names, negation, modality with
attribution, and roles (who did it, said it, holds the office). A rule yields a Problem for what
the claim says and its sources, with their article's title, do not. When unsure it is silent: a
false alarm costs a good claim, which is then quoted instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.text.dates import DAYS, MONTHS
from rag.text.terms import content_terms, stem, words
from rag.verification.dates import date_problems
from rag.verification.modality import modality_problems
from rag.verification.names import name_problems
from rag.verification.negation import negation_problems
from rag.verification.numbers import number_problems
from rag.verification.problem import Problem
from rag.verification.roles import role_problems


def problems(claim: str, sources: Sequence[str], title: str) -> tuple[Problem, ...]:
    """Return what the claim says and its sources (with the title) do not."""
    whole = "\n".join([*sources, title])
    return (
        *number_problems(claim, whole),
        *date_problems(claim, whole),
        *_quotation_problems(claim, whole),
        *name_problems(claim, [*sources, title]),
        *negation_problems(claim, sources),
        *modality_problems(claim, sources),
        *role_problems(claim, sources, title),
        *nearness_problems(claim, sources),
    )


QUOTED = re.compile(r"[\"“”«„]([^\"“”«»„]{2,}?)[\"“”»]")


def _quotation_problems(claim: str, whole: str) -> Iterator[Problem]:
    quotations = list(QUOTED.finditer(claim))
    text = _letters(whole) if quotations else ""
    for match in quotations:
        if _letters(match[1]).strip() not in text:
            yield Problem("quotation", match[1])


def _letters(text: str) -> str:
    return f" {' '.join(words(text))} "


# Nearness: what a claim says side by side does not stand far apart in its source. In a sentence
# that lists twenty people, the words of a false claim about any of them can all be found.

FAR = 25  # words; right claims seldom bring together what is further apart
_DATES = frozenset(map(stem, [*DAYS, *MONTHS]))  # dates have a rule of their own


def nearness_problems(claim: str, sources: Sequence[str]) -> Iterator[Problem]:
    """Yield the first pair of neighbouring terms that one source has, but nowhere near each other,
    and that none has near each other.
    """
    positions = [_positions(source) for source in sources]
    claim_terms = [t for t in content_terms(claim) if not t[0].isdigit() and t not in _DATES]
    for one, other in dict.fromkeys(pairwise(claim_terms)):
        gaps = [
            _least_distance(source[one], source[other])
            for source in positions
            if one in source and other in source
        ]
        if gaps and min(gaps) > FAR:
            yield Problem("relation", f"{one} … {other}")
            return


def _least_distance(these: Sequence[int], those: Sequence[int]) -> int:
    """Return the least distance between two lists of positions."""
    if these is those:
        return 0
    ordered = sorted([*((n, 0) for n in these), *((n, 1) for n in those)])
    return min(b - a for (a, kind), (b, other) in pairwise(ordered) if kind != other)


def _positions(text: str) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = {}
    for position, word in enumerate(words(text)):
        positions.setdefault(stem(word), []).append(position)
    return positions
