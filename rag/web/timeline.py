"""The articles along time, as HTML: a bar for each day, month, year or decade, which narrows the
list to it.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag import texts
from rag.text.dates import day_of
from rag.types import ArticleSummary
from rag.wording import period_in_words

FROM = 3  # so many dated articles have a time line
BARS = 48  # at most


@dataclass(frozen=True, slots=True)
class Bar:
    """Days in a row, both ends included, and how many articles are of them."""

    first: dt.date
    last: dt.date
    articles: int


def bars(days: Sequence[dt.date]) -> list[Bar]:
    """Return the periods from the first to the last of these days, empty ones too.

    As fine as it goes with BARS at most: days, months, years, decades, or the last centuries.
    """
    if not days:
        return []
    first, last = min(days), max(days)
    for begin, end in STEPS:
        starts = [begin(first)]
        while starts[-1] <= last and len(starts) <= 2 * BARS + 5:
            after = end(starts[-1])
            if after == dt.date.max:
                break
            starts.append(after + dt.timedelta(days=1))
        starts = [start for start in starts if start <= last]
        if len(starts) <= BARS:
            break
    counts = Counter(map(begin, days))
    return [Bar(start, end(start), counts[start]) for start in starts[-BARS:]]


def _decade_end(day: dt.date) -> dt.date:
    return dt.date(min(9999, day.year - day.year % 10 + 9), 12, 31)


def _month_end(day: dt.date) -> dt.date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _century(day: dt.date) -> dt.date:
    return dt.date(max(1, day.year - day.year % 100), 1, 1)


Step = Callable[[dt.date], dt.date]
STEPS: tuple[tuple[Step, Step], ...] = (
    (lambda day: day, lambda day: day),
    (lambda day: day.replace(day=1), _month_end),
    (lambda day: dt.date(day.year, 1, 1), lambda day: dt.date(day.year, 12, 31)),
    (lambda day: dt.date(max(1, day.year - day.year % 10), 1, 1), _decade_end),
    (_century, lambda day: dt.date(day.year - day.year % 100 + 99, 12, 31)),
)


def timeline(articles: Sequence[ArticleSummary], first: str = "", last: str = "") -> str:
    """Return the bars of these articles; ``first`` and ``last`` are the days that are chosen.

    "" where there is nothing to see. One bar at a time can be reached by Tab, the others by the
    arrow keys (the toolbar pattern of the ARIA Authoring Practices Guide).
    """
    days = [day for article in articles if (day := day_of(article.published))]
    shown = bars(days)
    if len(days) < FROM or len(shown) < 2:
        return ""
    highest = max(bar.articles for bar in shown)
    chosen = [
        bar for bar in shown if (bar.first.isoformat(), bar.last.isoformat()) == (first, last)
    ]
    focused = (chosen or [bar for bar in shown if bar.articles])[0]
    columns = "".join(_column(bar, highest, bar in chosen, bar is focused) for bar in shown)
    undated = len(articles) - len(days)
    said = texts.UNDATED.format(undated)
    note = f'<span class="undated">{said}</span>' if undated else "<span></span>"
    ends = [period_in_words(bar.first.isoformat(), bar.last.isoformat()) for bar in shown]
    return (
        f'<div class="timeline"><div class="bars" role="toolbar" aria-label="{texts.BY_DATE}">'
        f'{columns}</div><p class="ends"><span>{ends[0]}</span>{note}<span>{ends[-1]}</span></p>'
        "</div>"
    )


def _column(bar: Bar, highest: int, chosen: bool, focused: bool) -> str:
    if not bar.articles:
        return '<span class="bar"></span>'
    first, last = bar.first.isoformat(), bar.last.isoformat()
    said = f"{period_in_words(first, last)}: {texts.articles(bar.articles)}"
    height = max(6, round(100 * bar.articles / highest))
    return (
        f'<button type="button" class="bar" data-first="{first}" data-last="{last}" '
        f'aria-pressed="{"true" if chosen else "false"}" tabindex="{0 if focused else -1}" '
        f'aria-label="{said}" title="{said}"><span style="height: {height}%"></span></button>'
    )
