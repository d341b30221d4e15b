"""Lexical search ranks by the BM25 formula."""

from __future__ import annotations

import math
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.index.lexical import LexicalIndex

K1, B = 1.2, 0.75
ROWS = [
    (3, "the ferri to lisk leav at 7".split()),
    (5, "the bridg in maldon was close".split()),
    (8, "ferri ferri ferri lisk".split()),
    (9, "owl of lisk".split()),
    (12, ["u2019", "don't", "3.5", "北", "京"]),
    (13, []),
]


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndex:
    return LexicalIndex.build(tmp_path, ROWS)


def bm25(rows: list[tuple[int, list[str]]], query: list[str]) -> list[tuple[int, float]]:
    """Robertson and Zaragoza 2009, section 3.4; best first, equal scores by key."""
    average = sum(len(terms) for _, terms in rows) / len(rows)
    scores = {}
    for key, terms in rows:
        total = 0.0
        for term in set(query):
            holding = sum(term in other for _, other in rows)
            idf = math.log(1 + (len(rows) - holding + 0.5) / (holding + 0.5))
            count = terms.count(term)
            length = K1 * (1 - B + B * len(terms) / average)
            total += idf * count * (K1 + 1) / (count + length)
        if total:
            scores[key] = total
    return sorted(scores.items(), key=lambda item: (-round(item[1], 5), item[0]))


def found(lexical: LexicalIndex, query: list[str], k: int = 10) -> list[tuple[int, float]]:
    keys, scores = lexical.search(query, k)
    assert keys.dtype == np.int64
    assert scores.dtype == np.float32
    return list(zip(keys.tolist(), scores.tolist(), strict=True))


@pytest.mark.parametrize(
    "query",
    [
        ["ferri"],
        ["lisk", "ferri"],
        ["ferri", "ferri", "lisk"],
        ["the", "owl", "unknown"],
        ["北"],
        ["don't", "3.5"],
    ],
)
def test_scores_are_bm25(lexical: LexicalIndex, query: list[str]) -> None:
    wanted = bm25(ROWS, query)
    assert [key for key, _ in found(lexical, query)] == [key for key, _ in wanted]
    np.testing.assert_allclose(
        [score for _, score in found(lexical, query)], [score for _, score in wanted], rtol=1e-4
    )


def test_a_random_corpus_is_ranked_as_by_the_formula(tmp_path: Path) -> None:
    source = random.Random(12)
    words = [f"w{n}" for n in range(60)]
    weights = [1 / (n + 1) for n in range(60)]
    rows = [
        (key, source.choices(words, weights, k=source.randrange(1, 38))) for key in range(150)
    ]  # up to 40 terms tantivy stores lengths exactly, above that in steps
    lexical = LexicalIndex.build(tmp_path, rows)
    for _ in range(20):
        query = source.choices(words, k=4)
        wanted = bm25(rows, query)
        got = found(lexical, query, 400)
        assert len(got) == len(wanted)
        of_key = dict(wanted)
        for (key, score), (_, at_this_rank) in zip(got, wanted, strict=True):
            assert score == pytest.approx(of_key[key], rel=1e-4)
            assert score == pytest.approx(at_this_rank, rel=1e-4)


def test_idf_is_the_formulas(lexical: LexicalIndex) -> None:
    assert lexical.passages == len(ROWS)
    assert lexical.idf("lisk") == pytest.approx(math.log(1 + 3.5 / 3.5))
    assert lexical.idf("unknown") == pytest.approx(math.log(1 + 6.5 / 0.5))


def test_equal_scores_come_in_order_of_their_keys(tmp_path: Path) -> None:
    lexical = LexicalIndex.build(tmp_path, [(key, ["same", "text"]) for key in range(1, 40)])
    assert lexical.search(["text"], 7)[0].tolist() == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("query", [[], ["unknown"], ["x" * 100_000], ["two words"], ["\0"], ["*"]])
def test_nothing_is_found_for(lexical: LexicalIndex, query: list[str]) -> None:
    assert found(lexical, query) == []


def test_no_results_are_asked_for(lexical: LexicalIndex) -> None:
    assert found(lexical, ["ferri"], 0) == []


def test_an_empty_index(tmp_path: Path) -> None:
    lexical = LexicalIndex.build(tmp_path, [])
    assert found(lexical, ["ferri"]) == []
    assert lexical.passages == 0


def test_opened_again_it_is_the_same(lexical: LexicalIndex, tmp_path: Path) -> None:
    again = LexicalIndex.open(tmp_path)
    assert found(again, ["ferri", "lisk"]) == found(lexical, ["ferri", "lisk"])


def test_searching_from_many_threads(lexical: LexicalIndex) -> None:
    wanted = found(lexical, ["ferri", "lisk"])
    with ThreadPoolExecutor(8) as pool:
        for got in pool.map(lambda _: found(lexical, ["ferri", "lisk"]), range(64)):
            assert got == wanted
