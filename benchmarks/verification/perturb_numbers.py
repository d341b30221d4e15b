"""Wrong claims: numbers, bounds, units, ranks and dates."""

from __future__ import annotations

import re
from random import Random

from benchmarks.verification.perturb_base import (
    AFTER,
    DAYS,
    MONTHS,
    NUMBER,
    ORDINALS,
    SMALL,
    TENS,
    Item,
    Perturbation,
    by_word,
    others,
    pick,
    put,
    swap_words,
)

# Numbers.


def digits(claim: str, _: Item, random: Random) -> str | None:
    months = "|".join(MONTHS)
    pattern = rf"(?<![\w.,/-])(?:{NUMBER})(?![\d/]|(?:st|nd|rd|th)\b|,\d|\.\d| (?:{months}))"
    found = [
        m
        for m in re.finditer(pattern, claim)
        if not re.fullmatch(r"1\d{3}|20\d\d", m[0])
        and not re.search(rf"(?:{months}|[A-Z][a-z]{{2}}\.) $", claim[: m.start()])
    ]
    if not found:
        return None
    match = random.choice(found)
    places = [i for i, c in enumerate(match[0]) if c.isdigit()]
    place = random.choice(places)
    lowest = 1 if place == 0 else 0
    new = random.choice([d for d in "0123456789"[lowest:] if d != match[0][place]])
    return put(claim, match.span(), match[0][:place] + new + match[0][place + 1 :])


number_word = swap_words(others([*SMALL, *TENS]))


def range_end(claim: str, _: Item, random: Random) -> str | None:
    number = rf"[$€£]?(?:{NUMBER})"
    pattern = rf"\b(?:{number})(?:%?\s?[-–]\s?|%? to |%? and )(?P<end>{number})(?![\d,./-])"
    match = pick(pattern, claim, random)
    if not match or (" and " in match[0] and "between" not in claim[: match.start()].lower()):
        return None
    value = re.search(r"\d+", match["end"])
    if not value:
        return None
    start = match.start("end") + value.start()
    new = str(int(value[0]) + random.choice([1, 2, 3, 5]))
    return put(claim, (start, start + len(value[0])), new)


reversed_bound = swap_words(
    by_word(
        "at least: at most; at most: at least; nearly: more than; almost: more than; "
        "more than: less than; less than: more than; fewer than: more than; up to: at least; "
        "over: under; under: over"
    ),
    rf"(?=\s{AFTER})",
)


def _qualifier(words: str, new: str) -> Perturbation:
    def change(claim: str, _: Item, random: Random) -> str | None:
        match = pick(rf"\b(?:{words})\s{AFTER}", claim, random, re.IGNORECASE)
        return put(claim, match.span(), new) if match else None

    return change


_ABOUT = "about|around|approximately|roughly|some|an estimated"
_BOUNDS = "nearly|almost|up to|at least|at most|more than|less than|over|fewer than"
exactly = _qualifier(f"{_ABOUT}|{_BOUNDS}", "exactly ")
bound_dropped = _qualifier(_BOUNDS, "")
about_dropped = _qualifier(_ABOUT, "")


def percent_points(claim: str, _: Item, random: Random) -> str | None:
    match = pick(r"(?:(?<=\d)\s?%| (?:percent|per cent)(?:age points?)?\b)", claim, random)
    if not match:
        return None
    return put(claim, match.span(), " percent" if "point" in match[0] else " percentage points")


def currency(claim: str, _: Item, random: Random) -> str | None:
    if match := pick(r"(?:US)?\$(?=\d)|[€£](?=\d)", claim, random):
        return put(claim, match.span(), "£" if match[0] == "€" else "€")
    words = {"dollars": "euros", "euros": "dollars", "pounds": "dollars", "francs": "dollars"}
    match = pick(r"(?:(?<=\d )|(?<=on ))(?:dollars|euros|pounds|francs)\b", claim, random)
    return put(claim, match.span(), words[match[0]]) if match else None


magnitude = swap_words(
    by_word(
        "million: billion, thousand; billion: million, trillion; trillion: billion; "
        "thousand: million; hundred: thousand; hundreds: thousands; thousands: millions; "
        "dozens: hundreds; millions: thousands"
    )
)
_unit = swap_words(
    by_word(
        "km: miles; kilometers: miles; kilometres: miles; miles: kilometers; meters: feet; "
        "metres: feet; feet: metres; inches: feet; mph: km/h; kg: pounds; pounds: kg; "
        "tons: pounds; years: months; months: weeks; weeks: days; days: weeks; hours: minutes; "
        "minutes: hours; acres: miles; year: month; hour: minute; mile: kilometer; foot: metre; "
        "week: month"
    ),
)


def unit(claim: str, item: Item, random: Random) -> str | None:
    """Another unit, where a number stands before it."""
    number = rf"(?:\d|\b(?:{'|'.join([*SMALL, *TENS])}))"
    units = [m.span() for m in re.finditer(rf"{number}[\s-][a-z/]+", claim)]
    random.shuffle(units)
    for start, end in units:
        word = re.search(r"[a-z/]+$", claim[start:end])
        if word and (new := _unit(word[0], item, random)):
            return put(claim, (start + word.start(), end), new)
    return None


def ordinal(claim: str, _: Item, random: Random) -> str | None:
    pattern = rf"\b(?:(?P<n>\d+)(?:st|nd|rd|th)|{'|'.join(ORDINALS)})\b"
    match = pick(pattern, claim, random, re.IGNORECASE)
    if not match:
        return None
    if not match["n"]:
        return put(claim, match.span(), random.choice(others(ORDINALS)[match[0].lower()]))
    n = int(match["n"]) + random.choice([1, 2])
    end = "th" if 10 < n % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return put(claim, match.span(), f"{n}{end}")


# Dates.


def day(claim: str, _: Item, random: Random) -> str | None:
    months = "|".join([*MONTHS, *(rf"{m[:3]}\." for m in MONTHS)])
    match = pick(
        rf"(?P<d>\b\d\d?) (?:{months})\b|(?:{months}) (?P<e>\d\d?)(?!\d|,\d)", claim, random
    )
    if not match:
        return None
    group = "d" if match["d"] else "e"
    new = (int(match[group]) + random.choice([1, 2, 9])) % 28 + 1
    return put(claim, match.span(group), str(new)) if new != int(match[group]) else None


month = swap_words(others([m for m in MONTHS if m not in {"March", "May"}]))
weekday = swap_words(others(DAYS))


def year(claim: str, _: Item, random: Random) -> str | None:
    match = pick(r"(?<![\d,.$€£-])(?:1[5-9]\d\d|20[0-3]\d)(?![\d,%]*\d|s)", claim, random)
    return match and put(
        claim, match.span(), str(int(match[0]) + random.choice([-10, -2, -1, 1, 2, 10]))
    )


_TIMES = "week month year".split()
relative = swap_words(
    {"yesterday": "today", "today": "yesterday", "tomorrow": "yesterday"}
    | {
        f"{one} {time}": [f"{other} {time}" for other in ("last", "next") if other != one]
        + [f"{one} {other}" for other in _TIMES if other != time]
        for one in ("last", "next")
        for time in _TIMES
    }
)
