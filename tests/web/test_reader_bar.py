"""What stands above an opened article, and the words for a confidence."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from rag.history.conversation import Exchange, advance
from rag.types import Answer, Article, Claim, Evidence
from rag.web.answer_html import conversation, support_in_words
from rag.web.reader_html import Highlight, article_html, reference

TEXT = "Title\n\nOne. Two. Three. <b>Four</b>.\n"
ARTICLE = Article("a/b.txt", "Title", TEXT, 7, "2024-05-03", "Coast", pages=(0, 12))


def span(quote: str, number: int) -> Highlight:
    start = TEXT.index(quote)
    return Highlight(start, start + len(quote), number)


ONE, TWO, THREE = span("One.", 2), span("Two.", 3), span("Three.", 1)


def steps(
    article: Article, spans: list[Highlight], current: Highlight | None, exchange: int
) -> str:
    """Return the part of the pane that has the steps."""
    markup = article_html(article, spans, current, exchange=exchange)
    match = re.search(r'<span class="steps".*?</button></span>', markup)
    return match[0] if match else ""


def told(article: Article, current: Highlight | None) -> str:
    """Return what is read out."""
    match = re.search(r'role="status">(.*?)</p>', article_html(article, [], current))
    assert match is not None
    return match[1]


def leads(markup: str) -> list[str]:
    found = re.findall(r'data-step="(\w+)".*?data-start="(\d+)" data-end="(\d+)"', markup)
    return [f"{kind} {TEXT[int(start) : int(end)]}" for kind, start, end in found]


def test_steps_go_through_the_article_in_its_order_and_around() -> None:
    spans = [THREE, ONE, TWO]
    assert leads(steps(ARTICLE, spans, ONE, 1)) == ["previous Three.", "next Two."]
    assert leads(steps(ARTICLE, spans, THREE, 1)) == ["previous Two.", "next One."]
    assert "2 of 3" in steps(ARTICLE, spans, TWO, 1)
    # From a sentence that is not cited, or from none.
    assert leads(steps(ARTICLE, spans, None, 1)) == ["previous Three.", "next One."]
    assert "– of 3" in steps(ARTICLE, spans, None, 1)
    assert steps(ARTICLE, [ONE], ONE, 1) == ""
    assert steps(ARTICLE, [], None, 1) == ""
    assert leads(steps(ARTICLE, [ONE], None, 1)) == ["previous One.", "next One."]


def test_a_quote_has_its_whole_reference() -> None:
    assert reference(ARTICLE, TWO) == "“Two.” (Title, Coast, 3 May 2024, p. 2, a/b.txt)".replace(
        "p. 2", f"p. {ARTICLE.page_at(TWO.start)}"
    )
    online = replace(ARTICLE, url="https://example.org/a", pages=(), published=None)
    assert reference(online, TWO) == "“Two.” (Title, Coast, https://example.org/a)"
    hidden = replace(ARTICLE, title="T\u202eitle", published="<May>")
    assert "T\ufffditle, Coast, <May>," in reference(hidden, TWO)


def test_nothing_above_an_article_is_markup_of_its_text() -> None:
    four = span("<b>Four</b>.", 4)
    markup = article_html(replace(ARTICLE, title='"><b>', source="<b>"), [four], four, exchange=1)
    assert "<b>" not in markup
    assert 'data-copy="“&lt;b&gt;Four' in markup


def test_a_screen_reader_hears_the_sentence() -> None:
    assert told(ARTICLE, None) == "Opened Title"
    assert told(ARTICLE, TWO) == "Opened Title. The cited sentence: Two."
    long = replace(ARTICLE, text="x" * 1_000)
    assert len(told(long, Highlight(0, 1_000))) < 400


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1.0, "Well"),
        (0.8, "Well"),
        (0.79, "Fairly"),
        (0.5, "Fairly"),
        (0.49, "Weakly"),
        (0, "Weakly"),
    ],
)
def test_a_confidence_in_words(value: float, words: str) -> None:
    assert support_in_words(value) == words.lower()
    claims = (Claim("It is.", (), "supported", 0.9),)
    evidence = (Evidence("a.txt", "A", None, 0, 5, "It is.", 0.9),)
    answer = Answer("Q?", claims, (), evidence, declined=False, reason=None, confidence=value)
    markup = conversation([advance(Exchange(1, "Q?"), answer)])
    assert f">{words} supported</button>" in markup
    assert f'class="confidence {words.lower()}" data-tip="{value:.2f}: ' in markup
