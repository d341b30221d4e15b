"""Sentences are lossless slices, split where a reader would split them, in linear time."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from rag.config import Config
from rag.ingest.folder import find_articles
from rag.text.sentences import split

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
FRAGMENTS = [
    *"The ferry of Dr. Reyes U.S. a.m. p.m. Friday 3.5 $4 No. 5 e.g. he said iPhone".split(" "),
    *". . . ! ? … ” “ \" ' ) ( ] [ « » : ; - – 。".split(" "),
    *"？ ！ 北京 你好 ñ é 😀 \ufeff \u200b \0 # * 1. a)".split(" "),
    *(" ", " ", " ", "  ", "\n", "\n\n", "\r\n", "\t", "\f", "\v"),
    *("\x85", "\u2028", "\u3000", "\xa0"),
]


def pieces(text: str) -> list[str]:
    return [text[sentence.start : sentence.end] for sentence in split(text)]


def check_lossless(text: str, start: int = 0, end: int | None = None) -> None:
    stop = len(text) if end is None else end
    position = start
    for sentence in split(text, start, end):
        assert position <= sentence.start < sentence.end <= stop
        assert not text[position : sentence.start].strip()
        quote = text[sentence.start : sentence.end]
        assert quote == quote.strip()
        position = sentence.end
    assert not text[position:stop].strip()


def test_random_text_is_split_without_loss() -> None:
    source = random.Random(2)
    for _ in range(1500):
        joint = source.choice(["", " "])
        text = joint.join(source.choices(FRAGMENTS, k=source.randrange(60)))
        check_lossless(text)
        start = source.randrange(len(text) + 1)
        check_lossless(text, start, source.randrange(start, len(text) + 1))


def test_random_characters_are_split_without_loss() -> None:
    source = random.Random(3)
    for _ in range(300):
        codes = (
            source.choice([source.randrange(0xD800), source.randrange(128)]) for _ in range(80)
        )
        check_lossless("".join(map(chr, codes)))


def test_real_articles_are_split_without_loss() -> None:
    for file in find_articles(SEEDS):
        (part,) = file.parts(Config())
        check_lossless(part.load().text)


def test_many_real_articles_are_split_without_loss() -> None:
    if not (data := os.environ.get("RAG_EVAL_DATA")):
        pytest.skip("RAG_EVAL_DATA names no folder of articles")
    for file in list(find_articles(Path(data, "squad", "articles")))[:20]:
        (part,) = file.parts(Config())
        check_lossless(part.load().text)


# Each string is one sentence; joined by a space they must come apart again.
SENTENCES = [
    ["He lives in the U.S. and works there.", "She left."],
    ["He lives in the U.S.", "Then he left."],
    ["The U.S. Senate met on Jan. 5 at No. 10.", "It voted."],
    ["Dr. Paul Reyes met Mr. Smith and St. John's mayor.", "They spoke."],
    ["It opens at 10 a.m. Friday.", "It closes at 5 p.m. on Sunday.", "Come early."],
    ["It opens at 10 a.m.", "Come early."],
    ["“We won,” she said.", "“It was late.”", "He agreed."],
    ["“Did we win?” she asked.", "“Yes!” he said.", "They left."],
    ["He asked, “Why?” and left.", "Nobody knew."],
    ["He waited… and waited.", "Well…", "She left."],
    ["“I thought…”", "She did not go on."],
    ["It rose 3.5 percent to $1.25 million.", "Then it fell."],
    ["It cost too much.", "(It was late.)", "Then he left."],
    ["[Editor's note: this is new.]", "The rest is old."],
    ["It ended (see p. 5).", "Then it began."],
    ["J. K. Rowling met George W. Bush.", "They spoke."],
    ["Apple Inc. said so.", "Nobody else did."],
    ["What?!", "No way!!", "Really?"],
    ["你好。", "我是谁？", "你好！"],
    ["1. The first rule is short."],
    ["i went home.", "then i slept."],
    ["The plan (e.g. the bridge) vs. the ferry, i.e. both, was approx. five pages."],
]


@pytest.mark.parametrize("sentences", SENTENCES, ids=lambda sentences: sentences[0][:30])
def test_hard_cases(sentences: list[str]) -> None:
    assert pieces(" ".join(sentences)) == sentences


def test_chinese_and_text_without_spaces() -> None:
    assert pieces("你好。我是谁？你好！") == ["你好。", "我是谁？", "你好！"]
    assert pieces("It ended.Then it began.") == ["It ended.", "Then it began."]
    assert pieces("See example.com/a.html now.") == ["See example.com/a.html now."]


def test_lines_of_a_list_are_sentences() -> None:
    text = "Bring these:\n- Water\n- Bread and\n  butter\n1. Go left.\n2. Go right.\n\nThat is all."
    assert pieces(text) == [
        "Bring these:",
        "- Water",
        "- Bread and\n  butter",
        "1. Go left.",
        "2. Go right.",
        "That is all.",
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_wrapped_lines_are_joined(newline: str) -> None:
    text = newline.join(
        [
            "The ferry to Lisk leaves at seven every morning, said Dr.",
            "Reyes, who has run the line for twenty years with his two",
            "sons. Tickets cost nine euros in summer and six in winter.",
            "Children under the age of twelve travel free of charge, as do",
            "dogs that are no longer than a bag.",
            "",
            "The next ferry leaves at five in the afternoon, said the",
            "Port Herald.",
        ]
    )
    assert [" ".join(piece.split()) for piece in pieces(text)] == [
        "The ferry to Lisk leaves at seven every morning, said Dr. Reyes, who has run the line for"
        " twenty years with his two sons.",
        "Tickets cost nine euros in summer and six in winter.",
        "Children under the age of twelve travel free of charge, as do dogs that are no longer"
        " than a bag.",
        "The next ferry leaves at five in the afternoon, said the Port Herald.",
    ]


def test_paragraphs_are_never_joined() -> None:
    assert pieces("A title\n\nand more") == ["A title", "and more"]
    assert pieces("A line that\ngoes on.") == ["A line that\ngoes on."]


@pytest.mark.parametrize(
    "text",
    [
        "The ferry leaves at seven.\n" * 100_000,
        "The ferry leaves at seven every day, and at nine.\nOr so it is said.\n" * 40_000,
        "the ferry leaves. " * 60_000,
        "The ferry leaves. it does. " * 40_000,
        "word " * 200_000,
        "x" * 1_000_000,
        "你好吗" * 300_000,
        "\n" * 1_000_000,
        ".) " * 300_000,
        '" ' * 300_000,
    ],
    ids=[
        "lines",
        "wrapped",
        "small",
        "mixed",
        "words",
        "x",
        "chinese",
        "empty",
        "closing",
        "quotes",
    ],
)
def test_long_texts_come_to_an_end(text: str) -> None:
    check_lossless(text)  # in quadratic time it would take many minutes
