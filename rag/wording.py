"""Days, periods and times in words, for the page."""

from __future__ import annotations

import calendar
import datetime as dt
from functools import lru_cache

from rag import texts
from rag.text.dates import day_of
from rag.text.untrusted import as_html


def is_day(text: str) -> bool:
    """Return whether a text is a whole ISO date."""
    return len(text) == len("2024-05-03") and day_of(text) is not None


@lru_cache(maxsize=4_096)
def day(published: str) -> str:
    """Return an ISO date as "3 May 2024", anything else as it is; escaped."""
    try:
        date = dt.date.fromisoformat(published)
    except ValueError:
        return as_html(published)
    return f"{date.day} {date:%B} {date.year}"


def period_in_words(first: str, last: str) -> str:
    """Return a period of whole days, as ISO dates or "", as briefly as it can be said."""
    begin, end = day_of(first), day_of(last)
    if begin is None or end is None:
        since = texts.SINCE.format(day(first)) if begin else ""
        return since or (texts.UNTIL.format(day(last)) if end else "")
    if begin == end:
        return day(first)
    ends = end.day == calendar.monthrange(end.year, end.month)[1]
    if begin.day == 1 and ends:
        if begin.year == end.year and (begin.month, end.month) == (1, 12):
            return str(begin.year)
        if (begin.year, begin.month) == (end.year, end.month):
            return f"{begin:%B} {begin.year}"
        if (begin.month, end.month) == (1, 12):
            return texts.FROM_TO.format(begin.year, end.year)
        return texts.FROM_TO.format(f"{begin:%B} {begin.year}", f"{end:%B} {end.year}")
    return texts.FROM_TO.format(day(first), day(last))


def time_left(seconds: float) -> str:
    """Return how long something will still take, roughly."""
    if seconds < 5:
        return texts.A_FEW_SECONDS_LEFT
    if seconds < 90:
        return texts.SECONDS_LEFT.format(round(seconds / 5) * 5)
    return texts.MINUTES_LEFT.format(round(seconds / 60))
