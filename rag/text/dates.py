"""Dates and weekdays in a text, brought to one form: "Oct. 23" = "23 October"."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rag.text.terms import fold_spaces

MONTHS = {
    name: n
    for n, names in enumerate(
        (
            "january jan; february feb; march mar; april apr; may; june jun; july jul; august aug; "
            "september sept sep; october oct; november nov; december dec"
        ).split(";"),
        start=1,
    )
    for name in names.split()
}
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
NUMERIC = re.compile(r"(?<![\d./])(\d{1,2})([./])(\d{1,2})\2(\d{4}|\d{2})\b(?![./]?\d)")
_MONTH_NAME = "|".join(MONTHS)
_TO = r"(?:\s?[-–]\s?|\s(?:to|and|or)\s)"
MONTH = re.compile(
    rf"\b(?:(?:(?P<from>\d{{1,2}})(?:st|nd|rd|th)?{_TO})?"
    rf"(?P<before>\d{{1,2}})(?:st|nd|rd|th)?\s(?:of\s)?)?(?P<month>{_MONTH_NAME})\b\.?"
    r"(?:\s(?P<after>\d{1,2})(?:st|nd|rd|th)?\b(?!,?\d)"
    rf"(?:{_TO}(?P<to>\d{{1,2}})(?:st|nd|rd|th)?\b(?!,?\d|\s(?:of\s)?(?:{_MONTH_NAME})\b))?)?"
    r"(?:(?:\s?,)?\s(?:of\s)?(?P<year>\d{4})\b)?"
)


_BEFORE_MONTH = re.compile(r"\b(?:in|since|until|by|last|next) $")
WEEKDAY = re.compile(rf"\b({'|'.join(DAYS)})s?\b")


@dataclass(frozen=True, slots=True)
class Date:
    """A month with day and year where given, or the name of a weekday."""

    written: str
    weekday: str | None = None
    year: int | None = None
    month: int | None = None
    day: int | None = None


def dates(text: str) -> list[Date]:
    """Return the dates and weekdays in a text."""
    return [date for date, _ in dates_with_spans(fold_spaces(text))]


@lru_cache(maxsize=256)
def dates_with_spans(text: str) -> tuple[tuple[Date, tuple[int, int]], ...]:
    """Return the dates in a folded text, each with its span."""
    return tuple(_find_dates(text))


def _find_dates(text: str) -> Iterator[tuple[Date, tuple[int, int]]]:
    for match in ISO.finditer(text):
        year, month, day = (int(part) for part in match.groups())
        yield Date(match[0], year=year, month=month, day=day), match.span()
    for match in NUMERIC.finditer(text):
        one, other, year_of = (int(match[group]) for group in (1, 3, 4))
        year_of += 0 if year_of > 99 else 2000 if year_of < 50 else 1900
        for first, second in {(one, other), (other, one)}:  # 3/4 is in March or in April
            if 1 <= first <= 12 and 1 <= second <= 31:
                yield Date(match[0], None, year_of, first, second), match.span()
    for match in MONTH.finditer(text):
        day_written, year_written = match["before"] or match["after"], match["year"]
        if match["month"] in {"may", "march", "mar", "sep", "dec", "jan"} and not (
            day_written
            or year_written
            or _BEFORE_MONTH.search(text[max(0, match.start() - 9) : match.start()])
        ):
            continue  # the verb, more likely
        in_year = int(year_written) if year_written else None
        for written in [day_written, *filter(None, (match["from"], match["to"]))]:
            on_day = int(written) if written else None
            yield Date(match[0], None, in_year, MONTHS[match["month"]], on_day), match.span()
    for match in WEEKDAY.finditer(text):
        yield Date(match[0], weekday=match[1]), match.span()


def day_of(published: str | None) -> dt.date | None:
    """Return the day of an ISO date or time, None for anything else."""
    try:
        return dt.date.fromisoformat((published or "")[:10])
    except ValueError:
        return None
