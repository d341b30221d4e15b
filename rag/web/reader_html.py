"""The reading pane as HTML: one whole article with its cited sentences marked, or none. Pure
functions; every value is escaped where it enters the markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape
from urllib.parse import urlsplit

from rag import texts
from rag.text.sentences import WRAPPED
from rag.text.untrusted import as_html, shown
from rag.texts import day
from rag.types import Article

LINE_BREAKS = re.compile(r"(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*")
BLANK_LINE = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)")
_CLOSE = f'<button type="button" class="plain narrow-only" data-close>{texts.CLOSE}</button>'

_OPENED = '<p class="unseen" role="status">{}</p>'  # read out, so that a click is not silent


def nothing_open(notice: str = "") -> str:
    """Return the pane without an article: the list beside it is seen. ``notice``: why."""
    return f'<div class="pane" data-view="library">{_OPENED.format("")}{_notice(notice)}</div>'


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
        texts.PUBLISHED.format(day(article.published)) if article.published else "",
        as_html(article.source or ""),
        texts.BY.format(as_html(article.author)) if article.author else "",
        _link(article.url),
    ]
    about = " · ".join(fact for fact in facts if fact)
    return (
        f'<div class="pane" data-view="article" data-article="{escape(article.path)}"{place}'
        f"{origin}>{_OPENED.format(told(article, current))}"
        f'<div class="pane-bar">'
        f'<button type="button" class="plain" data-library>{texts.ALL_ARTICLES}</button>'
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
    link = f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">'
    return f"{link}{texts.ORIGINAL}</a>"


def _cited_here(
    article: Article, spans: Sequence[Span], current: Span | None, exchange: int | None
) -> str:
    buttons = "".join(
        f'<button type="button" class="cite" data-exchange="{exchange or ""}" '
        f'data-article="{escape(article.path)}" data-start="{span.start}" data-end="{span.end}" '
        f'aria-label="{texts.CITED_SENTENCE.format(span.number)}"'
        + (' aria-current="true"' if span == current else "")
        + f">[{span.number}]</button>"
        for span in spans
        if span.number is not None
    )
    if not buttons:
        return ""
    here = texts.CITED_HERE.format(buttons)
    return f'<nav class="cited" aria-label="{texts.CITED_FROM_HERE}">{here}</nav>'


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
    blank_lines = BLANK_LINE.search(text) is not None
    pieces: list[str] = []
    position = start
    for left, right, span in sorted(taken, key=lambda piece: piece[0]):
        kind = "current" if span is current else "other"
        number = f' data-number="{span.number}"' if span.number is not None else ""
        pieces += [
            _laid_out(text, position, left, blank_lines),
            f'<mark class="{kind}"{number}>{_laid_out(text, left, right, blank_lines)}</mark>',
        ]
        position = right
    return "".join([*pieces, _laid_out(text, position, len(text), blank_lines)])


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


def _laid_out(text: str, start: int, end: int, blank_lines: bool) -> str:
    """Return ``text[start:end]`` with its line breaks made visible and no character changed.

    A blank line parts paragraphs; in a text without blank lines each line is a paragraph. A single
    break after a line of wrapped text is only white space. ``blank_lines``: whether the whole text
    has some.
    """
    pieces: list[str] = []
    position = start
    for match in LINE_BREAKS.finditer(text, start, end):
        near = max(0, match.start() - WRAPPED.stop), match.start()  # a longer line is not wrapped
        line_start = max(text.rfind("\n", *near), text.rfind("\r", *near)) + 1
        parts = BLANK_LINE.match(match.group()) is not None or not blank_lines
        wrapped = match.start() - line_start in WRAPPED
        kind = "gap" if parts else "" if wrapped else "line"
        line_break = f'<span class="{kind}">{match.group()}</span>' if kind else match.group()
        pieces += [as_html(text[position : match.start()]), line_break]
        position = match.end()
    return "".join([*pieces, as_html(text[position:end])])


# What stands above an opened article: steps between its cited sentences, and the quote to copy.

SPOKEN = 300  # characters of a quote that are read out when its article opens


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of an article to mark; ``number`` is its marker in the answer, if it has one."""

    start: int
    end: int
    number: int | None = None


def told(article: Article, current: Span | None) -> str:
    """Return what a screen reader says when the article has opened."""
    if current is None:
        return texts.OPENED.format(as_html(article.title))
    quote = article.text[current.start : current.end]
    quote = quote if len(quote) <= SPOKEN else f"{quote[:SPOKEN]}…"
    return texts.OPENED_AT.format(as_html(article.title), as_html(quote))


def steps(
    article: Article, spans: Sequence[Span], current: Span | None, exchange: int | None
) -> str:
    """Return the buttons that lead from one cited sentence to the next, in the article's order."""
    ordered = sorted(spans, key=lambda span: (span.start, span.end))
    if not ordered or (len(ordered) == 1 and current in ordered):
        return ""
    here = ordered.index(current) if current in ordered else None
    before, after = (-1, 0) if here is None else ((here - 1), (here + 1) % len(ordered))
    place = texts.STEP.format("–" if here is None else here + 1, len(ordered))
    return (
        f'<span class="steps" role="group" aria-label="{texts.STEPS}">'
        f"{_step(article, ordered[before], exchange, 'previous', texts.PREVIOUS)}"
        f'<span class="place">{place}</span>'
        f"{_step(article, ordered[after], exchange, 'next', texts.NEXT)}</span>"
    )


def _step(article: Article, span: Span, exchange: int | None, kind: str, name: str) -> str:
    origin = "" if exchange is None else f' data-exchange="{exchange}"'
    return (
        f'<button type="button" class="plain step" data-step="{kind}" aria-label="{name}" '
        f'data-tip="{name}" data-article="{escape(article.path)}" '
        f'data-start="{span.start}" data-end="{span.end}"{origin}></button>'
    )


def copying(article: Article, current: Span | None) -> str:
    """Return the button that copies the marked sentence with its reference."""
    if current is None:
        return ""
    return (
        f'<button type="button" class="plain" data-copy="{escape(reference(article, current))}" '
        f'data-done="{texts.COPIED}" data-failed="{texts.NOT_COPIED}">{texts.COPY}</button>'
        '<span class="copied" data-copied role="status"></span>'
    )


def reference(article: Article, span: Span) -> str:
    """Return the sentence as it stands, in quotation marks, with its full reference."""
    page = article.page_at(span.start)
    facts = [
        shown(article.title),
        article.source,
        article.published and unescape(day(article.published)),
        texts.PAGE_SHORT.format(page) if page else None,
        article.url or article.path,
    ]
    quote = shown(article.text[span.start : span.end])
    return f"“{quote}” ({', '.join(shown(fact) for fact in facts if fact)})"
