"""Numbers: their values, units, ranks, bounds ("at least") and vague counts ("dozens")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from rag.text.dates import dates
from rag.text.numbers import WORDS, Number, bound_of, numbers, ordinals
from rag.text.terms import fold, stem, words
from rag.verification.problem import Problem


@lru_cache(maxsize=256)
def _distinct_numbers(text: str) -> tuple[Number, ...]:
    """The numbers of a text, each value with a unit and a bound once."""
    return tuple({(n.value, n.unit, n.bound, n.loose): n for n in numbers(text)}.values())


@lru_cache(maxsize=256)
def _by_value(text: str) -> dict[float, list[Number]]:
    by_value: dict[float, list[Number]] = {}
    for number in _distinct_numbers(text):
        by_value.setdefault(number.value, []).append(number)
    return by_value


_dates = lru_cache(maxsize=256)(lambda text: tuple(dates(text)))
_ranks = lru_cache(maxsize=256)(lambda text: tuple(ordinals(text)))
_RANKED = re.compile(r"\d(?:st|nd|rd|th)\b")


def number_problems(claim: str, whole: str) -> Iterator[Problem]:
    """Yield the numbers of a claim that the text of its sources does not have, or has with
    another unit or another bound.
    """
    claim_numbers = _distinct_numbers(claim)
    source_numbers = _by_value(whole) if claim_numbers else {}
    years = {date.year for date in _dates(whole)} if claim_numbers else set()
    for number in claim_numbers:
        if _RANKED.search(number.written):
            continue  # a rank
        equal = source_numbers.get(number.value, [])
        if number.unit == "era":  # a year of it will do
            equal = [n for value in range(10) for n in source_numbers.get(number.value + value, [])]
        matches = [other for other in equal if same_number(number, other)]
        if number.unit and (with_unit := [other for other in matches if other.unit]):
            matches = with_unit
        elif number.unit and any(other.unit for other in equal):
            matches = []  # "187 minutes" somewhere, "187" in the title: not "187 hours"
        if not matches:
            if number.unit or number.value not in years:
                yield Problem("number", number.written)
        elif not any(_bound_agrees(number, other) for other in matches):
            yield Problem("approximation", f"{number.bound or ''} {number.written}".strip())
    yield from _rank_problems(claim, whole)
    yield from _count_problems(claim, whole)
    yield from _single_problems(claim, whole)
    yield from _one_problems(claim, whole)


def _rank_problems(claim: str, whole: str) -> Iterator[Problem]:
    claim_ranks = ordinals(claim)
    if not claim_ranks:
        return
    source_ranks = {rank for rank, _ in _ranks(whole)} | {
        int(n.value) for n in _distinct_numbers(whole)
    }
    # Those in the claim's own dates have a rule of their own.
    source_ranks |= {date.day for text in (claim, whole) for date in _dates(text) if date.day}
    for rank, written in dict.fromkeys(claim_ranks):
        if rank not in source_ranks:
            yield Problem("number", written)


def same_number(claimed: Number, source: Number) -> bool:
    """Return whether the values are equal and the units do not differ."""
    if "era" in {claimed.unit, source.unit} and claimed.unit != source.unit:
        era, single = (claimed, source) if claimed.unit == "era" else (source, claimed)
        # What was in 1994 was in the 1990s; what was in the 1990s need not have been in 1990.
        return era is claimed and 0 <= single.value - era.value < 10 and single.unit is None
    return claimed.value == source.value and (
        claimed.unit == source.unit or claimed.unit is None or source.unit is None
    )


# The bound that a claim may give of a number → those that its source may have. "About" may be left
# out, as readers do; "at least", "up to" and "nearly" may not. "Over" and "under" before
# a span of time are not always bounds.
_AGREE: dict[str | None, set[str | None]] = {
    None: {None, "about", "exact"},
    "about": {None, "about", "near", "least", "most", "more", "less", "exact"},
    "near": {None, "about", "near", "most", "less"},
    "least": {None, "about", "least", "more", "exact"},
    "most": {None, "about", "near", "most", "less", "exact"},
    "more": {"least", "more"},
    "less": {"near", "most", "less"},
    "exact": {None, "exact"},
}
_TIMES = frozenset("second minute hour day week month year decade century".split())


def _bound_agrees(claimed: Number, source: Number) -> bool:
    a_time = claimed.unit in _TIMES or source.unit in _TIMES
    if a_time and (
        (claimed.bound is None and source.loose) or (source.bound is None and claimed.loose)
    ):
        return True
    return source.bound in _AGREE[claimed.bound]


_ONE = re.compile(r"\b(?:one|single) ([a-z]{3,})\b")


def _one_problems(claim: str, whole: str) -> Iterator[Problem]:
    """Yield "one ship" where the source only has "two ships"; "one" alone is hardly a number."""
    nouns = {stem(noun): noun for noun in _ONE.findall(fold(claim))}
    if not nouns:
        return
    preceding: dict[str, set[str]] = {}
    for word, following in pairwise(words(whole)):
        preceding.setdefault(stem(following), set()).add(word)
    for noun, written in nouns.items():
        counts = preceding.get(noun, set())
        if counts and all(WORDS.get(c, 0) > 1 or (c.isdigit() and int(c) > 1) for c in counts):
            yield Problem("number", f"one {written}")


COUNT = re.compile(
    r"\b(?P<first>tens|dozens|scores|hundreds|thousands|millions|billions|trillions)"
    r"(?: of (?P<second>thousands|millions|billions))?\b"
)
_SIZES = {
    "tens": 10,
    "dozens": 12,
    "scores": 20,
    "hundreds": 100,
    "thousands": 1_000,
    "millions": 10**6,
    "billions": 10**9,
    "trillions": 10**12,
}


def _count_problems(claim: str, whole: str) -> Iterator[Problem]:
    folded = fold(claim)
    if not COUNT.search(folded):
        return
    source_values = {number.value for number in _distinct_numbers(whole)}
    source_sizes = {_size(match) for match in COUNT.finditer(fold(whole))}
    for match in COUNT.finditer(folded):
        size = _size(match)
        if size not in source_sizes and not any(
            size <= value < 1000 * size for value in source_values
        ):
            yield Problem("number", match[0])


_SINGLE = re.compile(
    r"\b(?:(?:an?|one)[\s-](?P<unit>second|minute|hour|day|week|month|year|decade|century|"
    r"mile|dollar|euro|pound|quarter|third|fifth|half)"
    r"|(?P<half>half)(?! (?:dozen|million|billion)))\b"
)


def _single_problems(claim: str, whole: str) -> Iterator[Problem]:
    """Bounds of "a decade", "a third", "half"."""
    claim_singles = _singles(claim)
    source_singles = _singles(whole) if claim_singles else ()
    for unit, bound, written in claim_singles:
        bounds = {source_bound for other, source_bound, _ in source_singles if other == unit}
        if bounds and bounds.isdisjoint(_AGREE[bound]):
            yield Problem("approximation", f"{bound or ''} {written}".strip())


@lru_cache(maxsize=256)
def _singles(text: str) -> tuple[tuple[str, str | None, str], ...]:
    folded = fold(text)
    return tuple(
        (match["unit"] or "half", bound_of(folded, *match.span()), match[0])
        for match in _SINGLE.finditer(folded)
    )


def _size(match: re.Match[str]) -> int:
    return _SIZES[match["first"]] * _SIZES.get(match["second"] or "", 1)
