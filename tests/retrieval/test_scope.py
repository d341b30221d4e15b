"""A question limited to some articles knows nothing of the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.errors import ArticleError, InputError
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import HashedEncoder
from rag.retrieval.scope import checked_scope, within
from rag.types import Answer, Citation, Evidence, Keys, Scope

FERRY = Scope(paths=frozenset({"ferry.txt"}))


@pytest.fixture
def rag(articles: Path, config: Config, tmp_path: Path) -> Iterator[Rag]:
    with Rag.for_articles(articles, config, tmp_path / "index") as opened:
        yield opened


def paths(answer: Answer) -> set[str]:
    shown: list[Evidence | Citation] = [*answer.evidence, *answer.citations]
    return {place.article for place in shown} | {c.article for s in shown for c in s.also_in}


def test_a_selection_answers_from_its_articles_alone(rag: Rag) -> None:
    answer = rag.answer("How much do tickets cost?", scope=FERRY)
    assert answer.citations[0].quote == "Tickets cost nine euros."
    assert paths(answer) == {"ferry.txt"}


def test_what_only_others_say_is_declined(rag: Rag) -> None:
    asked = "When was the Harbour Bridge in Maldon closed?"
    assert not rag.answer(asked).declined
    limited = rag.answer(asked, scope=FERRY)
    assert limited.declined
    assert paths(limited) <= {"ferry.txt"}


def test_a_name_that_only_others_have_is_unknown(rag: Rag) -> None:
    assert within(rag.index, None).lexical.frequency("maldon") > 0
    assert within(rag.index, FERRY).lexical.frequency("maldon") == 0


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(first="2024-01-01"), {"bridge.txt"}),
        (Scope(last="2023-12-31"), {"islands/owls.md"}),
        (Scope(first="2023-11-20", last="2024-03-08"), {"bridge.txt", "islands/owls.md"}),
        (Scope(first="2025-01-01"), set()),  # those without a date are in no period
        (Scope(paths=frozenset({"islands"})), {"islands/owls.md"}),  # a folder
        (Scope(frozenset({"bridge.txt", "ferry.txt"}), "2024-01-01"), {"bridge.txt"}),
        (Scope(frozenset()), set()),
    ],
)
def test_a_scope_of_paths_and_of_days(rag: Rag, scope: Scope, expected: set[str]) -> None:
    found = rag.search("What happened on Lisk, at the bridge, and with the ferry?", 50, scope=scope)
    assert {e.article for e in found.evidence} == expected
    assert {hit.article for hit in found.passages} == expected
    assert {a.path for a in within(rag.index, scope).contents()} == expected


def test_the_whole_collection_is_the_selection_for_questions_about_it(rag: Rag) -> None:
    assert "1 article:" in rag.answer("Which articles do you have?", scope=FERRY).text
    summary = rag.answer("Summarise this", scope=FERRY)
    assert paths(summary) == {"ferry.txt"}


def test_nothing_selected_is_declined_and_no_error(rag: Rag) -> None:
    answer = rag.answer("How much do tickets cost?", scope=Scope(first="2030-01-01"))
    assert answer.declined
    assert not answer.evidence


def test_other_articles_cannot_be_read_through_a_view(rag: Rag) -> None:
    view = within(rag.index, FERRY)
    assert view.article("ferry.txt").title
    with pytest.raises(ArticleError, match=r"bridge\.txt"):
        view.article("bridge.txt")
    with pytest.raises(ArticleError):
        view.sentences("bridge.txt")


def test_copies_and_other_values_outside_are_not_told(
    articles: Path, config: Config, tmp_path: Path
) -> None:
    said = "The Harbour Bridge in Maldon was closed on Friday after cracks were found."
    for name, cost in (("one", 4), ("two", 9)):
        text = f"Bridge report {name}\n\n{said} Repairs of the bridge cost {cost} million euros.\n"
        (articles / f"{name}.txt").write_text(text, encoding="utf-8")
    asked = "How many million euros do repairs of the bridge cost?"
    with Rag.for_articles(articles, config, tmp_path / "index") as rag:
        whole = rag.answer(asked)
        limited = rag.answer(asked, scope=Scope(paths=frozenset({"one.txt"})))
    assert {"one.txt", "two.txt"} <= paths(whole)
    assert paths(limited) == {"one.txt"}
    assert "9 million" not in limited.text
    assert "disagree" not in limited.text


@pytest.mark.parametrize("store", ["numpy", "faiss"])
def test_a_limited_search_is_the_search_of_an_index_of_those_articles(
    tmp_path: Path, store: str, encoder: HashedEncoder
) -> None:
    """Of 120 articles on one subject every tenth: more than what the first look fetches."""
    config = Config(encoder="hashed", generator="extractive", passage_tokens=24, store=store)
    all_of, some = tmp_path / "all", tmp_path / "some"
    for folder in (all_of, some):
        folder.mkdir()
    for n in range(120):
        text = f"Report {n}\n\nShip {n} of the harbour carries {n % 7} cars and {n % 5} crates.\n"
        (all_of / f"{n:03}.txt").write_text(text, encoding="utf-8")
        if n % 10 == 0:
            (some / f"{n:03}.txt").write_text(text, encoding="utf-8")
    sync(all_of, tmp_path / "a", config, encoder)
    sync(some, tmp_path / "s", config, encoder)
    whole, alone = (Index.open(tmp_path / name, config, encoder) for name in "as")
    tenth = frozenset(f"{n:03}.txt" for n in range(0, 120, 10))
    view = within(whole, Scope(paths=tenth))
    query = encoder.encode_texts(["Which ship of the harbour carries crates?"])[0]

    def found(index: Index, keys: Keys) -> list[str]:
        return [index.article_at(p.article).path for p in index.passages(keys.tolist())]

    for k in (1, 5, 12, 50):
        limited, scores = view.vectors.search(query, k)
        expected, theirs = alone.vectors.search(query, k)
        assert found(view, limited) == found(alone, expected)
        assert scores.tolist() == pytest.approx(theirs.tolist())
        words, _ = view.lexical.search(["ship", "crate"], k)
        assert len(words) == min(k, 12)
        assert set(found(view, words)) <= tenth
    assert view.lexical.idf("ship") == alone.lexical.idf("ship")
    whole.close()
    alone.close()


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (Scope(frozenset({"none.txt"})), "none.txt"),
        (Scope(first="yesterday"), "YYYY-MM-DD"),
        (Scope(first="2024-02-30"), "2024-02-30"),
        (Scope(first="2024-03-01", last="2024-02-01"), "before it begins"),
    ],
)
def test_a_scope_that_cannot_be_meant_is_said(index: Index, scope: Scope, said: str) -> None:
    with pytest.raises(InputError, match=said):
        checked_scope(scope, index.contents())
    assert checked_scope(FERRY, index.contents()) == FERRY


def test_what_is_not_embedded_yet_is_found_by_its_words_within_a_scope(
    articles: Path, config: Config, encoder: HashedEncoder, tmp_path: Path
) -> None:
    for n in range(60):  # more than what a sync embeds before it publishes the text
        text = f"Report {n}\n\nShip {n} carries crates.\n"
        (articles / f"{n:02}.txt").write_text(text, encoding="utf-8")
    sync(articles, tmp_path / "index", config, encoder, vectors=False)
    with Rag.open(tmp_path / "index", config) as rag:
        assert rag.index.unembedded > 0
        found = rag.search("Which ship carries crates?", scope=Scope(frozenset({"07.txt"})))
        assert {e.article for e in found.evidence} == {"07.txt"}
        answer = rag.answer("How much do tickets cost?", scope=FERRY)
    assert paths(answer) == {"ferry.txt"}
