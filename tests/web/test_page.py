"""What the page shows, without a browser: every value escaped, every highlight exact."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from fake_rag import ARTICLES, HOSTILE
from markup import seen, without_docs

from rag.history.conversation import Exchange, advance, turns
from rag.types import (
    Answer,
    Article,
    ArticleSummary,
    Citation,
    Claim,
    ClaimVerified,
    Evidence,
    EvidenceFound,
    Turn,
)
from rag.web.answer_html import conversation, welcome
from rag.web.articles_html import View, shelf
from rag.web.reader_html import Highlight, article_html, marked_text, nothing_open

TEXT = "Title\n\nOne <b>two</b> & “three”.\nFour\u00a0five.  Six 🛶 seven.\r\n\r\nEight.\n"


def marks(markup: str, kind: str) -> list[str]:
    found = re.findall(rf'<mark class="{kind}"[^>]*>(.*?)</mark>', markup, re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", mark)) for mark in found]


def span(text: str, quote: str, number: int | None = None) -> Highlight:
    start = text.index(quote)
    return Highlight(start, start + len(quote), number)


def evidence(**changed: object) -> Evidence:
    return replace(Evidence("a.txt", "A", "2024-05-03", 0, 5, "Five.", 0.9), **changed)  # type: ignore[arg-type]


def citation(**changed: object) -> Citation:
    return replace(Citation(1, "a.txt", "A", "2024-05-03", 0, 5, "Five.", 0.9), **changed)  # type: ignore[arg-type]


def answer(**changed: object) -> Answer:
    base = Answer(
        "Q?",
        (Claim("It is five.", (1,), "supported", 0.9),),
        (citation(),),
        (evidence(), evidence(start=6, end=10, quote="Six.")),
        False,
        None,
        0.87,
        (),
        {"first_evidence": 96.0, "total": 9_400.0},
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def answered(**changed: object) -> Exchange:
    return advance(Exchange(1, "Q?"), answer(**changed))


# -- escaping ---------------------------------------------------------------------------------


def hostile_exchange() -> Exchange:
    cited = citation(article=HOSTILE, title=HOSTILE, published=HOSTILE, quote=HOSTILE)
    found = evidence(article=HOSTILE, title=HOSTILE, published=HOSTILE, quote=HOSTILE, start=9)
    claims = (Claim(HOSTILE, (1,), "supported", 1.0), Claim(HOSTILE, (1,), "quoted", 1.0))
    done = answer(
        claims=claims, citations=(cited,), evidence=(found,) * 7, reason=HOSTILE, notes=(HOSTILE,)
    )
    exchange = advance(Exchange(1, HOSTILE), done)
    place = (cited.article, cited.start, cited.end)
    return replace(exchange, contexts={place: (HOSTILE, HOSTILE)}, error=HOSTILE)


def hostile_pages() -> list[str]:
    exchange = hostile_exchange()
    article = Article(HOSTILE, HOSTILE, f"a {HOSTILE} b", 0, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    summary = ArticleSummary(HOSTILE, HOSTILE, HOSTILE, HOSTILE, 1, 1)
    done = exchange.answer
    assert done is not None
    declined = replace(exchange, claims=(), citations=(), answer=replace(done, declined=True))
    spans = [Highlight(2, 20, 1), Highlight(10, 60, 2)]
    return [
        conversation([exchange]),
        conversation([declined]),
        conversation([replace(exchange, state="reading", answer=None)]),
        nothing_open(HOSTILE),
        shelf([summary] * 9, View(HOSTILE), skipped=[(HOSTILE, HOSTILE)], removable=[""]),
        shelf([summary] * 9, skipped=[(HOSTILE, HOSTILE)], removable=[""]),
        shelf((), notice=HOSTILE),
        without_docs(welcome([summary], [HOSTILE])),
        welcome((), error=HOSTILE),
        article_html(article, spans, spans[0], exchange=1, notice=HOSTILE),
    ]


@pytest.mark.parametrize("markup", hostile_pages())
def test_hostile_text_stays_text(markup: str) -> None:
    page = seen(markup)
    assert not page.tags & {"script", "img", "svg", "iframe", "a"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert "window.__pwned='script'" in page.text


def test_only_web_addresses_become_links() -> None:
    article = ARTICLES[0]
    for url in ("javascript:alert(1)", "data:text/html,x", "http://[broken", "//example.org"):
        assert "a" not in seen(article_html(replace(article, url=url))).tags
    linked = article_html(replace(article, url='https://example.org/?a="b'))
    assert ("href", 'https://example.org/?a="b') in seen(linked).attributes
    assert ("rel", "noopener noreferrer") in seen(linked).attributes


# -- highlights -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quote",
    [
        "One <b>two</b> & “three”.",
        "Six 🛶 seven.",
        "“three”.\nFour\u00a0five.",
        "seven.\r\n\r\nEight.",
    ],
)
def test_the_mark_holds_exactly_the_quote(quote: str) -> None:
    assert marks(marked_text(TEXT, [], span(TEXT, quote)), "current") == [quote]


def test_nothing_of_the_text_is_lost_or_changed() -> None:
    spans = [span(TEXT, "Six 🛶"), span(TEXT, "two</b> &"), Highlight(0, len(TEXT))]
    assert seen(marked_text(TEXT, spans)).text == TEXT
    assert seen(marked_text(TEXT, [])).text == TEXT


def test_several_citations_in_one_article() -> None:
    one, six = span(TEXT, "One", 1), span(TEXT, "Six", 2)
    article = Article("a.txt", "Title", TEXT, 7)
    markup = article_html(article, [one, six], six, exchange=4)
    assert marks(markup, "current") == ["Six"]
    assert marks(markup, "other") == ["One"]
    assert 'data-number="1"' in markup
    assert markup.count('aria-label="Cited sentence') == 2
    assert markup.count('aria-current="true"') == 1
    assert "Title" not in markup.partition('class="text"')[2]  # shown above, not twice


def test_of_overlapping_spans_the_current_one_stays_whole() -> None:
    current, left, right = Highlight(10, 20), Highlight(5, 15, 1), Highlight(12, 30, 2)
    text = "0123456789" * 4
    markup = marked_text(text, [left, right], current)
    assert marks(markup, "current") == [text[10:20]]
    assert marks(markup, "other") == [text[5:10], text[20:30]]
    inside = marked_text(text, [Highlight(5, 30)], Highlight(10, 20))
    assert marks(inside, "other") == [text[5:10], text[20:30]]
    assert seen(markup).text == seen(inside).text == text


@pytest.mark.parametrize("start_end", [(-1, 5), (5, 5), (9, 4), (0, 10_000), (-9, -2)])
def test_offsets_out_of_range_mark_nothing(start_end: tuple[int, int]) -> None:
    article = Article("a.txt", "Title", TEXT, 7)
    markup = article_html(article, [Highlight(*start_end, 1)], Highlight(*start_end))
    assert "<mark" not in markup
    assert seen(markup).text.endswith(TEXT[7:])


def test_line_breaks_become_paragraphs_only_where_the_text_means_them() -> None:
    assert marked_text("One.\nTwo.", []) == 'One.<span class="gap">\n</span>Two.'
    wrapped = "x" * 60
    assert marked_text(f"{wrapped}\ny\n\nz", []) == (
        f'{wrapped}\ny<span class="gap">\n\n</span>z'  # a blank line parts, a wrapped one does not
    )
    assert marked_text("- a\n- b\n\nz", []).startswith('- a<span class="line">\n</span>- b')


# -- the conversation -------------------------------------------------------------------------


def test_evidence_then_claims_then_sources() -> None:
    exchange = Exchange(1, "Q?")
    assert "Looking in your articles" in conversation([exchange])
    exchange = advance(exchange, EvidenceFound((evidence(), evidence(start=9)), 0.9))
    markup = conversation([exchange])
    assert "Found in your articles" in markup
    assert "Reading the evidence" in markup
    exchange = advance(exchange, ClaimVerified(answer().claims[0], answer().citations))
    markup = conversation([exchange])
    assert "It is" in markup
    assert 'aria-label="Source 1: A"' in markup
    assert "Found in your articles" in markup
    assert '<span class="number">1</span>' in markup  # the cited one has its number already
    assert markup.count('class="dot"') == 1
    markup = conversation([advance(exchange, answer())])
    assert "<h3>Sources</h3>" in markup
    assert "Also found (1)" in markup  # the other sentence; the cited one is not listed twice
    assert "found in 0.1\u00a0s · answered in 9.4\u00a0s" in markup
    assert 'data-tip="0.87: ' in markup
    assert "Well supported</button>" in markup
    assert 'aria-busy="false"' in markup


def test_a_quoted_claim_says_so() -> None:
    markup = conversation([answered(claims=(Claim("Five.", (1,), "quoted", 1.0),))])
    assert '<span class="label">Quoted</span>' in markup
    assert seen(markup).text.count("Five.") == 2  # as a claim and among the sources
    markup = conversation([answered(claims=(Claim("Five.", (1,), "quoted", 1.0, "quoted"),))])
    assert '<span class="label">Quoted in place of the drafted words</span>' in markup


def test_a_source_with_pages_says_on_which_it_stands() -> None:
    markup = conversation([answered(citations=(citation(page=3),))])
    assert '<span class="date">3 May 2024 · page 3</span>' in markup
    markup = conversation([answered(citations=(citation(page=3, published=None),))])
    assert '<span class="date">page 3</span>' in markup


def test_a_refusal_is_plain_to_see() -> None:
    notes = ("The articles do not answer this. Nothing on this.", "Which bridge do you mean?")
    exchange = answered(
        claims=(),
        citations=(),
        declined=True,
        reason="Nothing on this.",
        confidence=0.1,
        notes=notes,
    )
    markup = conversation([exchange])
    assert "The articles do not say" in markup
    assert markup.count("Nothing on this.") == 1  # not again as a note
    assert '<p class="note" dir="auto">Which bridge do you mean?</p>' in markup
    assert "Nearest sentences" in markup
    assert "<p>found in 0.1\u00a0s · done in" in markup
    assert "confidence" not in markup  # in what?
    assert markup.count('class="evidence"') == 2


def test_notes_stand_beside_an_answer_or_are_the_answer() -> None:
    assert '<p class="note" dir="auto">They disagree.</p>' in conversation(
        [answered(notes=("They disagree.",))]
    )
    greeting = answered(claims=(), citations=(), evidence=(), notes=("Hello.",))
    markup = conversation([greeting])
    assert '<p class="said" dir="auto">Hello.</p>' in markup
    assert '<div class="facts"></div>' in markup


def test_a_stopped_answer_keeps_what_was_verified() -> None:
    markup = conversation([replace(answered(), state="stopped")])
    assert "Stopped. What had been verified is above." in markup
    assert "It is" in markup
    assert "answered in" not in markup


def test_an_error_is_one_line() -> None:
    markup = conversation([Exchange(1, "Q?", state="failed", error="Run: <fix>")])
    assert '<p class="error" dir="auto"><strong>No answer.</strong> Run: &lt;fix&gt;</p>' in markup


def test_a_mark_without_its_citation_is_left_out() -> None:
    markup = conversation([answered(claims=(Claim("Six.", (1, 7), "supported", 1.0),))])
    assert "[1]" in markup
    assert "[7]" not in markup


def test_history_is_plain_text_of_what_was_answered() -> None:
    refused = answered(claims=(), citations=(), declined=True, reason="Nothing on this.")
    failed = Exchange(3, "Broken?", state="failed", error="No model.")
    assert turns([answered(), refused, failed]) == [
        Turn("user", "Q?"),
        Turn("assistant", "It is five."),
        Turn("user", "Q?"),
        Turn("assistant", "Nothing on this."),
    ]


def test_a_quote_is_shown_among_its_neighbours() -> None:
    place = ("a.txt", 0, 5)
    markup = conversation([replace(answered(), contexts={place: ("Before.", "After.")})])
    assert "Before. <strong>Five.</strong> After." in markup


def test_an_empty_index_is_welcomed_with_what_to_do() -> None:
    assert "python -m rag index" in welcome(())


def test_what_an_answer_was_limited_to_stands_under_its_question() -> None:
    assert "Asked only of" not in conversation([answered()])
    markup = conversation([replace(answered(), limited="<b>March</b>")])
    assert 'Asked only of <b dir="auto">&lt;b&gt;March&lt;/b&gt;</b>' in markup
