"""Every template of the page: hostile text stays text, and no template says that it need not."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_rag import FakeRag
from hostile_strings import hostile_strings
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables
from markup import seen

import rag
from rag.history.conversation import Exchange, advance
from rag.history.rows import Header
from rag.server.background import Status
from rag.server.login import TEMPLATES as SERVER
from rag.text.untrusted import shown
from rag.types import Answer, Article, ArticleSummary, Citation, Claim, Copy, Evidence, Scope
from rag.web.answer_html import conversation, hint_html, rating, suggestions, welcome
from rag.web.articles import Outcome, status_html
from rag.web.articles_events import chip
from rag.web.articles_html import View, shelf, timeline
from rag.web.history import kept_list, remembered
from rag.web.reader_html import Highlight, article_html, marked_text, nothing_open
from rag.web.templating import TEMPLATES as WEB
from rag.web.templating import render

PACKAGE = Path(rag.__file__).parent
FILES = {str(path.relative_to(PACKAGE)): path for path in PACKAGE.rglob("templates/*.html")}
ROOMS = {"web": WEB, "server": SERVER}


def answers(text: str) -> str:
    copy = Copy(text, text, text, 0, 9)
    cited = Citation(1, text, text, text, 0, 9, text, 0.9, (copy,), page=1)
    evidence = Evidence(text, text, text, 1, 9, text, 0.9, (copy,) * 5)
    claims = (Claim(text, (1,), "supported", 0.9), Claim(text, (1,), "quoted", 0.9, "quoted"))
    answer = Answer(
        text,
        claims,
        (cited,),
        (evidence,) * 7,
        declined=False,
        reason=None,
        confidence=0.9,
        notes=(text,),
        timings_ms={"total": 9.0},
    )
    declined = Answer(text, (), (), (evidence,), declined=True, reason=text, confidence=0.1)
    answered = advance(Exchange(1, text, limited=text, note=text, rating="up"), answer)
    contexts = {(place.article, place.start, place.end): (text, text) for place in (cited,)}
    exchanges = (
        Exchange(
            1,
            text,
            error=text,
            state="failed",
            contexts=contexts,
            claims=claims,
            citations=(cited,),
            evidence=(evidence,),
            changed=frozenset(contexts),
        ),
        answered,
        advance(Exchange(3, text), declined),
        Exchange(4, text),
    )
    return conversation(exchanges, ratable=True)


def rated(text: str) -> str:
    answer = Answer(text, (), (), (), declined=False, reason=None, confidence=0.9)
    return rating(advance(Exchange(1, text, rating="down", note=text), answer))


def opened(text: str) -> str:
    article = Article(text, text, f"{text} {text}", 0, text, text, text, text)
    spans = [Highlight(0, 1, 1), Highlight(1, len(text) + 1, 2)]
    return article_html(article, spans, spans[1], exchange=1, notice=text)


def listed(text: str) -> str:
    summaries = [
        ArticleSummary(f"{text}/{n}", text, text, f"{text}{n % 2}", 1, 1) for n in range(9)
    ]
    return shelf(
        summaries, View("", f"{text}1"), skipped=[(text, text)], removable=[""], behind=text
    ) + shelf((), notice=text)


def moved(text: str) -> str:
    outcome = Outcome((text,), (text,), "", text, "", text, text, 1, ((text, text),))
    removed = Outcome(removed=text, place=text)
    states = (Status(), Status(running=True), Status(error=text))
    return "".join(status_html(state, each) for state in states for each in (outcome, removed))


def limited(text: str) -> str:
    article = Article("a.txt", text, f"{text}.", 0)
    return chip(Scope(paths=frozenset({"a.txt"})), FakeRag([article]))


def bars(text: str) -> str:
    dated = [ArticleSummary(text, text, f"2024-0{n}-01", text, 1, 1) for n in range(1, 9)]
    return timeline([*dated, ArticleSummary(text, text, text, text, 1, 1)])


# How each template is drawn with a text of somebody else in every place.
DRAWN: dict[str, Callable[[str], str]] = {
    "server/templates/login.html": lambda text: SERVER.get_template("login.html").render(
        name=text, alert=text
    ),
    "web/templates/answer.html": answers,
    "web/templates/articles.html": listed,
    "web/templates/articles_head.html": lambda text: render(
        "articles_head.html",
        adds=True,
        by_path=True,
        most_bytes=1,
        at_once=1,
        suffixes=text,
        longest_path=1,
    ),
    "web/templates/chip.html": limited,
    "web/templates/conversations.html": lambda text: kept_list(
        [Header(text, text, text, text, 1)], text, text, text
    ),
    "web/templates/hint.html": hint_html,
    "web/templates/marked_text.html": lambda text: marked_text(
        f"{text}\n{text}", [Highlight(0, len(text), 1)]
    ),
    "web/templates/nothing_open.html": nothing_open,
    "web/templates/rating.html": rated,
    "web/templates/reader.html": opened,
    "web/templates/remembered.html": remembered,
    "web/templates/status.html": moved,
    "web/templates/suggestions.html": lambda text: suggestions([text]),
    "web/templates/timeline.html": bars,
    "web/templates/welcome.html": lambda text: (
        welcome([ArticleSummary(text, text, text, text, 1, 1)], [text]) + welcome((), error=text)
    ),
}
WITHOUT_TEXT = {"web/templates/timeline.html"}  # draws nothing but days and numbers


def tree(name: str) -> nodes.Template:
    """Parse a template as it will be, whichever room it is of."""
    return WEB.parse(FILES[name].read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_template_with_values_is_drawn_here(name: str) -> None:
    if name.partition("/")[0] in ROOMS and find_undeclared_variables(tree(name)) - {"texts"}:
        assert name in DRAWN, f"say in {__file__} how {name} is drawn"
    assert DRAWN.keys() <= FILES.keys()


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_hostile_text_stays_text(name: str) -> None:
    plain = [
        seen(DRAWN[name](text))
        for text in (
            "Plain words",
            "2024-06-03",
            "Plain " * 60,
            "a" * 400,
            "https://example.org/",
            "",
        )
    ]
    tags = set().union(*(each.tags for each in plain))
    attributes = {pair[0] for each in plain for pair in each.attributes}
    assert not {pair for pair in attributes if pair.startswith("on")} | (tags & {"script", "img"})
    for text in hostile_strings(150):
        page = seen(DRAWN[name](text))
        assert page.tags <= tags, text
        assert {pair[0] for pair in page.attributes} <= attributes, text
        values = [page.text, *(value or "" for _, value in page.attributes)]
        # As it is, and not escaped twice.
        is_there = any(each in value for each in (text, shown(text)) for value in values)
        assert is_there or name in WITHOUT_TEXT, text


# Markup is said to be safe by these alone.
MARKUP = {"text/templating.py"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_no_template_goes_without_escaping(name: str) -> None:
    parsed = tree(name)
    assert "safe" not in {each.name for each in parsed.find_all(nodes.Filter)}
    assert not list(parsed.find_all((nodes.EvalContextModifier, nodes.ScopedEvalContextModifier)))
    source = re.sub(r"{#.*?#}|{%.*?%}", "", FILES[name].read_text("utf-8"), flags=re.DOTALL)
    assert not re.search(r"<[^<>]*=\s*{{", source), (
        "a value of an attribute stands in quotation marks"
    )
    assert not re.search(r"<(script|style)\b[^>]*>((?!</\1>).)*{{", source, re.DOTALL)
    assert set(re.findall(r'(?:href|src|action)="{{(.*?)}}', source)) <= {" article.url|exact "}


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_escaping_is_a_property_of_the_environment(room: str) -> None:
    drawn = ROOMS[room].from_string('<b title="{{ text }}">{{ text }}</b>')
    assert drawn.render(text="\"'<>&\u202e") == (
        '<b title="&quot;&#x27;&lt;&gt;&amp;\ufffd">&quot;&#x27;&lt;&gt;&amp;\ufffd</b>'
    )


def test_nothing_else_says_that_markup_is_safe() -> None:
    sources = {str(p.relative_to(PACKAGE)): p.read_text("utf-8") for p in PACKAGE.rglob("*.py")}
    assert {name for name, source in sources.items() if "Markup(" in source} == MARKUP


def test_what_a_program_will_read_is_not_changed() -> None:
    path = 'a\u200b"b\u202e<c>.txt'
    page = seen(WEB.from_string('<i data-article="{{ path|exact }}"></i>').render(path=path))
    assert page.attributes == [("data-article", path)]


def test_line_breaks_between_tags_do_not_reach_the_page() -> None:
    template = WEB.from_string(
        "<ul>\n  {% for n in (1, 2) %}\n  <li>{{ n }}\n    a\n    b</li>\n  {% endfor %}\n</ul>\n"
    )
    assert re.sub(r"\s+", " ", template.render()) == "<ul><li>1 a b</li><li>2 a b</li></ul>"
    with pytest.raises(ZeroDivisionError) as error:
        WEB.from_string("<ul>\n<li>\n{{ 1 // none_of_it }}</li></ul>").render(none_of_it=0)
    assert error.traceback[-1].lineno == 2  # counted from 0
