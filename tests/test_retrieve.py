"""What moves a sentence up or down in the ranking, one signal at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.config import Config
from rag.encoder import HashedEncoder
from rag.index import Index
from rag.retrieve import Candidate, find_candidates, make_query, ranked
from rag.sync import sync

CONFIG = Config(encoder="hashed")
FILLER = " ".join(f"Sentence {n} is about nothing in particular." for n in range(40))
ARTICLES = {
    "news.txt": "Harbour\nPublished: 2024-05-01\n\nThe harbour will close in spring. "
    + FILLER
    + " The harbour will close for repairs.\n",
    "undated.txt": "Quay\n\nThe quay will close in spring. " + FILLER + " The quay will close.\n",
    "player.txt": "Player\n\nHe played for Hull from 1998 to 2001. He played for Leeds in 2005. "
    "He retired. He was a fine player, they said.\n",
}


def best(tmp_path: Path, question: str) -> list[Candidate]:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in ARTICLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    encoder = HashedEncoder()
    sync(folder, tmp_path / "index", CONFIG, encoder)
    index = Index.open(tmp_path / "index", CONFIG, encoder)
    found = ranked(find_candidates(make_query(question, index, encoder), index, CONFIG))
    index.close()
    return found


def test_the_lead_of_dated_news_counts_more(tmp_path: Path) -> None:
    leads = {
        c.quote: c.feature("lead")
        for c in best(tmp_path, "When will the harbour and the quay close?")
    }
    assert leads["The harbour will close in spring."] > 0.99
    assert 0 < leads["The harbour will close for repairs."] < 0.05
    assert leads["The quay will close in spring."] == 0  # no date, so perhaps no news


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("Who did he play for from 1999 to 2000?", "He played for Hull from 1998 to 2001."),
        ("Who did he play for in 2005?", "He played for Leeds in 2005."),
    ],
)
def test_the_years_of_a_question_choose_the_sentence(
    tmp_path: Path, question: str, quote: str
) -> None:
    found = best(tmp_path, question)
    assert found[0].quote == quote
    assert found[0].feature("years") == 1
    beside = next(c for c in found if c.quote.startswith("He played") and c.quote != quote)
    assert beside.feature("years") == pytest.approx(1 / 3)
