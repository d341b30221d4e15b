"""The list of articles as HTML: what is there, by search, outlet, period and order. Pure functions;
every value is escaped where it enters the markup.

The fields of the search have no values here: what is typed stays in the page, which sends it.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any, Self

from rag import texts
from rag.ingest.folder import ADDED
from rag.ingest.formats import file_in
from rag.text.dates import day_of
from rag.text.untrusted import as_html
from rag.texts import day, is_day, period_in_words
from rag.types import ArticleSummary, Scope
from rag.web.uploads import LONGEST

PAGE = 100  # articles listed at a time
MOST = 5_000  # … and at most: more would make the page slow
SKIPPED = 100  # files in the list of those that could not be read
TOOLS_FROM = 6  # so many articles have a search
OUTLETS = 200
LONGEST_SEARCH = 500  # characters of a search or an outlet
ORDERS = {
    "newest": texts.NEWEST_FIRST, "oldest": texts.OLDEST_FIRST, "title": texts.BY_TITLE,
}  # fmt: skip


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
            max(PAGE, min(MOST, number)),
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
    articles: Sequence[ArticleSummary], view: View = View(), *,
    skipped: Sequence[tuple[str, str]] = (), removable: Collection[str] | None = (),
    notice: str = "", adding: bool = False, behind: str = "",
) -> str:  # fmt: skip
    """Return the list of what is indexed; each entry opens in the reader.

    ``skipped``: files that could not be read, each with the reason. ``removable``: beginnings of
    the paths that may be removed. ``notice``: why the articles cannot be listed. ``adding``:
    whether files can be added in the page. ``behind``: what of the index is not ready yet.
    """
    if notice:
        return f'<p class="notice" role="status">{as_html(notice)}</p>'
    if not articles:
        how = texts.ADD_OR_PUT if adding else texts.PUT
        command = f"<code>{texts.INDEX_COMMAND}</code>"
        said = texts.INTO_A_FOLDER.format(how, "<code>.zip</code>", command)
        return f'<p class="count">{texts.NOTHING_INDEXED}</p><p>{said}</p>{_skipped(skipped)}'
    found = view.matching(articles)
    tools = _tools(articles) if len(articles) >= TOOLS_FROM else ""
    line = timeline(replace(view, first="", last="").matching(articles), view.first, view.last)
    starts = tuple(removable or ())
    entries = "".join(_entry(article, starts) for article in found[: view.most])
    nothing = "" if found else f'<p class="none">{texts.NONE_MATCHES}</p>'
    return (
        f"{f'<p>{as_html(behind)}</p>' if behind else ''}"
        f'{tools}{line}<div class="counted">{_count(articles, found, view)}</div>'
        f'<ul class="library" aria-label="{texts.ARTICLES}">{entries}</ul>{nothing}'
        f"{_more(len(found), view)}{_skipped(skipped)}"
    )


def _count(articles: Sequence[ArticleSummary], found: Sequence[ArticleSummary], view: View) -> str:
    if not view.narrowed():
        sentences = sum(article.sentences for article in articles)
        indexed = texts.INDEXED.format(texts.articles(len(articles)))
        said = f"{indexed} · {texts.sentences(sentences)}"
        return f'<p class="count" role="status">{said}</p>'
    of = texts.MATCHING.format(len(found), texts.articles(len(articles)))
    period = period_in_words(view.first, view.last)
    said = f"{of}{f' · {period}' if period else ''}"
    ask = f'<button type="button" class="plain" data-ask-listed>{texts.ASK_ONLY_THESE}</button>'
    return (
        f'<p class="count" role="status">{said}</p>{ask if found else ""}'
        f'<button type="button" class="plain" data-show-all>{texts.SHOW_ALL}</button>'
    )


def _tools(articles: Sequence[ArticleSummary]) -> str:
    counts: dict[str, int] = {}
    for article in articles:
        if article.source:
            counts[article.source] = counts.get(article.source, 0) + 1
    outlets = sorted(counts, key=lambda name: (-counts[name], name.casefold()))[:OUTLETS]
    options = "".join(
        f'<option value="{escape(name)}">{as_html(name)} ({counts[name]:,})</option>'
        for name in sorted(outlets, key=str.casefold)
    )
    orders = "".join(f'<option value="{key}">{name}</option>' for key, name in ORDERS.items())
    outlet = (
        f'<label><span class="unseen">{texts.OUTLET}</span><select data-list="source">'
        f'<option value="">{texts.ALL_OUTLETS}</option>{options}</select></label>'
    )
    return (
        f'<div class="tools" role="search" aria-label="{texts.ARTICLES}">'
        f'<input type="search" data-list="query" aria-label="{texts.SEARCH_LIST}" '
        f'placeholder="{texts.SEARCH_WHAT}" autocomplete="off">'
        f"{outlet if len(outlets) > 1 else ''}"
        f'<label><span class="unseen">{texts.ORDER}</span><select data-list="order">'
        f"{orders}</select></label></div>"
    )


def _entry(article: ArticleSummary, removable: tuple[str, ...]) -> str:
    path, title = escape(article.path), as_html(article.title)
    about = [day(article.published) if article.published else "", as_html(article.source or "")]
    facts = "".join(f"<span>{part}</span>" for part in about if part)
    here = article.path.startswith(f"{ADDED}/")
    added = f'<span class="added">{texts.ADDED_HERE}</span>' if here else ""
    file = file_in(article.path)
    remove = (
        f'<button type="button" class="quiet" data-remove="{escape(file)}" data-name="{title}" '
        f'data-whole="{"" if file == article.path else as_html(file)}" '
        f'aria-label="{texts.REMOVE_THIS.format(title)}">{texts.REMOVE}</button>'
        if any(article.path.startswith(start) for start in removable)
        else ""
    )
    return (
        f'<li><input type="checkbox" class="pick" data-pick="{path}" '
        f'aria-label="{texts.SELECT.format(title)}">'
        f'<div><button type="button" class="entry" data-article="{path}">'
        f'<span class="title" dir="auto">{title}</span></button>'
        f'<p class="about">{facts}{added}<span class="path" dir="auto">{as_html(article.path)}'
        f"</span></p></div>{remove}</li>"
    )


def _more(found: int, view: View) -> str:
    left = found - view.most
    if left <= 0:
        return ""
    if view.most >= MOST:
        return f"<p>{texts.MORE_THAN_LISTED.format(left)}</p>"
    most = min(MOST, view.most + 10 * PAGE)
    return (
        f'<p><button type="button" class="plain" data-most="{most}">'
        f"{texts.SHOW_MORE.format(min(left, most - view.most))}</button></p>"
    )


def _skipped(files: Sequence[tuple[str, str]]) -> str:
    if not files:
        return ""
    rows = "".join(
        f'<li dir="auto"><span class="path">{as_html(path)}</span> {as_html(reason)}</li>'
        for path, reason in files[:SKIPPED]
    )
    left = len(files) - SKIPPED
    more = f"<li>{texts.AND_MORE.format(left)}</li>" if left > 0 else ""
    said = texts.NOT_READ.format(texts.files(len(files)))
    return (
        f'<details class="skipped" id="skipped"><summary>{said}</summary>'
        f"<ul>{rows}{more}</ul></details>"
    )


# Where a person names a folder of this computer by its path, as HTML. shelf_path.js sends what is
# typed, uploads.py looks there.

FORM = (
    f'<details class="from-path" id="from-path"><summary>{texts.ADD_BY_PATH}</summary>'
    f'<form data-path-form><label for="typed-path">{texts.PATH_LABEL}</label>'
    f'<input id="typed-path" name="path" type="text" dir="ltr" maxlength="{LONGEST}" '
    'autocomplete="off" autocapitalize="none" spellcheck="false" '
    f'placeholder="{texts.PATH_EXAMPLE}" aria-describedby="path-hint">'
    f'<button type="submit" class="plain">{texts.ADD_PATH}</button>'
    f'<p id="path-hint">{texts.PATH_HINT}</p></form></details>'
)


# The articles along time, as HTML: a bar for each day, month, year or decade, which narrows the
# list to it.

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
