"""When an article was published, and by whom, as it says itself: in a field, or in its first lines.

A day is only taken for what it surely is: "03/04/2024" stays as it is written, since it is in March
or in April, and the file's own time says nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from rag.text.dates import DAYS, MONTHS

LONGEST_LINE = 150  # characters of a byline
LONGEST_EVIDENCE = 200  # characters kept of what was read as the date

_MONTH_GROUP = rf"(?P<{{}}>{'|'.join(sorted(MONTHS, key=len)[::-1])})\b\.?"
_DATE = re.compile(
    r"\b(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)"
    r"|\b(?P<compact>(?:19|20)\d{6})(?=T\d|\Z)"
    rf"|\b(?P<day1>\d{{1,2}})(?:st|nd|rd|th|\.)?(?:\sof)?[\s-]{_MONTH_GROUP.format('name1')},?[\s-](?P<year1>\d{{4}})\b"
    rf"|\b{_MONTH_GROUP.format('name2')}\s(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year2>\d{{4}})\b"
    r"|(?<![\d./-])(?P<one>\d{1,2})(?P<mark3>[-/.])(?P<other>\d{1,2})(?P=mark3)(?P<year3>\d{4})(?!\d)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?:first )?(?:published|posted)\b(?: on\b)?\s*:?|date\s*:", re.IGNORECASE)
_BY = re.compile(r"by:?\s+", re.IGNORECASE)
_CLOCK = re.compile(
    r"\d{1,2}(?:[:.]\d{2}){0,2}(?:am|pm|z)?|[ap]\.?m\.?|[a-z]{2,4}t|utc|z", re.IGNORECASE
)
_AROUND = frozenset(
    {"on", "at", "published", "posted", "first", "date", *DAYS, *(d[:3] for d in DAYS)}
)
_SMALL = frozenset(
    "and of de da di del der den la le van von bin al for in the at & with y e".split()
)
_SEPARATOR = re.compile(r"[\s,|·•–—:/()-]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """What a line at the top of an article says about it."""

    published: str | None = None  # "YYYY-MM-DD", or as written where that is not certain
    author: str | None = None
    line: str | None = None  # the line itself, where it is kept


def iso_day(text: str, *, day_first: bool | None = None) -> str | None:
    """Return the one day that a text surely names as "YYYY-MM-DD", or None.

    ``day_first`` says whether 03/04/2024 is in April (True) or in March, where that is known.
    """
    days = {_day(match, day_first) for match in _DATE.finditer(text)}
    return days.pop() if len(days) == 1 else None


def day_or_text(value: str | None, *, day_first: bool | None = None) -> str | None:
    """Return the day that the value of a field names, else the value as it is written."""
    value = " ".join((value or "").split())[:LONGEST_EVIDENCE]
    match = _DATE.match(value)
    return (
        (_day(match, day_first) if match else iso_day(value, day_first=day_first)) or value or None
    )


def evidence(place: str, value: str) -> str:
    """Return what was read as the date and where it stood, on one line."""
    return f"{place}: {' '.join(value.split())}"[:LONGEST_EVIDENCE]


def read_heading(line: str) -> Heading | None:
    """Return what a line says that holds nothing but a byline and a date, else None.

    "By Ann Lee, 4 March 2024", "Published: March 4, 2024 at 10:15 GMT", "Monday 4 March 2024".
    """
    line = " ".join(line.split())
    if not line or len(line) > LONGEST_LINE:
        return None
    if label := _LABEL.match(line):
        line = line[label.end() :].strip()
    by = _BY.match(line)
    date = _DATE.search(line)
    if not by and not date:
        return None
    before, after = (line[: date.start()], line[date.end() :]) if date else (line, "")
    author = None
    if by:
        author = _name(before[by.end() :])
        if author is None:
            return None
        before = ""
    if not _only_around(f"{before} {after}"):
        return None
    return Heading((_day(date, None) or date[0]) if date else None, author)


def _name(text: str) -> str | None:
    words = text.strip(" ,|·•–—-").split()
    while words and words[-1].lower().strip(",:|") in _AROUND:
        words.pop()
    name = " ".join(words).strip(" ,|·•–—-")
    capitals = [word for word in words if word[:1].isupper()]
    others = [
        word for word in words if not word[:1].isupper() and word.strip("|,") not in {*_SMALL, ""}
    ]
    fits = capitals and not others and len(words) <= 12 and not name.endswith((".", "?", "!"))
    return name if fits else None


def _only_around(text: str) -> bool:
    """Return whether these are words, times and marks that stand around a date in a byline."""
    words = [word for word in _SEPARATOR.split(text) if word]
    return all(word.lower().rstrip(".") in _AROUND or _CLOCK.fullmatch(word) for word in words)


def _day(match: re.Match[str], day_first: bool | None) -> str | None:
    if match["compact"]:
        digits = match["compact"]
        return _iso(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if match["year"]:
        return _iso(int(match["year"]), int(match["month"]), int(match["day"]))
    for n in "12":
        if match[f"year{n}"]:
            month = MONTHS[match[f"name{n}"].lower()]
            return _iso(int(match[f"year{n}"]), month, int(match[f"day{n}"]))
    year, one, other = int(match["year3"]), int(match["one"]), int(match["other"])
    if match["mark3"] == ".":  # nowhere does the month come first with full stops
        day_first = True
    orders = (
        [(one, other)]
        if day_first
        else [(other, one)]
        if day_first is False
        else ([(one, other), (other, one)])
    )
    days = {day for d, m in orders if (day := _iso(year, m, d))}
    return days.pop() if len(days) == 1 else None


def _iso(year: int, month: int, day: int) -> str | None:
    try:
        return dt.date(year, month, day).isoformat()
    except ValueError:
        return None
