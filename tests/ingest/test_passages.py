"""Passages are whole consecutive sentences that fit; nothing is lost."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from rag.config import Config
from rag.index.embedding import header
from rag.ingest.folder import find_articles
from rag.ingest.loaders.text import parse
from rag.ingest.passages import make_passages
from rag.models.encoder import Encoder, HashedEncoder
from rag.text.sentences import split
from rag.types import Article, Passage

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
TOKENS = HashedEncoder().token_spans


def check(article: Article, spans: list[tuple[int, int]], most: int) -> tuple[Passage, ...]:
    """Make passages, and check everything that must hold for any text."""
    passages = make_passages(article, spans, most)
    sentences = [sentence for passage in passages for sentence in passage.sentences]
    position = article.body_start
    for sentence in sentences:
        assert position <= sentence.start < sentence.end
        assert not article.text[position : sentence.start].strip()
        assert article.text[sentence.start : sentence.end].strip()
        position = sentence.end
    assert not article.text[position:].strip()
    for passage in passages:
        inside = [span for span in spans if span[1] > passage.start and span[0] < passage.end]
        assert len(inside) <= most
        assert all(start >= passage.start and end <= passage.end for start, end in inside)
    fitting = [
        sentence
        for sentence in split(article.text, article.body_start)
        if sum(sentence.start <= start < sentence.end for start, _ in spans) <= most
    ]
    assert set(fitting) <= set(sentences)  # only what is too long is cut
    return passages


def test_random_articles_are_packed_without_loss() -> None:
    source = random.Random(4)
    words = [
        "The",
        "ferry",
        "left",
        "at 7 a.m.",
        "Then.",
        "(late)",
        "it",
        "rose 3.5.",
        "\n",
        "北京。",
    ]
    for _ in range(200):
        text = "Title\n\n" + " ".join(source.choices(words, k=source.randrange(1, 120)))
        article = parse("a.txt", text)
        check(article, TOKENS(text), source.choice([1, 2, 5, 16, 1000]))


def test_neighbouring_passages_are_about_equally_long() -> None:
    article = parse("a.txt", "Title\n\n" + "One two three four five. " * 11)
    passages = check(article, TOKENS(article.text), 60)
    assert [len(passage.sentences) for passage in passages] == [6, 5]


def test_a_long_sentence_is_cut_between_words() -> None:
    article = parse("a.txt", "Title\n\nShort one. " + "word " * 50 + "end.")
    passages = check(article, TOKENS(article.text), 20)
    pieces = [
        article.text[s.start : s.end].split() for passage in passages for s in passage.sentences
    ]
    assert [word for piece in pieces for word in piece] == article.text.split()[1:]
    assert len(passages) == 3


def test_a_long_sentence_without_spaces_is_cut_between_tokens() -> None:
    article = parse("a.txt", "Title\n\n" + "北" * 50)
    at = article.text.index("北")
    spans = [(0, 5), *((at + n, at + n + 1) for n in range(50))]
    assert [p.end - p.start for p in check(article, spans, 16)] == [16, 16, 16, 2]


def test_no_tokens_and_no_sentences() -> None:
    article = parse("a.txt", "Title\n\nA sentence without tokens.")
    assert len(check(article, [], 16)) == 1
    assert make_passages(Article("a.txt", "T", "T\n", 2), [(0, 1)], 16) == ()


def test_long_texts_take_linear_time() -> None:
    for text in ("The ferry leaves. " * 100_000, "word " * 200_000, "x" * 1_000_000):
        article = parse("a.txt", text)
        spans = TOKENS(text)
        began = time.thread_time()  # what is quadratic takes many minutes
        make_passages(article, spans, 128)
        assert time.thread_time() - began < 30


@pytest.mark.models
def test_title_and_passage_fit_into_the_real_encoders_window(minilm: Encoder) -> None:
    articles = [part.load() for file in find_articles(SEEDS) for part in file.parts(Config())]
    words = "naïve antidisestablishmentarianism 北京 x86-64 $3.5m😀 don’t https://a.example/b?c=d "
    articles.append(parse("a.txt", words.strip() + "\n\n" + words * 60 + "x" * 400 + " end."))
    for article in articles:
        head = header(article, minilm, 32)
        for passage in check(article, minilm.token_spans(article.text), 128):
            text = head + article.text[passage.start : passage.end]
            assert len(minilm.token_spans(text)) <= 32 + 128 < minilm.window
