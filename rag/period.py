"""The time that a question speaks of: relative dates, and years.

A relative date ("this week", "last month") is resolved against the question's own date, to a period
in which an article about it was probably published. Years ("from 1998 to 2001") are looked for in
the sentences: the one that answers has the same year, or a range of years that overlaps.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from rag.numbers import DAYS, MONTHS

UNKNOWN = 0.5  # closeness of an article without a date
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
        try:
            date = dt.date.fromisoformat((published or "")[:10])
        except ValueError:
            return UNKNOWN
        outside = max((self.first - date).days, (date - self.last).days, 0)
        length = (self.last - self.first).days + 1
        return math.exp(-outside / max(3.0, length / 2))


def period_of(question: str, date: str | None) -> Period | None:
    """Return the period that a question asked on an ISO ``date`` speaks of, or None."""
    if date is None:
        return None
    asked = dt.date.fromisoformat(date)
    for pattern, resolve in _RULES:
        if match := pattern.search(question):
            return resolve(asked, match)
    return None


def years_in(text: str) -> Years:
    """Return the years that a text names, each as a range: 1998 as (1998, 1998), "1998 to 2001",
    "from 1998 to May 2001" and "1998–01" as (1998, 2001).
    """
    found = []
    for match in _YEARS.finditer(text):
        first = last = int(match[1])
        if match[2]:
            last = int(match[2]) if len(match[2]) == 4 else first // 100 * 100 + int(match[2])
        found.append((first, last if first <= last < first + 100 else first))
    return tuple(found)


def overlap(one: Years, other: Years) -> bool:
    """Return whether a range of the one and a range of the other have a year in common."""
    return any(a <= d and c <= b for a, b in one for c, d in other)


def _days(first: int, last: int) -> Callable[[dt.date, re.Match[str]], Period]:
    return lambda asked, _: Period(_ago(asked, first), _ago(asked, last))


def _ago(asked: dt.date, days: int) -> dt.date:
    return dt.date.fromordinal(max(1, asked.toordinal() - days))


def _count(asked: dt.date, match: re.Match[str]) -> Period:
    days = {"day": 1, "week": 7, "month": 31, "year": 366}[match["unit"].lower()]
    return Period(_ago(asked, int(match["n"][:4]) * days), asked)


def _last_week(asked: dt.date, _: re.Match[str]) -> Period:
    monday = _ago(asked, asked.weekday())
    return Period(_ago(monday, 7), _ago(monday, 1))


def _this_month(asked: dt.date, _: re.Match[str]) -> Period:
    return Period(asked.replace(day=1), asked)


def _last_month(asked: dt.date, _: re.Match[str]) -> Period:
    end = _ago(asked.replace(day=1), 1)
    return Period(end.replace(day=1), end)


def _this_year(asked: dt.date, _: re.Match[str]) -> Period:
    return Period(asked.replace(month=1, day=1), asked)


def _last_year(asked: dt.date, _: re.Match[str]) -> Period:
    year = max(1, asked.year - 1)
    return Period(dt.date(year, 1, 1), dt.date(year, 12, 31))


def _weekday(asked: dt.date, match: re.Match[str]) -> Period:
    day = _ago(asked, (asked.weekday() - DAYS.index(match["day"].lower())) % 7)
    return Period(day, _ago(day, -1))  # reported on that day or the next


_DAYS_PATTERN, _MONTHS_PATTERN = "|".join(DAYS), "|".join(MONTHS)
# The first that is found decides. News about a day is often published on the next.
_RULES: tuple[tuple[re.Pattern[str], Callable[[dt.date, re.Match[str]], Period]], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), resolve)
    for pattern, resolve in (
        (r"today|tonight|this (?:morning|afternoon|evening)", _days(1, 0)),
        (r"yesterday|last night", _days(2, 0)),
        (r"(?:last|past|previous) (?P<n>\d{1,4}) (?P<unit>day|week|month|year)s", _count),
        (r"last week|(?:the )?previous week", _last_week),
        (r"this (?:past )?week(?:end)?|(?:the |this )?past week(?:end)?|recent days|last weekend",
         _days(7, 0)),
        (r"this month", _this_month),
        (r"last month|(?:the )?previous month", _last_month),
        (r"(?:the |this )?past month|recent weeks", _days(31, 0)),
        (r"this year", _this_year),
        (r"last year|(?:the )?previous year", _last_year),
        (r"(?:the |this )?past year|recent months", _days(365, 0)),
        (rf"(?:on|last|this|since) (?P<day>{_DAYS_PATTERN})"
         rf"(?!,? (?:\d|(?:{_MONTHS_PATTERN})\b))", _weekday),
        (r"recent(?:ly)?|latest|newest|now|currently|so far", _days(30, 0)),
    )
)  # fmt: skip
