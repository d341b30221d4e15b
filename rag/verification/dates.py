"""Dates: written out, and relative to the day on which an article was published."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from functools import lru_cache

from rag.text.dates import DAYS, MONTHS, NUMERIC, dates
from rag.text.numbers import WORDS
from rag.text.terms import fold
from rag.verification.problem import Problem

_NAMES = [name.capitalize() for name in MONTHS if len(name) > 4 or name in {"may", "june", "july"}]
_DAYS = "|".join(DAYS)
_COUNT = "|".join(["an?", "\\d{1,3}", *(word for word, n in WORDS.items() if 1 < n <= 20)])
# What is told of a day, a week … by its distance from the day of publication.
RELATIVE = re.compile(
    r"\b(?:(?P<day>yesterday|today|tonight|tomorrow|this (?:morning|afternoon|evening)|last night)"
    rf"|(?P<next>next |coming |upcoming )?(?P<weekday>{_DAYS})"
    rf"(?!s?,? (?:\d|(?:{'|'.join(MONTHS)})\b))"
    r"|(?P<which>last|next|this|previous|past) (?P<period>week|weekend|month|year)"
    rf"|(?P<count>{_COUNT}) (?P<unit>day|week|month|year)s? (?P<ago>ago|earlier|later))\b"
)
_AHEAD = re.compile(
    r"\b(?:will|would|next|coming|upcoming|plan(?:s|ned)? to|expected to|set to|due)\b"
)


@lru_cache(maxsize=256)
def with_dates(quote: str, published: str | None) -> str:
    """Return a quote followed by the dates that its "on Tuesday", "last month" … are.

    ``published`` is an ISO date; without one the quote comes back as it is. A weekday is the last
    such day, the day of publication included; in a sentence about what is to come, the next one
    as well.
    """
    try:
        day = dt.date.fromisoformat((published or "")[:10])
    except ValueError:
        return quote
    folded = fold(quote)
    ahead = bool(_AHEAD.search(folded))
    written_dates = [
        date for match in RELATIVE.finditer(folded) for date in _absolute_dates(match, day, ahead)
    ]
    return f"{quote}\n({'; '.join(dict.fromkeys(written_dates))})" if written_dates else quote


def _absolute_dates(match: re.Match[str], day: dt.date, ahead: bool) -> Iterator[str]:
    if match["day"]:
        yield _date(day, {"yesterday": -1, "last night": -1, "tomorrow": 1}.get(match["day"], 0))
    elif match["weekday"]:
        back = (day.weekday() - DAYS.index(match["weekday"])) % 7
        if not match["next"]:
            yield _date(day, -back)
        if ahead or match["next"]:
            yield _date(day, 7 - back)
    elif match["which"]:
        step = {"next": 1, "this": 0}.get(match["which"], -1)
        if match["period"] == "year":
            yield str(day.year + step)
        elif match["period"] == "month":
            yield _month(day, step)
    elif match["ago"] == "ago":
        count = int(match["count"]) if match["count"].isdigit() else WORDS.get(match["count"], 1)
        if match["unit"] in {"day", "week"}:
            yield _date(day, -count * (1 if match["unit"] == "day" else 7))
        elif match["unit"] == "month":
            yield _month(day, -count)
        else:
            yield str(max(1, day.year - count))


def _date(day: dt.date, days: int) -> str:
    ordinal = max(1, min(day.toordinal() + days, dt.date.max.toordinal()))
    day = dt.date.fromordinal(ordinal)
    return f"{DAYS[day.weekday()].capitalize()}, {day.day} {_NAMES[day.month - 1]} {day.year:04}"


def _month(day: dt.date, months: int) -> str:
    number = max(12, day.year * 12 + day.month - 1 + months)
    return f"{_NAMES[number % 12]} {number // 12:04}"


_dates = lru_cache(maxsize=256)(lambda text: tuple(dict.fromkeys(dates(text))))


def date_problems(claim: str, whole: str) -> Iterator[Problem]:
    """Yield the dates of a claim that the text of its sources does not have, or has otherwise."""
    source_dates = _dates(whole)
    wrong: dict[str, bool] = {}  # of a date that can be read in two ways, either will do
    for date in _dates(claim):
        missing = not any(date.agrees(other) for other in source_dates)
        if date.written in wrong and not NUMERIC.fullmatch(date.written):  # a range: both its ends
            wrong[date.written] |= missing
        else:
            wrong[date.written] = missing and wrong.get(date.written, True)
    yield from (Problem("date", written) for written, is_wrong in wrong.items() if is_wrong)
    source_phrases = set(_relative_phrases(whole))
    for phrase in sorted(set(_relative_phrases(claim)) - source_phrases):
        # "this week" is often the question's: wrong only where the source has another week, or
        # only dates with a year and no day of the week, as reports of long ago do.
        others = {
            other
            for other in source_phrases
            if not phrase.startswith("this") or other.split()[-1] == phrase.split()[-1]
        }
        long_ago = (
            source_dates and all(d.year for d in source_dates) and not _WEEKDAYS.search(fold(whole))
        )
        if (
            others
            or (phrase in _DISTANT and not source_dates)
            or (phrase.startswith("this") and long_ago)
        ):
            yield Problem("date", phrase)


_WEEKDAYS = re.compile(rf"\b(?:{'|'.join(DAYS)})\b")
_DAY_WORDS = {
    "tonight": "today",
    "this morning": "today",
    "this afternoon": "today",
    "this evening": "today",
    "last night": "yesterday",
}
_DISTANT = frozenset({"tomorrow", "next week", "next month", "next year"})


@lru_cache(maxsize=256)
def _relative_phrases(text: str) -> tuple[str, ...]:
    return tuple(
        _DAY_WORDS.get(match[0], match[0].replace("previous ", "last ").replace("past ", "last "))
        for match in RELATIVE.finditer(fold(text))
        if not match["weekday"]
    )
