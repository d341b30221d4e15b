"""The reading pane as HTML: the list of articles, and one whole article with its cited sentences
marked. Pure functions; every value is escaped where it enters the markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from urllib.parse import urlsplit

from rag.page import day
from rag.reader_bar import Span as Span  # noqa: PLC0414 - what is marked here is made of them
from rag.reader_bar import copying, steps, told
from rag.types import Article, ArticleSummary
from rag.untrusted import as_html

LISTED = 1_000  # articles in the list; more would make the page slow
SKIPPED = 100  # files in the list of those that could not be read
FILTERED = 8  # from so many articles on, the list has a filter
LINE_BREAKS = re.compile(r"(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*")
BLANK_LINE = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)")
WRAPPED = range(40, 101)  # characters of a line in wrapped text, as in rag.sentences
_CLOSE = '<button type="button" class="plain narrow-only" data-close>Close</button>'

_OPENED = '<p class="unseen" role="status">{}</p>'  # read out, so that a click is not silent


def library(
    articles: Sequence[ArticleSummary], notice: str = "", skipped: Sequence[tuple[str, str]] = ()
) -> str:
    """Return the list of what is indexed; each entry opens in the reader.

    ``skipped``: files that could not be read, each with the reason.
    """
    bar = f'<div class="pane-bar narrow-only"><span></span>{_CLOSE}</div>{_notice(notice)}'
    top = f'<div class="pane" data-view="library">{_OPENED.format("")}{bar}'
    if not articles and notice:  # they could not be read
        return f"{top}</div>"
    if not articles:
        return (
            f'{top}<h2 tabindex="-1">No articles</h2>'
            "<p>Nothing is indexed. Put articles into a folder (text, web pages, PDF, Word, mail, "
            "tables, feeds or a <code>.zip</code> of them), "
            "run <code>python -m rag index FOLDER</code>, and reload this page.</p></div>"
        )
    count = "1 article" if len(articles) == 1 else f"{len(articles):,} articles"
    sentences = sum(article.sentences for article in articles)
    entries = "".join(map(_entry, articles[:LISTED]))
    unlisted = len(articles) - LISTED
    more = f"<p>And {unlisted:,} more, which are searched too.</p>" if unlisted > 0 else ""
    search = (
        '<input type="search" class="filter" data-filter aria-label="Filter the articles" '
        'placeholder="Filter by title, source or file">'
        if len(articles) >= FILTERED
        else ""
    )
    return (
        f'{top}<h2 tabindex="-1">Your articles</h2>'
        f'<p class="count">{count} indexed · {sentences:,} sentences</p>{search}'
        f'<ul class="library">{entries}</ul>{more}{_skipped(skipped)}</div>'
    )


def _skipped(files: Sequence[tuple[str, str]]) -> str:
    if not files:
        return ""
    count = "1 file" if len(files) == 1 else f"{len(files):,} files"
    rows = "".join(
        f'<li dir="auto"><span class="path">{as_html(path)}</span> {as_html(reason)}</li>'
        for path, reason in files[:SKIPPED]
    )
    more = f"<li>and {len(files) - SKIPPED:,} more</li>" if len(files) > SKIPPED else ""
    return (
        f'<details class="skipped"><summary>{count} could not be read</summary>'
        f"<ul>{rows}{more}</ul></details>"
    )


def _entry(article: ArticleSummary) -> str:
    about = [day(article.published) if article.published else "", as_html(article.source or "")]
    return (
        f'<li><button type="button" class="entry" data-article="{escape(article.path)}">'
        f'<span class="title" dir="auto">{as_html(article.title)}</span>'
        f'<span class="about">{" · ".join(part for part in about if part)}</span>'
        f'<span class="path">{as_html(article.path)}</span></button></li>'
    )


def article_html(
    article: Article,
    spans: Sequence[Span] = (),
    current: Span | None = None,
    *,
    exchange: int | None = None,
    notice: str = "",
) -> str:
    """Return the whole article with ``spans`` marked, and ``current`` among them more strongly."""
    shown = [span for span in spans if _within(span, article.text)]
    if current is not None and not _within(current, article.text):
        current = None
    place = f' data-start="{current.start}" data-end="{current.end}"' if current else ""
    origin = f' data-exchange="{exchange}"' if exchange is not None else ""
    marked = [*shown, *([current] if current else [])]
    # Without the blank lines under the title.
    begin = len(article.text) - len(article.text[article.body_start :].lstrip("\r\n"))
    # A mark in the title's lines brings them back.
    body = min([begin, *(span.start for span in marked)])
    text = marked_text(article.text, shown, current, body)
    facts = [
        f"Published {day(article.published)}" if article.published else "",
        as_html(article.source or ""),
        as_html(f"By {article.author}" if article.author else ""),
        _link(article.url),
    ]
    about = " · ".join(fact for fact in facts if fact)
    return (
        f'<div class="pane" data-view="article" data-article="{escape(article.path)}"{place}'
        f"{origin}>{_OPENED.format(told(article, current))}"
        f'<div class="pane-bar">'
        '<button type="button" class="plain" data-library>All articles</button>'
        f'<span class="running" aria-hidden="true" dir="auto">{as_html(article.title)}</span>'
        f"{steps(article, shown, current, exchange)}{copying(article, current)}"
        f'{_CLOSE}</div><h2 tabindex="-1" dir="auto">{as_html(article.title)}</h2>'
        f'<p class="about">{about}</p><p class="path">{as_html(article.path)}</p>'
        + _cited_here(article, shown, current, exchange)
        + _notice(notice)
        + f'<div class="text" dir="auto">{text}</div></div>'
    )


def _notice(notice: str) -> str:
    return f'<p class="notice" role="status">{as_html(notice)}</p>' if notice else ""


def _within(span: Span, text: str) -> bool:
    return 0 <= span.start < span.end <= len(text)


def _link(url: str | None) -> str:
    try:  # urlsplit raises on some malformed addresses
        # With a host: "http:/path" would lead into this server.
        parts = urlsplit(url or "")
        safe = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        safe = False
    if not safe or url is None or not url.isprintable() or " " in url:
        return as_html(url or "")
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">Original</a>'


def _cited_here(
    article: Article, spans: Sequence[Span], current: Span | None, exchange: int | None
) -> str:
    buttons = "".join(
        f'<button type="button" class="cite" data-exchange="{exchange or ""}" '
        f'data-article="{escape(article.path)}" data-start="{span.start}" data-end="{span.end}" '
        f'aria-label="Cited sentence {span.number}"'
        + (' aria-current="true"' if span == current else "")
        + f">[{span.number}]</button>"
        for span in spans
        if span.number is not None
    )
    if not buttons:
        return ""
    return f'<nav class="cited" aria-label="Cited from this article">Cited here {buttons}</nav>'


def marked_text(
    text: str, spans: Sequence[Span], current: Span | None = None, start: int = 0
) -> str:
    """Return ``text[start:]`` as HTML with ``spans`` in <mark>, and ``current`` in a stronger one.

    Where spans overlap, ``current``, then the earlier in the sequence, keeps its whole text in a
    single mark and the others get what is left: inside the strong mark is exactly the quote.
    """
    taken: list[tuple[int, int, Span]] = []
    for span in [*([current] if current else []), *spans]:
        for left, right in _uncovered(span, taken):
            taken.append((left, right, span))
    pieces: list[str] = []
    position = start
    for left, right, span in sorted(taken, key=lambda piece: piece[0]):
        kind = "current" if span is current else "other"
        number = f' data-number="{span.number}"' if span.number is not None else ""
        pieces += [
            _laid_out(text, position, left),
            f'<mark class="{kind}"{number}>{_laid_out(text, left, right)}</mark>',
        ]
        position = right
    return "".join([*pieces, _laid_out(text, position, len(text))])


def _uncovered(span: Span, taken: Sequence[tuple[int, int, Span]]) -> list[tuple[int, int]]:
    free = [(span.start, span.end)]
    for left, right, _ in taken:
        free = [
            piece
            for a, b in free
            for piece in ((a, min(b, left)), (max(a, right), b))
            if piece[0] < piece[1]
        ]
    return free


def _laid_out(text: str, start: int, end: int) -> str:
    """Return ``text[start:end]`` with its line breaks made visible and no character changed.

    A blank line parts paragraphs; in a text without blank lines each line is a paragraph. A single
    break after a line of wrapped text is only white space.
    """
    has_blank_lines = BLANK_LINE.search(text) is not None
    pieces: list[str] = []
    position = start
    for match in LINE_BREAKS.finditer(text, start, end):
        line_start = max(text.rfind("\n", 0, match.start()), text.rfind("\r", 0, match.start())) + 1
        parts = BLANK_LINE.match(match.group()) is not None or not has_blank_lines
        wrapped = match.start() - line_start in WRAPPED
        kind = "gap" if parts else "" if wrapped else "line"
        line_break = f'<span class="{kind}">{match.group()}</span>' if kind else match.group()
        pieces += [as_html(text[position : match.start()]), line_break]
        position = match.end()
    return "".join([*pieces, as_html(text[position:end])])
