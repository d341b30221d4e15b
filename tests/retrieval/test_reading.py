"""What is read of the candidates, and what a reading does to their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rag.answering.pipeline import Rag
from rag.answering.run import UNREAD
from rag.config import Config
from rag.errors import ModelError
from rag.models.reader import Reading, Window
from rag.types import Answer, EvidenceFound, FirstAnswer

TEXT = """Ferry

The ferry to Lisk leaves at seven. The ferry to Lisk was painted green. It costs nine euros.
Nobody likes the ferry to Lisk in winter. The town has a bakery.
"""


@dataclass
class Knowing:
    """A reader that knows which words answer."""

    words: str
    windows: list[Window] = field(default_factory=list)

    def read(self, question: str, windows: Sequence[Window]) -> list[list[Reading]]:
        assert question
        self.windows += windows
        return [[self._of(window.text, *span) for span in window.sentences] for window in windows]

    def _of(self, text: str, start: int, end: int) -> Reading:
        at = text.find(self.words, start, end)
        if at < 0:
            return Reading(-9.0, start, end)
        return Reading(9.0, at, at + len(self.words))


class Failing:
    def read(self, question: str, windows: Sequence[Window]) -> list[list[Reading]]:
        raise ModelError(f"no weights for {question!r} and {len(windows)} windows.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "ferry.txt").write_text(TEXT, encoding="utf-8")
    return articles


CONFIG = Config(encoder="hashed", generator="extractive", store="numpy", decline_below=0.0)
QUESTION = "What does the ferry to Lisk cost?"


def test_a_sentence_that_answers_comes_first_with_its_words(folder: Path, tmp_path: Path) -> None:
    reader = Knowing("nine euros")
    with Rag.for_articles(folder, CONFIG, tmp_path / "index", reader=reader) as rag:
        found, read, *_, answer = rag.stream(QUESTION)
        assert isinstance(found, EvidenceFound)
        assert isinstance(read, EvidenceFound)
        assert isinstance(answer, Answer)
        assert {e.quote for e in found.evidence} == {e.quote for e in read.evidence}
        assert found.evidence[0].quote != read.evidence[0].quote == "It costs nine euros."
        assert all(e.answer is None for e in found.evidence)
        span = read.evidence[0].answer
        assert span
        assert rag.article("ferry.txt").text[span.start : span.end] == "nine euros"
        assert [e.answer for e in read.evidence[1:]] == [None] * (len(read.evidence) - 1)
        scores = [e.score for e in read.evidence]
        assert scores == sorted(scores, reverse=True)
        assert answer.evidence == read.evidence == rag.search(QUESTION).evidence
        assert answer.citations[0].answer == span
        assert answer.to_dict()["citations"][0]["answer"] == {"start": span.start, "end": span.end}


def test_windows_are_neighbours_of_one_article_and_no_sentence_has_two(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "long.txt").write_text(
        f"Ferry\n\nThe ferry {'and again the ferry ' * 90}to Lisk. It runs.\n", encoding="utf-8"
    )
    reader = Knowing("no such words")
    with Rag.for_articles(folder, CONFIG, tmp_path / "index", reader=reader) as rag:
        rag.search(QUESTION)
        texts = [rag.article(path).text for path in ("ferry.txt", "long.txt")]
    assert reader.windows
    for window in reader.windows:
        title, _, body = window.text.partition("\n")
        assert title == "Ferry"
        assert any(body in text for text in texts)
    assert all(1 <= len(window.sentences) <= 3 for window in reader.windows)
    middles = [w.text[w.sentences[-1][0] :] for w in reader.windows]
    assert len(set(middles)) == len(middles)
    assert all(len(w.sentences) == 1 for w in reader.windows if len(w.text) > 1_200)


def test_without_a_reader_the_first_order_stays_and_is_told(folder: Path, tmp_path: Path) -> None:
    with Rag.for_articles(folder, CONFIG, tmp_path / "index") as rag:
        first, *_, plain = rag.stream(QUESTION)
        assert isinstance(plain, Answer)
        assert plain.notes == ()
    with Rag.for_articles(folder, CONFIG, tmp_path / "index", reader=Failing()) as rag:
        answer = rag.answer(QUESTION)
    assert isinstance(first, EvidenceFound)
    assert answer.evidence == first.evidence
    assert answer.confidence == plain.confidence
    assert [c.text for c in answer.claims] == [c.text for c in plain.claims]
    assert len(answer.notes) == 1
    assert answer.notes[0].startswith(f"{UNREAD} no weights for")


def test_a_first_answer_is_not_given_where_nobody_words_it(folder: Path, tmp_path: Path) -> None:
    reader = Knowing("nine euros")
    with Rag.for_articles(folder, CONFIG, tmp_path / "index", reader=reader) as rag:
        assert not [e for e in rag.stream(QUESTION) if isinstance(e, FirstAnswer)]
