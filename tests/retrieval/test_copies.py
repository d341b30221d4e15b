"""Copies of a sentence in other articles: which texts are copies, and where they are listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answering.pipeline import Rag
from rag.cli import output
from rag.config import Config
from rag.history.conversation import Exchange
from rag.text.terms import wording
from rag.types import Answer
from rag.web.answer_html import exchange_html
from rag.web.session import opened

VOTE = "The council of Maldon approved the new harbour bridge on Friday by 12 votes to 3."


@pytest.mark.parametrize(
    "other",
    [VOTE.replace(" ", "  "), VOTE.upper(), VOTE.removesuffix("."), VOTE.replace("new", "“new”")],
)
def test_case_marks_and_spaces_make_no_other_wording(other: str) -> None:
    assert wording(other) == wording(VOTE)


@pytest.mark.parametrize(
    "other", [VOTE.replace("12", "13"), VOTE.replace("approved", "did not approve"), "", "…"]
)
def test_another_word_makes_another_wording(other: str) -> None:
    assert wording(other) != wording(VOTE)
    assert wording("…") != wording("")


NEWS = {
    "wire.txt": ("Bridge vote", "2024-03-08", VOTE),
    "echo.txt": ("Echo: bridge vote", "2024-03-09", VOTE),
    "late.txt": ("The vote again", "2024-03-10", VOTE.replace("Friday", "“Friday”")),
    "other.txt": ("Ferry", "2024-03-11", "The ferry to Lisk leaves at seven."),
}
QUESTION = "What did the council of Maldon approve on Friday?"


@pytest.fixture
def rag(tmp_path: Path) -> Rag:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, (title, published, body) in NEWS.items():
        text = f"{title}\nPublished: {published}\n\n{body} It was raining.\n"
        (folder / name).write_text(text, encoding="utf-8")
    config = Config(encoder="hashed", generator="extractive", store="numpy", decline_below=0.0)
    return Rag.for_articles(folder, config, tmp_path / "index")


def test_a_syndicated_sentence_is_one_piece_of_evidence_with_its_other_places(rag: Rag) -> None:
    with rag:
        result = rag.search(QUESTION)
        best = result.evidence[0]
        assert sum("bridge" in e.quote for e in result.evidence) == 1
        places = {best.article, *(copy.article for copy in best.also_in)}
        assert places == {"wire.txt", "echo.txt", "late.txt"}
        for copy in best.also_in:
            text = rag.article(copy.article).text[copy.start : copy.end]
            assert wording(text) == wording(best.quote)
            assert (copy.title, copy.published) == NEWS[copy.article][:2]


def test_a_sentence_of_every_article_counts_once(rag: Rag) -> None:
    with rag:
        found = rag.search("It was raining.").evidence
    raining = [e for e in found if "raining" in e.quote]
    assert len(raining) == 1
    assert len(raining[0].also_in) == 3


def test_citations_rows_and_texts_name_the_other_places(rag: Rag) -> None:
    with rag:
        answer = rag.answer(QUESTION)
    citation = answer.citations[0]
    row = answer.to_dict()
    assert [copy["article"] for copy in row["citations"][0]["also_in"]] == [
        copy.article for copy in citation.also_in
    ]
    assert set(row["evidence"][0]["also_in"][0]) == set("article title published start end".split())
    first_copy = citation.also_in[0]
    line = " ".join(output.footnote(citation).split())
    assert f"also in {first_copy.title}, {first_copy.published} ({first_copy.article})" in line


def test_the_chat_opens_a_copy_at_its_sentence(rag: Rag) -> None:
    with rag:
        answer = rag.answer(QUESTION)
        assert isinstance(answer, Answer)
        exchange = Exchange(
            1, QUESTION, "answered", answer.evidence, answer.claims, answer.citations, answer
        )
        html = exchange_html(exchange)
        copy = answer.citations[0].also_in[0]
        assert "Also in " in html
        assert f'class="copy" data-exchange="1" data-article="{copy.article}"' in html
        wanted = {"exchange": 1, "article": copy.article, "start": copy.start, "end": copy.end}
        pane = opened(rag, [exchange], wanted)
        text = rag.article(copy.article).text
    assert f'<mark class="current">{text[copy.start : copy.end]}</mark>' in pane
    assert "no longer" not in pane
