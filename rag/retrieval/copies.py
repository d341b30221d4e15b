"""Sentences that stand in several articles in the same or nearly the same wording: syndicated and
lightly edited copies, which count once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.text.dates import dates
from rag.text.names import names
from rag.text.negation import Polarity, polarity
from rag.text.numbers import WORDS, numbers
from rag.text.terms import STOPWORDS, stem, terms

NEAR = 0.8  # Jaccard similarity of their content terms from which two sentences may be copies
COMPARED = 40  # best wordings among which near copies are looked for
# Where one text has a word of the left and the other one of the right, they are no copies.
OPPOSITES = """
rise increase gain grow climb up higher more/fall decrease drop lose decline down lower less fewer;
win/lose; pass approve accept support back/reject oppose block veto; guilty convict/innocent acquit
clear; open begin start launch/close end stop; arrive enter/leave exit; alive survive/die dead kill;
buy/sell; import/export; before/after; first/last; former/current; north/south; east/west;
left/right; men man male boy/women woman female girl; husband father son brother/wife mother
daughter sister; best/worst; above over/below under; legal/illegal; agree/disagree;
ally/enemy; major/minor; hot warm/cold cool; likely/unlikely; able/unable; true/false;
public/private; minimum/maximum
"""


@dataclass(frozen=True, slots=True)
class Details:
    """What two near copies must have in common, whatever their other words."""

    numbers: frozenset[tuple[float, str | None]]
    dates: frozenset[tuple[str | int | None, ...]]
    names: frozenset[str]
    polarity: Polarity

    def agree(self, other: Details) -> bool:
        """Return whether the numbers, dates and names are the same, and neither denies what the
        other says plainly.
        """
        said, heard = self.polarity, other.polarity
        return (
            (self.numbers, self.dates, self.names) == (other.numbers, other.dates, other.names)
            and bool(said.inside) == bool(heard.inside)
            and not said.inside & heard.outside
            and not said.outside & heard.inside
        )


def originals(
    texts: Sequence[str], articles: Sequence[str], said: Sequence[Sequence[str]]
) -> list[int]:
    """Return for each text, best first, the index of the first one that it is a copy of: its own
    when it is none. ``said`` are the terms of each.

    Near copies count only between different articles, and among the first COMPARED wordings.
    """
    first: dict[str, int] = {}
    found = [first.setdefault(" ".join(text.split()), n) for n, text in enumerate(texts)]
    best = list(first.values())[:COMPARED]
    bags = {n: _bag(said[n]) for n in best}
    nearest: dict[int, int] = {}
    for place, n in enumerate(best):
        for m in best[:place]:
            if m in nearest or articles[m] == articles[n] or not _near(bags[m], bags[n]):
                continue
            if details(texts[m]).agree(details(texts[n])):
                nearest[n] = m
                break
    return [nearest.get(n, n) for n in found]


def is_copy(one: str, other: str) -> bool:
    """Return whether two texts are the same but for spaces, or near copies."""
    if one.split() == other.split():
        return True
    return _near(_bag(terms(one)), _bag(terms(other))) and details(one).agree(details(other))


def _bag(said: Sequence[str]) -> frozenset[str]:
    """Return the content terms; "twelve" is "12"."""
    return frozenset(_NUMERALS.get(term, term) for term in said) - _STOPWORDS


def _near(one: frozenset[str], other: frozenset[str]) -> bool:
    """Return whether two texts have enough of the same content terms, and none that is opposite."""
    both = len(one & other)
    if not both or both < NEAR * (len(one) + len(other) - both):
        return False
    only, others = one - other, other - one
    return not any(
        (only & left and others & right) or (only & right and others & left)
        for left, right in _OPPOSITES
    )


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


_STOPWORDS = _stems(" ".join(STOPWORDS))
_NUMERALS = {stem(word): str(number) for word, number in WORDS.items()}
_OPPOSITES = tuple(
    (_stems(left), _stems(right))
    for left, _, right in (line.partition("/") for line in OPPOSITES.split(";"))
)


@lru_cache(maxsize=5_000)
def details(text: str) -> Details:
    """Return the numbers, dates, names and negated terms of a text."""
    return Details(
        frozenset((number.value, number.unit) for number in numbers(text)),
        frozenset((date.weekday, date.year, date.month, date.day) for date in dates(text)),
        frozenset(word for run in names(text) for word in run),
        polarity(text),
    )
