"""The seed questions are well formed and their offsets point into the seed article."""

from __future__ import annotations

import json
import string
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = ROOT / "tests" / "data" / "seed_questions.jsonl"
SEEDS = ROOT / "seeds"

KEYS = {
    "id",
    "set",
    "question",
    "answers",
    "answer_type",
    "answerable",
    "unanswerable_kind",
    "article_id",
    "article_ids",
    "evidence",
    "evidence_mode",
    "evidence_kind",
    "history",
    "meta",
}
ANSWERABLE_KINDS = {
    "direct",
    "paraphrase",
    "name",
    "number",
    "date",
    "who_said",
    "two_sentence",
    "yes_no",
    "why",
}
NEAR_KINDS = {"near_missing_fact", "near_false_premise", "near_other_time", "near_swapped"}
PUNCTUATION = str.maketrans("", "", string.punctuation + "’‘“”–—")
ARTICLES = {"a", "an", "the"}

Row = dict[str, Any]


def load() -> list[Row]:
    with QUESTIONS.open(encoding="utf-8", newline="") as lines:
        return [json.loads(line) for line in lines]


def article(article_id: str) -> str:
    with (SEEDS / f"{article_id}.txt").open(encoding="utf-8", newline="") as file:
        return file.read()


def tokens(text: str) -> set[str]:
    return set(text.lower().translate(PUNCTUATION).split()) - ARTICLES


ROWS = load()
ANSWERABLE = [row for row in ROWS if row["answerable"]]
UNANSWERABLE = [row for row in ROWS if not row["answerable"]]


def by_id(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row["id"] for row in rows])


def test_ids_and_questions_are_unique() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert len({row["question"].casefold() for row in ROWS}) == len(ROWS)


def test_counts() -> None:
    kinds = Counter(row["unanswerable_kind"] for row in UNANSWERABLE)
    assert len(ANSWERABLE) >= 40
    assert kinds["near"] >= 12
    assert kinds["far"] >= 12
    assert set(kinds) == {"near", "far"}
    assert sum(row["evidence_mode"] == "all" for row in ANSWERABLE) >= 5
    assert {row["meta"]["kind"] for row in ROWS} == ANSWERABLE_KINDS | NEAR_KINDS | {"far"}


@by_id(ROWS)
def test_row_has_the_shared_format(row: Row) -> None:
    assert set(row) == KEYS
    assert row["set"] == "seeds"
    assert row["question"].strip() == row["question"] != ""
    assert row["answer_type"] in {"short", "long"}
    assert row["evidence_mode"] in {"any", "all"}
    assert row["history"] is None
    assert row["article_ids"] == ([row["article_id"]] if row["article_id"] else [])


@by_id(ANSWERABLE)
def test_evidence_is_whole_sentences_of_the_article(row: Row) -> None:
    assert row["evidence"]
    assert row["evidence_kind"] == "gold_sentence"
    if row["evidence_mode"] == "all":
        assert len(row["evidence"]) >= 2
    starts = [item["start"] for item in row["evidence"]]
    assert starts == sorted(set(starts))
    for item in row["evidence"]:
        assert item["article_id"] in row["article_ids"]
        text = article(item["article_id"])
        start, end = item["start"], item["end"]
        assert 0 < start < end <= len(text)
        assert text[start:end] == item["text"]
        assert "\n" not in item["text"]
        assert text[start - 1].isspace()
        assert text[end : end + 1] in {"", " ", "\n"}
        assert item["text"].endswith((".", '."'))


@by_id(ANSWERABLE)
def test_answers_rest_on_the_evidence(row: Row) -> None:
    """The first answer is in the article's own words; the later ones are other spellings.

    With evidence mode "any" each sentence must do alone, or state another listed answer.
    """
    kind, answers = row["meta"]["kind"], row["answers"]
    assert kind in ANSWERABLE_KINDS
    assert row["unanswerable_kind"] is None
    assert answers
    assert len(set(answers)) == len(answers)
    assert all(tokens(answer) for answer in answers)
    if kind == "yes_no":
        assert answers[0] in {"yes", "no"}
        answers = answers[1:]
    title = article(row["article_id"]).split("\n", 1)[0]
    sentences = [item["text"] for item in row["evidence"]]
    joined = tokens(" ".join([title, *sentences]))
    assert tokens(answers[0]) <= joined
    if row["evidence_mode"] == "any":
        for sentence in sentences:
            alone = tokens(f"{title} {sentence}")
            assert any(tokens(answer) <= alone for answer in answers), sentence


@by_id(UNANSWERABLE)
def test_unanswerable_rows_carry_no_answer(row: Row) -> None:
    assert row["answers"] == []
    assert row["evidence"] == []
    assert row["evidence_kind"] is None
    if row["unanswerable_kind"] == "near":
        assert row["meta"]["kind"] in NEAR_KINDS
        assert row["article_id"]
    else:
        assert row["unanswerable_kind"] == row["meta"]["kind"] == "far"
        assert row["article_id"] is None
