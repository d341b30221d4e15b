"""What is done for a sentence does not grow with its article: rows and sentences are counted."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from scripted import ScriptedGenerator

from rag.answering.pipeline import Rag
from rag.answering.suggestions import candidates
from rag.config import Config
from rag.errors import ArticleError
from rag.index.index import Index
from rag.retrieval.scope import within
from rag.types import Article, Scope
from rag.web.reader_html import article_html
from rag.web.session import answering, opened

SHORT, LONG = 200, 2_000  # sentences
QUESTION = "What did Mayor Ann Okoye promise about the Ulmen lighthouse?"
DRAFT = (
    "Okoye said that the Ulmen lighthouse would cost $7 million. "
    "Ann Okoye promised that it would open before the summer. "
    "It would be painted in white, Okoye promised."
)


def long_text(sentences: int) -> str:
    """An article with what is asked about in its middle, and corrections at its ends."""
    other = [
        f"Ferry number {n} carried {n + 90} people to the islands on that day."
        for n in range(sentences)
    ]
    half = sentences // 2
    other[half:half] = [
        "Mayor Ann Okoye said that the Ulmen lighthouse would cost $7 million.",
        "She promised that it would open before the summer.",
    ]
    other.append(
        "Correction: An earlier version of this story misstated the cost of the lighthouse."
    )
    other.insert(0, "Correction: An earlier version of this story misspelled the ferry's name.")
    lines = [" ".join(other[at : at + 4]) for at in range(0, len(other), 4)]
    return "\n\n".join(["The lighthouse of Ulmen", *lines]) + "\n"


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many rows of passages are read, and how many sentences are tried for orders."""
    counted: Counter[str] = Counter()

    def counting(name: str, of: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            counted[name] += 1
            return of(*given)

        return call

    for module, name in (
        ("index.database", "to_passage"),
        ("answering.cite", "addresses_model"),
        ("answering.collection", "addresses_model"),
        ("answering.corrections", "is_correction"),
        ("answering.suggestions", "addresses_model"),
    ):
        of = getattr(import_module(f"rag.{module}"), name)
        monkeypatch.setattr(f"rag.{module}.{name}", counting(name, of))
    return counted


@pytest.fixture
def open_long(tmp_path: Path, config: Config) -> Iterator[Callable[[int], Rag]]:
    rags: list[Rag] = []

    def opened(sentences: int) -> Rag:
        folder = tmp_path / f"of-{sentences}"
        folder.mkdir()
        (folder / "long.txt").write_text(long_text(sentences), encoding="utf-8")
        generator = ScriptedGenerator(DRAFT, DRAFT)
        index = tmp_path / f"index-{sentences}"
        always = replace(config, decline_below=0.0)
        rags.append(Rag.for_articles(folder, always, index, generator=generator))
        return rags[-1]

    yield opened
    for rag in rags:
        rag.close()


def ask(rag: Rag) -> None:
    """Ask with a draft whose pronouns refer back; the correction at the end is looked for."""
    answer = rag.answer(QUESTION)
    assert "She promised that it would open before the summer." in [
        c.quote for c in answer.citations
    ]
    assert any(claim.text.startswith("Correction:") for claim in answer.claims)


def chat(rag: Rag) -> None:
    """Ask in the chat, which shows each sentence among its neighbours, and open the article."""
    *_, last = answering(rag, (), QUESTION, threading.Event())
    assert all(before or after for before, after in last.contexts.values())
    cited = last.citations[0]
    place = {"article": cited.article, "start": cited.start, "end": cited.end}
    assert 'class="current"' in opened(rag, [last], {**place, "exchange": 1})
    assert 'class="current"' in opened(rag, [], place)  # the server has forgotten the question


def summarise(rag: Rag) -> None:
    assert len(rag.answer("Summarise this").claims) == 3


def make_examples(rag: Rag) -> None:
    list(candidates(rag.article("long.txt"), rag.sentences_from("long.txt")))


@pytest.mark.parametrize("use", [ask, chat, summarise, make_examples])
def test_an_article_of_ten_times_the_length_costs_no_more(
    open_long: Callable[[int], Rag], count: Counter[str], use: Callable[[Rag], None]
) -> None:
    work = []
    for sentences in (SHORT, LONG):
        rag = open_long(sentences)
        rag.sentences("long.txt")
        count.clear()
        use(rag)
        work.append(dict(count))
    short, long = work
    assert 0 < long["to_passage"] < 2 * short["to_passage"]  # it grows by steps of a bisection
    assert all(long[name] <= 1.1 * short[name] + 2 for name in long if name != "to_passage"), work


def test_a_neighbour_costs_steps_of_a_bisection(
    open_long: Callable[[int], Rag], count: Counter[str]
) -> None:
    rows = []
    for sentences in (SHORT, LONG):
        rag = open_long(sentences)
        end = len(rag.article("long.txt").text)
        for find in (rag.sentences_before, rag.sentences_from):
            count.clear()
            assert len(list(islice(find("long.txt", end // 2), 12))) == 12
            rows.append(count["to_passage"])
    assert all(long <= short + 5 for short, long in zip(rows[:2], rows[2:], strict=True))


def test_sentences_around_a_position_are_those_of_the_whole_article(index: Index) -> None:
    for path in ("bridge.txt", "café.txt", "islands/owls.md"):
        every = index.sentences(path)
        view = within(index, Scope(paths=frozenset({path})))
        for position in range(-1, len(index.article(path).text) + 2):
            after = [s for s in every if s.start >= position]
            before = [s for s in reversed(every) if s.end <= position]
            for of in (index, view):
                assert list(of.sentences_from(path, position)) == after
                assert list(of.sentences_before(path, position)) == before


def test_of_an_article_that_is_outside_nothing_is_read(index: Index) -> None:
    view = within(index, Scope(paths=frozenset({"ferry.txt"})))
    for of, path in ((view, "bridge.txt"), (index, "gone.txt")):
        for find in (of.sentences_from, of.sentences_before):
            with pytest.raises(ArticleError, match="There is no article"):
                next(find(path, 0))


class Searched(str):
    """A text that notes how far back its ends of lines are looked for."""

    __slots__ = ("looked",)
    looked: int

    def rfind(self, sub: str, start: Any = None, end: Any = None) -> int:
        self.looked += end - start
        return super().rfind(sub, start, end)


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\r\n"])
def test_each_line_of_an_opened_article_is_laid_out_by_itself(gap: str) -> None:
    per_line = []
    for lines in (20, 200):
        text = Searched(gap.join(f"Line {n} tells of ships and of islands." for n in range(lines)))
        text.looked = 0
        article_html(Article("a.txt", "A", text, 0))
        per_line.append(text.looked / lines)
    assert per_line[1] < 1.5 * per_line[0]
