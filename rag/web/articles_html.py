"""The list of articles as HTML: what is there, by search, outlet, period and order, and the bars
of the articles along time.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from rag.ingest.folder import ADDED
from rag.text.dates import day_of
from rag.texts import is_day, period_in_words
from rag.types import ArticleSummary, Scope
from rag.web.templating import render

PAGE = 100  # articles listed at a time
MOST_LISTED = 5_000  # … and at most: more would make the page slow
SKIPPED = 100  # files in the list of those that could not be read
TOOLS_FROM = 6  # so many articles have a search
OUTLETS = 200
LONGEST_SEARCH = 500  # characters of a search or an outlet
ORDERS = {"newest", "oldest", "title"}


@dataclass(frozen=True, slots=True)
class View:
    """Which articles are listed, and how."""

    query: str = ""
    source: str = ""
    first: str = ""  # day, "YYYY-MM-DD", or ""
    last: str = ""
    order: str = "newest"
    most: int = PAGE

    @classmethod
    def of(cls, wanted: object) -> Self:
        """Return what the page asks for; it comes from the browser and is not trusted."""
        asked: Mapping[Any, Any] = wanted if isinstance(wanted, dict) else {}
        query, source, order, first, last, most = (
            str(asked.get(key) or "")[:LONGEST_SEARCH]
            for key in ("query", "source", "order", "first", "last", "most")
        )
        number = int(most) if most.isascii() and most.isdigit() and len(most) < 8 else PAGE
        return cls(
            query.strip(),
            source,
            first if is_day(first) else "",
            last if is_day(last) else "",
            order if order in ORDERS else "newest",
            max(PAGE, min(MOST_LISTED, number)),
        )

    def narrowed(self) -> bool:
        """Return whether some articles are left out."""
        return bool(self.query or self.source or self.first or self.last)

    def matching(self, articles: Sequence[ArticleSummary]) -> list[ArticleSummary]:
        """Return the articles that are meant, in order."""
        words = self.query.casefold().split()
        found = [
            a
            for a in articles
            if (not self.source or (a.source or "") == self.source)
            and _in_period(a, self.first, self.last)
            and _has(a, words)
        ]
        if self.order == "title":
            return sorted(found, key=lambda a: a.title.casefold())
        dated = [(day, a) for a in found if (day := day_of(a.published))]
        dated.sort(key=lambda pair: pair[0], reverse=self.order == "newest")
        return [a for _, a in dated] + [a for a in found if not day_of(a.published)]

    def scope(self, articles: Sequence[ArticleSummary]) -> Scope:
        """Return what a question is limited to that is asked of the listed articles alone."""
        if self.query or self.source:
            return Scope(paths=frozenset(a.path for a in self.matching(articles)))
        return Scope(first=self.first or None, last=self.last or None)


def _in_period(article: ArticleSummary, first: str, last: str) -> bool:
    if not first and not last:
        return True
    date = day_of(article.published)
    return date is not None and first <= date.isoformat() <= (last or "9999")


def _has(article: ArticleSummary, words: Sequence[str]) -> bool:
    text = f"{article.title}\n{article.source or ''}\n{article.path}".casefold()
    return all(word in text for word in words)


def shelf(
    articles: Sequence[ArticleSummary],
    view: View = View(),
    *,
    skipped: Sequence[tuple[str, str]] = (),
    removable: Collection[str] | None = (),
    notice: str = "",
    adding: bool = False,
    behind: str = "",
) -> str:
    """Return the list of what is indexed; each entry opens in the reader.

    ``skipped``: files that could not be read, each with the reason. ``removable``: beginnings of
    the paths that may be removed. ``notice``: why the articles cannot be listed. ``adding``:
    whether files can be added in the page. ``behind``: what of the index is not ready yet.
    """
    matching = view.matching(articles)
    any_day = replace(view, first="", last="")  # the bars show what other days have, too
    in_bars = matching if view == any_day else any_day.matching(articles)
    more = max(0, len(matching) - view.most)
    return render(
        "articles.html",
        articles=articles,
        view=view,
        skipped=skipped,
        most_skipped=SKIPPED,
        removable=tuple(removable or ()),
        added=f"{ADDED}/",
        notice=notice,
        adding=adding,
        behind=behind,
        searchable=len(articles) >= TOOLS_FROM,
        outlets=_outlets(articles),
        timeline=_timeline(in_bars, view.first, view.last),
        matching=len(matching),
        sentences=sum(article.sentences for article in articles),
        listed=matching[: view.most],
        more=more,
        next_most=min(MOST_LISTED, view.most + 10 * PAGE) if view.most < MOST_LISTED else None,
    )


def _outlets(articles: Sequence[ArticleSummary]) -> list[tuple[str, int]]:
    """Return the outlets with the most articles, by name, each with how many these are."""
    counts = Counter(article.source for article in articles if article.source)
    most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].casefold()))[:OUTLETS]
    return sorted(most, key=lambda pair: pair[0].casefold())


# The articles along time: a bar for each day, month, year or decade, which narrows the list to it.

FROM = 3  # so many dated articles have a time line
BARS = 48  # at most


@dataclass(frozen=True, slots=True)
class Bar:
    """Days in a row, both ends included, and how many articles are of them."""

    first: dt.date
    last: dt.date
    articles: int

    def in_words(self) -> str:
        return period_in_words(self.first.isoformat(), self.last.isoformat())


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


@dataclass(frozen=True, slots=True)
class Timeline:
    """The bars of some articles."""

    bars: Sequence[Bar]
    highest: int  # articles of one bar
    chosen: Bar | None  # the bar of the days that the list is narrowed to
    focused: Bar  # the one that Tab reaches
    undated: int  # articles that have no bar


def timeline(articles: Sequence[ArticleSummary], first: str = "", last: str = "") -> str:
    """Return the bars of these articles; ``first`` and ``last`` are the days that are chosen.

    "" where there is nothing to see.
    """
    return render("timeline.html", timeline=_timeline(articles, first, last))


def _timeline(articles: Sequence[ArticleSummary], first: str, last: str) -> Timeline | None:
    days = [day for article in articles if (day := day_of(article.published))]
    shown = bars(days)
    if len(days) < FROM or len(shown) < 2:
        return None
    chosen = next(
        (bar for bar in shown if (bar.first.isoformat(), bar.last.isoformat()) == (first, last)),
        None,
    )
    return Timeline(
        shown,
        highest=max(bar.articles for bar in shown),
        chosen=chosen,
        focused=chosen or next(bar for bar in shown if bar.articles),
        undated=len(articles) - len(days),
    )
