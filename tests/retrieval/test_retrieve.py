"""What moves a sentence up or down in the ranking, one signal at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.config import Config
from rag.index.index import Index
from rag.index.schema import StoredPassage
from rag.index.sync import sync
from rag.models.encoder import HashedEncoder
from rag.retrieval.ranking import (
    FEATURES,
    WEIGHTS,
    Candidate,
    Query,
    find_candidates,
    make_query,
    passages_of,
    ranked,
    unknown_names,
)
from rag.text.terms import terms
from rag.types import Article, Passage, Sentence

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


def searched(
    tmp_path: Path, question: str, articles: Mapping[str, str], date: str | None = None
) -> tuple[Query, list[Candidate]]:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in articles.items():
        (folder / name).write_text(text, encoding="utf-8")
    encoder = HashedEncoder()
    sync(folder, tmp_path / "index", CONFIG, encoder)
    index = Index.open(tmp_path / "index", CONFIG, encoder)
    query = make_query(question, index, encoder, date)
    found = ranked(find_candidates(query, index, CONFIG))
    index.close()
    return query, found


def best(
    tmp_path: Path, question: str, articles: Mapping[str, str] = ARTICLES, date: str | None = None
) -> list[Candidate]:
    return searched(tmp_path, question, articles, date)[1]


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


STORM = "The storm cut the power of {} homes in Rilla."
DATED = {
    f"{name}.txt": f"Storm over Rilla\nPublished: {day}\n\n{STORM.format(homes)}\n"
    for name, day, homes in (("a", "2024-01-10", "5,000"), ("b", "2024-05-03", "3,000"))
}


@pytest.mark.parametrize(
    ("date", "homes", "closeness"),
    [("2024-05-08", "3,000", 1.0), ("2024-01-15", "5,000", 1.0), (None, None, 0.0)],
)
def test_the_time_that_a_question_speaks_of_chooses_the_article(
    tmp_path: Path, date: str | None, homes: str | None, closeness: float
) -> None:
    found = best(tmp_path, "How many homes lost power in the storm last week?", DATED, date)
    assert found[0].feature("period") == pytest.approx(closeness)
    if homes:
        assert found[0].quote == STORM.format(homes)
        assert found[1].feature("period") < 0.5


@pytest.mark.parametrize("asking", ["Will the harbour close?", "“Will the harbour close?”"])
def test_a_sentence_that_asks_is_below_one_that_says(tmp_path: Path, asking: str) -> None:
    articles = {"a.txt": f"Rilla\n\n{asking} It is old. The harbour will close."}
    found = best(tmp_path, "Will the harbour close?", articles)
    by_quote = {c.quote: c.feature("asks") for c in found}
    assert by_quote[asking] == 1.0
    assert by_quote["The harbour will close."] == 0.0
    assert found[0].quote == "The harbour will close."


def test_the_words_of_the_title_and_of_the_sentences_beside_count_for_the_context(
    tmp_path: Path,
) -> None:
    articles = {
        "a.txt": "Rilla\n\nCranes fell. Nobody saw it. The port closed. Ships left. Geese flew.",
        "b.txt": "Dorn\n\nPears grow.",
    }
    found = best(tmp_path, "Which cranes of the port of Rilla flew?", articles)
    context = {c.quote: c.feature("context_coverage") for c in found}
    alone = {c.quote: c.feature("coverage") for c in found}
    # All four words are as rare: each is a quarter. The title has one, the sentences beside more.
    quarters = {
        "Cranes fell.": (1, 2),
        "Nobody saw it.": (0, 3),
        "The port closed.": (1, 2),
        "Ships left.": (0, 3),
        "Geese flew.": (1, 2),
    }
    for quote, (own, near) in quarters.items():
        assert alone[quote] == pytest.approx(own / 4)
        assert context[quote] == pytest.approx(near / 4)


def candidate(
    path: str, text: str, published: str | None = None, score: float = 0.5, start: int = 0
) -> Candidate:
    """Return the rest of a text from ``start`` as a candidate of about this score."""
    features = np.zeros(len(FEATURES), np.float32)
    features[0] = score * sum(WEIGHTS) / WEIGHTS[0]
    sentence = Sentence(start, len(text))
    stored = StoredPassage(
        hash(path), 0, Passage((sentence,)), np.zeros(1, np.float16), np.zeros((1, 1), np.float16)
    )
    return Candidate(
        Article(path, "T", text, 0, published), sentence, stored, features, terms(text[start:])
    )


def test_candidates_come_best_first_and_of_the_same_score_newest_first() -> None:
    best_one = candidate("z.txt", "Pears ripen in autumn.", score=0.9)
    new = candidate("z.txt", "Cranes fell on a ship.", "2024-05-02")
    old = candidate("a.txt", "Geese flew over Dorn.", "2023-01-01")
    undated = candidate("b.txt", "Apples were picked late.")
    later = candidate("c.txt", "x x x The wells ran dry at noon.", start=6)
    first = candidate("c.txt", "The mill burned down on Friday.")
    low = candidate("a.txt", "Nothing else was reported there.", "2024-12-31", score=0.4)
    found = ranked([low, later, undated, first, old, new, best_one])
    assert [c.quote for c in found] == [
        c.quote for c in (best_one, new, old, undated, first, later, low)
    ]
    assert [c.score for c in found] == pytest.approx([0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.4])


def test_what_is_taken_from_a_score_puts_a_sentence_lower() -> None:
    one, other = candidate("a.txt", "Cranes fell."), candidate("b.txt", "Geese flew.", score=0.45)
    assert ranked([one, other])[0].quote == "Cranes fell."
    lowered = replace(one, lowered=0.1)
    assert lowered.score == pytest.approx(0.4)
    assert ranked([lowered, other])[0].quote == "Geese flew."


def test_passages_come_once_each_as_good_as_their_best_sentence() -> None:
    one, other = candidate("a.txt", "Cranes fell.", score=0.8), candidate("b.txt", "Geese flew.")
    worse = replace(one, features=one.features * np.float32(0.5))
    hits = passages_of([one, other, worse])
    assert [(hit.article, hit.score) for hit in hits] == [("a.txt", 0.8), ("b.txt", 0.5)]


@pytest.mark.parametrize(
    ("question", "unknown"),
    [
        ("When did Zorn resign?", ("Zorn",)),
        ("Zorn left when?", ()),  # the first word is capitalised anyway
        ("When will the Harbor close?", ()),  # a near spelling of what the best sentences have
        ("When will Atlantis and the Harbour and Atlantis close?", ("Atlantis",)),
        ("When will the harbour close?", ()),
    ],
)
def test_names_that_no_article_has_are_told_as_they_are_written(
    tmp_path: Path, question: str, unknown: tuple[str, ...]
) -> None:
    query, found = searched(tmp_path, question, ARTICLES)
    assert unknown_names(query, found) == unknown


def test_the_latest_is_the_newest_of_what_is_about_the_question(tmp_path: Path) -> None:
    other = "Pears\nPublished: 2024-06-30\n\nPears grow well in Dorn this summer.\n"
    question = "What is the latest on the homes in Rilla without power?"
    found = best(tmp_path, question, {**DATED, "other.txt": other})
    closeness = {c.article.path: c.feature("period") for c in found}
    assert [c.article.path for c in found] == ["b.txt", "a.txt", "other.txt"]
    assert closeness["b.txt"] == pytest.approx(1.0)
    assert 0.0 < closeness["a.txt"] < 0.9
