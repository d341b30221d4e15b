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
def _known(text: str) -> tuple[Number, ...]:
    """The numbers of a text, each value with a unit and a bound once."""
    return tuple({(n.value, n.unit, n.bound, n.loose): n for n in numbers(text)}.values())


@lru_cache(maxsize=256)
def _by_value(text: str) -> dict[float, list[Number]]:
    found: dict[float, list[Number]] = {}
    for number in _known(text):
        found.setdefault(number.value, []).append(number)
    return found


_dates = lru_cache(maxsize=256)(lambda text: tuple(dates(text)))
_ranks = lru_cache(maxsize=256)(lambda text: tuple(ordinals(text)))
_RANKED = re.compile(r"\d(?:st|nd|rd|th)\b")


def number_problems(claim: str, whole: str) -> Iterator[Problem]:
    """Yield the numbers of a claim that the text of its sources does not have, or has with
    another unit or another bound.
    """
    said = _known(claim)
    held = _by_value(whole) if said else {}
    years = {date.year for date in _dates(whole)} if said else set()
    for number in said:
        if _RANKED.search(number.written):
            continue  # a rank
        known = held.get(number.value, [])
        if number.unit == "era":  # a year of it will do
            known = [n for value in range(10) for n in held.get(number.value + value, [])]
        same = [other for other in known if same_number(number, other)]
        if number.unit and (exact := [other for other in same if other.unit]):
            same = exact
        elif number.unit and any(other.unit for other in known):
            same = []  # "187 minutes" somewhere, "187" in the title: not "187 hours"
        if not same:
            if number.unit or number.value not in years:
                yield Problem("number", number.written)
        elif not any(_bound_agrees(number, other) for other in same):
            yield Problem("approximation", f"{number.bound or ''} {number.written}".strip())
    yield from _rank_problems(claim, whole)
    yield from _count_problems(claim, whole)
    yield from _single_problems(claim, whole)
    yield from _one_problems(claim, whole)


def _rank_problems(claim: str, whole: str) -> Iterator[Problem]:
    wanted = ordinals(claim)
    if not wanted:
        return
    held = {rank for rank, _ in _ranks(whole)} | {int(n.value) for n in _known(whole)}
    # Those in the claim's own dates have a rule of their own.
    held |= {date.day for text in (claim, whole) for date in _dates(text) if date.day}
    for rank, written in dict.fromkeys(wanted):
        if rank not in held:
            yield Problem("number", written)


def same_number(claimed: Number, known: Number) -> bool:
    """Return whether the values are equal and the units do not differ."""
    if "era" in {claimed.unit, known.unit} and claimed.unit != known.unit:
        era, single = (claimed, known) if claimed.unit == "era" else (known, claimed)
        # What was in 1994 was in the 1990s; what was in the 1990s need not have been in 1990.
        return era is claimed and 0 <= single.value - era.value < 10 and single.unit is None
    return claimed.value == known.value and (
        claimed.unit == known.unit or claimed.unit is None or known.unit is None
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


def _bound_agrees(claimed: Number, known: Number) -> bool:
    a_time = claimed.unit in _TIMES or known.unit in _TIMES
    if a_time and (
        (claimed.bound is None and known.loose) or (known.bound is None and claimed.loose)
    ):
        return True
    return known.bound in _AGREE[claimed.bound]


_ONE = re.compile(r"\b(?:one|single) ([a-z]{3,})\b")


def _one_problems(claim: str, whole: str) -> Iterator[Problem]:
    """Yield "one ship" where the source only has "two ships"; "one" alone is hardly a number."""
    nouns = {stem(noun): noun for noun in _ONE.findall(fold(claim))}
    if not nouns:
        return
    before: dict[str, set[str]] = {}
    for word, following in pairwise(words(whole)):
        before.setdefault(stem(following), set()).add(word)
    for noun, written in nouns.items():
        counts = before.get(noun, set())
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
    known = {number.value for number in _known(whole)}
    held = {_size(match) for match in COUNT.finditer(fold(whole))}
    for match in COUNT.finditer(folded):
        size = _size(match)
        if size not in held and not any(size <= value < 1000 * size for value in known):
            yield Problem("number", match[0])


_SINGLE = re.compile(
    r"\b(?:(?:an?|one)[\s-](?P<unit>second|minute|hour|day|week|month|year|decade|century|"
    r"mile|dollar|euro|pound|quarter|third|fifth|half)"
    r"|(?P<half>half)(?! (?:dozen|million|billion)))\b"
)


def _single_problems(claim: str, whole: str) -> Iterator[Problem]:
    """Bounds of "a decade", "a third", "half"."""
    said = _singles(claim)
    held = _singles(whole) if said else ()
    for unit, bound, written in said:
        bounds = {known for other, known, _ in held if other == unit}
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
