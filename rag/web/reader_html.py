"""The reading pane as HTML: one whole article with its cited sentences marked, or none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from rag import texts
from rag.text.sentences import WRAPPED
from rag.text.untrusted import shown
from rag.types import Article
from rag.web.templating import render

LINE_BREAKS = re.compile(r"(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))*")
BLANK_LINE = re.compile(r"(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)")
SPOKEN = 300  # characters of a quote that are read out when its article opens
Line: TypeAlias = tuple[str, str, str]  # its text, "gap", "line" or "", and the line break after it


@dataclass(frozen=True, slots=True)
class Highlight:
    """A stretch of an article to mark; ``number`` is its marker in the answer, if it has one."""

    start: int
    end: int
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an article's text, which has one mark or none."""

    lines: Sequence[Line]
    span: Highlight | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """Where the buttons lead from one cited sentence to the next, in the article's order."""

    before: Highlight
    after: Highlight
    number: int | None  # of the sentence that is shown; None when none of them is


def nothing_open(notice: str = "") -> str:
    """Return the pane without an article: the list beside it is seen. ``notice``: why."""
    return render("nothing_open.html", notice=notice)


def article_html(
    article: Article,
    spans: Sequence[Highlight] = (),
    current: Highlight | None = None,
    *,
    exchange: int | None = None,
    notice: str = "",
) -> str:
    """Return the whole article with ``spans`` marked, and ``current`` among them more strongly."""
    spans = [span for span in spans if _within(span, article.text)]
    if current is not None and not _within(current, article.text):
        current = None
    marked = [*spans, *([current] if current else [])]
    # Without the blank lines under the title.
    begin = len(article.text) - len(article.text[article.body_start :].lstrip("\r\n"))
    # A mark in the title's lines brings them back.
    body = min([begin, *(span.start for span in marked)])
    quote = article.text[current.start : current.end] if current else ""
    return render(
        "reader.html",
        article=article,
        spans=spans,
        numbered=[span for span in spans if span.number is not None],
        current=current,
        exchange=exchange,
        notice=notice,
        spoken=quote if len(quote) <= SPOKEN else f"{quote[:SPOKEN]}…",
        reference=reference(article, current) if current else "",
        link=_is_link(article.url),
        steps=_steps(spans, current),
        stretches=_stretches(article.text, spans, current, body),
    )


def marked_text(
    text: str, spans: Sequence[Highlight], current: Highlight | None = None, start: int = 0
) -> str:
    """Return ``text[start:]`` as HTML with ``spans`` in <mark>, and ``current`` in a stronger one.

    Where spans overlap, ``current``, then the earlier in the sequence, keeps its whole text in a
    single mark and the others get what is left: inside the strong mark is exactly the quote.
    """
    stretches = _stretches(text, spans, current, start)
    return render("marked_text.html", stretches=stretches, current=current)


def _within(span: Highlight, text: str) -> bool:
    return 0 <= span.start < span.end <= len(text)


def _is_link(url: str | None) -> bool:
    """Return whether an address leads to another site, and to nothing else."""
    try:  # urlsplit raises on some malformed addresses
        # With a host: "http:/path" would lead into this server.
        parts = urlsplit(url or "")
        safe = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
    return safe and url is not None and url.isprintable() and " " not in url


def _stretches(
    text: str, spans: Sequence[Highlight], current: Highlight | None, start: int
) -> list[Stretch]:
    taken: list[tuple[int, int, Highlight]] = []
    for span in [*([current] if current else []), *spans]:
        for left, right in _uncovered(span, taken):
            taken.append((left, right, span))
    blank_lines = BLANK_LINE.search(text) is not None
    stretches: list[Stretch] = []
    position = start
    for left, right, span in sorted(taken, key=lambda piece: piece[0]):
        stretches += [
            Stretch(_lines(text, position, left, blank_lines)),
            Stretch(_lines(text, left, right, blank_lines), span),
        ]
        position = right
    return [*stretches, Stretch(_lines(text, position, len(text), blank_lines))]


def _uncovered(
    span: Highlight, taken: Sequence[tuple[int, int, Highlight]]
) -> list[tuple[int, int]]:
    free = [(span.start, span.end)]
    for left, right, _ in taken:
        free = [
            piece
            for a, b in free
            for piece in ((a, min(b, left)), (max(a, right), b))
            if piece[0] < piece[1]
        ]
    return free


def _lines(text: str, start: int, end: int, blank_lines: bool) -> list[Line]:
    """Return ``text[start:end]`` in lines, each with what its line break means.

    A blank line parts paragraphs ("gap"); in a text without blank lines each line is a paragraph. A
    single break after a line of wrapped text is only white space (""), after another one it stays
    a line break ("line"). ``blank_lines``: whether the whole text has some.
    """
    lines: list[Line] = []
    position = start
    for match in LINE_BREAKS.finditer(text, start, end):
        near = max(0, match.start() - WRAPPED.stop), match.start()  # a longer line is not wrapped
        line_start = max(text.rfind("\n", *near), text.rfind("\r", *near)) + 1
        parts = BLANK_LINE.match(match.group()) is not None or not blank_lines
        wrapped = match.start() - line_start in WRAPPED
        kind = "gap" if parts else "" if wrapped else "line"
        lines.append((text[position : match.start()], kind, match.group()))
        position = match.end()
    return [*lines, (text[position:end], "", "")]


def _steps(spans: Sequence[Highlight], current: Highlight | None) -> Steps | None:
    ordered = sorted(spans, key=lambda span: (span.start, span.end))
    if not ordered or (len(ordered) == 1 and current in ordered):
        return None
    if current is None or current not in ordered:
        return Steps(ordered[-1], ordered[0], None)
    index = ordered.index(current)
    return Steps(ordered[index - 1], ordered[(index + 1) % len(ordered)], index + 1)


def reference(article: Article, span: Highlight) -> str:
    """Return the sentence as it stands, in quotation marks, with its full reference."""
    page = article.page_at(span.start)
    facts = [
        article.title,
        article.source,
        texts.day(article.published) if article.published else None,
        texts.PAGE_SHORT.format(page) if page else None,
        article.url or article.path,
    ]
    quote = shown(article.text[span.start : span.end])
    return f"“{quote}” ({', '.join(filter(None, (shown(fact or '') for fact in facts)))})"
