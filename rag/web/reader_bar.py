"""What stands above an opened article: steps between its cited sentences, and the quote to copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape, unescape

from rag import texts
from rag.text.untrusted import as_html, shown
from rag.types import Article
from rag.wording import day

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
