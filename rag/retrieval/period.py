"""The time that a question speaks of: relative dates, years, and the newest there is.

A relative date ("this week", "last month") is resolved against the question's own date, to a period
in which an article about it was probably published. Years ("from 1998 to 2001") are looked for in
the sentences: the one that answers has the same year, or a range of years that overlaps. "The
latest" and "now" want the newest article about the question, and need no date.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from rag.text.dates import DAYS, MONTHS, day_of
from rag.text.numbers import WORDS

UNKNOWN = 0.5  # closeness of an article without a date
SLACK = 7  # days; an article that is updated is often dated anew
FADING = 60.0  # days after which the newest article's closeness has fallen to 1/e
Years = tuple[tuple[int, int], ...]  # the first and the last of each range
_YEARS = re.compile(
    r"\b(1\d{3}|20\d\d)\b(?:\s?(?:to|and|until|till|through|–|-|—)\s?(?:[A-Z][a-z]{2,8}\.? )?"
    r"(\d{4}|\d\d)\b)?"
)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in a row, both ends included."""

    first: dt.date
    last: dt.date

    def closeness(self, published: str | None) -> float:
        """Return 1 for an article published in the period, less the farther away, 0..1."""
        date = day_of(published)
        if date is None:
            return UNKNOWN
        outside = max((self.first - date).days, (date - self.last).days, 0)
        length = (self.last - self.first).days + 1
        return math.exp(-outside / max(3.0, length / 2))


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest that the articles say, up to the day of the question if that is known."""

    until: dt.date | None = None

    def closeness(self, published: str | None, newest: dt.date) -> float:
        """Return 1 for an article of the newest day, less the older it is, 0..1.

        ``newest`` is the day of the newest article that is about the question. One that came after
        the question counts like one that is as many days too old.
        """
        date = day_of(published)
        if date is None:
            return UNKNOWN
        return math.exp(-abs((newest - date).days) / FADING)

    def newest(self, published: Iterable[str | None]) -> dt.date | None:
        """Return the newest of the days that are not after the question, but for SLACK."""
        days = [day for day in map(day_of, published) if day]
        until = self.until
        return max((d for d in days if until is None or (d - until).days <= SLACK), default=None)


@lru_cache(maxsize=5_000)
def ordinal(published: str | None) -> int:
    """Return the number of a day, to sort by: 0 when it is not known."""
    day = day_of(published)
    return day.toordinal() if day else 0


def period_of(question: str, date: str | None) -> Period | Latest | None:
    """Return the period that a question asked on an ISO ``date`` speaks of, or None.

    Without a date only a question for the latest is resolved.
    """
    today = dt.date.fromisoformat(date) if date else None
    for pattern, resolve in _RULES:
        if today and (match := pattern.search(question)):
            return resolve(today, match)
    return Latest(today) if LATEST.search(question) else None


def years_in(text: str) -> Years:
    """Return the years that a text names, each as a range: 1998 as (1998, 1998), "1998 to 2001",
    "from 1998 to May 2001" and "1998–01" as (1998, 2001).
    """
    years = []
    for match in _YEARS.finditer(text):
        first = last = int(match[1])
        if match[2]:
            last = int(match[2]) if len(match[2]) == 4 else first // 100 * 100 + int(match[2])
        years.append((first, last if first <= last < first + 100 else first))
    return tuple(years)


def overlap(one: Years, other: Years) -> bool:
    """Return whether a range of the one and a range of the other have a year in common."""
    return any(a <= d and c <= b for a, b in one for c, d in other)


def _days(first: int, last: int) -> Callable[[dt.date, re.Match[str]], Period]:
    return lambda today, _: Period(_ago(today, first), _ago(today, last))


def _ago(day: dt.date, days: int) -> dt.date:
    return dt.date.fromordinal(min(max(1, day.toordinal() - days), dt.date.max.toordinal()))


def _count(today: dt.date, match: re.Match[str]) -> Period:
    return Period(_ago(today, _length(match)), today)


def _length(match: re.Match[str]) -> int:
    """Return the days of "3 weeks", "two months", "few days"."""
    unit = {"day": 1, "week": 7, "month": 31, "year": 366}[match["unit"].lower()]
    count = match["n"].lower().removesuffix(" of")
    return unit * (int(count[:4]) if count.isdigit() else COUNTS[count])


def _count_ago(today: dt.date, match: re.Match[str]) -> Period:
    length = _length(match)
    unit = {"day": 0, "week": 3, "month": 15, "year": 183}[match["unit"].lower()]
    return Period(_ago(today, length + unit), _ago(today, length - unit - 1))


def _last_named_month(today: dt.date, match: re.Match[str]) -> Period:
    month = MONTHS[match["month"].lower()]
    first = dt.date(today.year if month < today.month else max(1, today.year - 1), month, 1)
    return Period(first, _ago((first + dt.timedelta(days=32)).replace(day=1), 1))


def _last_week(today: dt.date, _: re.Match[str]) -> Period:
    monday = _ago(today, today.weekday())
    return Period(_ago(monday, 7), _ago(monday, 1))


def _this_month(today: dt.date, _: re.Match[str]) -> Period:
    return Period(today.replace(day=1), today)


def _last_month(today: dt.date, _: re.Match[str]) -> Period:
    end = _ago(today.replace(day=1), 1)
    return Period(end.replace(day=1), end)


def _this_year(today: dt.date, _: re.Match[str]) -> Period:
    return Period(today.replace(month=1, day=1), today)


def _last_year(today: dt.date, _: re.Match[str]) -> Period:
    year = max(1, today.year - 1)
    return Period(dt.date(year, 1, 1), dt.date(year, 12, 31))


def _weekday(today: dt.date, match: re.Match[str]) -> Period:
    day = _ago(today, (today.weekday() - DAYS.index(match["day"].lower())) % 7)
    return Period(day, _ago(day, -1))  # reported on that day or the next


_DAYS_PATTERN, _MONTHS_PATTERN = "|".join(DAYS), "|".join(MONTHS)
COUNTS = {
    word: WORDS[word]
    for word in "two three four five six seven eight nine ten eleven twelve".split()
} | {"a": 1, "few": 4, "a few": 4, "several": 5, "couple": 2, "a couple": 2}
_N = rf"(?P<n>\d{{1,4}}|{'|'.join(sorted(COUNTS, key=len)[::-1])})(?: of)?"
# Words for the newest there is; not "the now-defunct company", "falling now for weeks", "electric
# current".
LATEST = re.compile(
    r"\b(?:recent(?:ly)?|latest|newest|currently|presently|nowadays|so far|at present|these days"
    r"|at the moment|up[ -]to[ -]date"
    r"|(?:is|are|am|right|as of|by|does|do|what|who|where|has|have) now|now(?=\W*\Z)"
    r"|(?<!electric )(?<!direct )(?<!alternating )current (?!account\b|affairs\b|events\b|of\b|in\b"
    r"|is\b|was\b|through\b)(?=\w))\b",
    re.IGNORECASE,
)
# The first that is found decides. News about a day is often published on the next.
_RULES: tuple[tuple[re.Pattern[str], Callable[[dt.date, re.Match[str]], Period]], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), resolve)
    for pattern, resolve in (
        (r"today|tonight|this (?:morning|afternoon|evening)", _days(1, 0)),
        (r"yesterday|last night", _days(2, 0)),
        (rf"(?:last|past|previous) {_N} (?P<unit>day|week|month|year)s", _count),
        (rf"{_N} (?P<unit>day|week|month|year)s? ago", _count_ago),
        (r"last week|(?:the )?previous week", _last_week),
        (
            r"this (?:past )?week(?:end)?|(?:the |this )?past week(?:end)?|recent days"
            r"|last weekend",
            _days(7, 0),
        ),
        (r"this month", _this_month),
        (r"last month|(?:the )?previous month", _last_month),
        (r"(?:the |this )?past month|recent weeks", _days(31, 0)),
        (r"this year", _this_year),
        (r"last year|(?:the )?previous year", _last_year),
        (r"(?:the |this )?past year|recent months", _days(365, 0)),
        (
            rf"(?:on|last|this|since) (?P<day>{_DAYS_PATTERN})"
            rf"(?!,? (?:\d|(?:{_MONTHS_PATTERN})\b))",
            _weekday,
        ),
        (rf"last (?P<month>{_MONTHS_PATTERN})(?! \d)", _last_named_month),
        (r"(?<!most )recent(?:ly)?", _days(30, 0)),
    )
)
