"""Nearness: what a claim says side by side does not stand far apart in its source. In a sentence
that lists twenty people, the words of a false claim about any of them can all be found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rag.text.dates import DAYS, MONTHS
from rag.text.terms import content_terms, stem, words
from rag.verification.problem import Problem

FAR = 25  # words; right claims seldom bring together what is further apart
_DATES = frozenset(map(stem, [*DAYS, *MONTHS]))  # dates have a rule of their own


def nearness_problems(claim: str, sources: Sequence[str]) -> Iterator[Problem]:
    """Yield the first pair of neighbouring terms that one source has, but nowhere near each other,
    and that none has near each other.
    """
    places = [_places(source) for source in sources]
    said = [t for t in content_terms(claim) if not t[0].isdigit() and t not in _DATES]
    for one, other in dict.fromkeys(pairwise(said)):
        gaps = [_least(held[one], held[other]) for held in places if one in held and other in held]
        if gaps and min(gaps) > FAR:
            yield Problem("relation", f"{one} … {other}")
            return


def _least(these: Sequence[int], those: Sequence[int]) -> int:
    """Return the least distance between two lists of places."""
    if these is those:
        return 0
    ordered = sorted([*((place, 0) for place in these), *((place, 1) for place in those)])
    return min(b - a for (a, kind), (b, other) in pairwise(ordered) if kind != other)


def _places(text: str) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, word in enumerate(words(text)):
        found.setdefault(stem(word), []).append(place)
    return found
