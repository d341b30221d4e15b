"""Every encoder gives unit vectors that depend on the text alone, with "late" sentence vectors."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.errors import ModelError
from rag.models.encoder import BATCH_TOKENS, BLOCK, Encoder, HashedEncoder, _batches, load_encoder
from rag.types import Vectors

TEXTS = [
    "The bridge in Maldon was closed on Friday. Repairs would cost about $4 million.",
    "Tickets cost nine euros.",
    "Snowy owls — “not seen for 40 years” — returned to Lisk; eleven birds, naïve 北京 😀.\r\nYes.",
    "ferry " * 260,
    "x",
]


@pytest.fixture(
    params=["hashed", *(pytest.param(of, marks=pytest.mark.models) for of in ("minilm", "beside"))]
)
def encoder(request: pytest.FixtureRequest) -> Any:  # an Encoder; overrides conftest's
    return HashedEncoder() if request.param == "hashed" else request.getfixturevalue(request.param)


def spans_of(text: str) -> list[tuple[int, int]]:
    cut = min(len(text), 60) // 2
    return [(0, cut), (cut, min(len(text), 60)), (0, len(text))]


def assert_unit(vectors: Vectors, n: int, encoder: Encoder) -> None:
    assert vectors.shape == (n, encoder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_vectors_are_unit_rows(encoder: Encoder) -> None:
    assert_unit(encoder.encode_texts(TEXTS), len(TEXTS), encoder)
    vectors, parts = encoder.encode_passages(TEXTS, [[(0, len(text))] * 2 for text in TEXTS])
    assert_unit(vectors, len(TEXTS), encoder)
    for part in parts:
        assert_unit(part, 2, encoder)


def test_nothing_to_encode(encoder: Encoder) -> None:
    assert encoder.encode_texts([]).shape == (0, encoder.dimensions)
    vectors, parts = encoder.encode_passages([], [])
    assert vectors.shape == (0, encoder.dimensions)
    assert parts == []
    vectors, (part,) = encoder.encode_passages(["One sentence."], [[]])
    assert part.shape == (0, encoder.dimensions)
    assert np.isfinite(encoder.encode_texts(["", " ", "\ufffd"])).all()
    assert not encoder.encode_passages(["A b."], [[(1, 2)]])[1][0].any()  # no token is there


def test_vectors_depend_on_the_text_alone(encoder: Encoder) -> None:
    texts = [*TEXTS, *(f"Passage {n} tells of other islands. " * (n % 3 + 1) for n in range(20))]
    spans = [spans_of(text) for text in texts]
    vectors, parts = encoder.encode_passages(texts, spans)
    order = random.Random(11).sample(range(len(texts)), len(texts))
    shuffled, of_shuffled = encoder.encode_passages(
        [texts[i] for i in order], [spans[i] for i in order]
    )
    np.testing.assert_allclose(shuffled, vectors[order], atol=1e-4)
    for i, part in zip(order, of_shuffled, strict=True):
        np.testing.assert_allclose(part, parts[i], atol=1e-4)
    np.testing.assert_allclose(encoder.encode_texts(texts), vectors, atol=1e-4)
    for i in (0, 2, 4):
        np.testing.assert_allclose(encoder.encode_texts([texts[i]])[0], vectors[i], atol=1e-4)


def test_encoding_from_many_threads(encoder: Encoder) -> None:
    jobs = [TEXTS[n % 2 : n % 2 + 2] for n in range(8)]
    wanted = [encoder.encode_texts(job) for job in jobs]
    tokens = [encoder.token_spans(job[0]) for job in jobs]

    def work(job: list[str]) -> tuple[Vectors, list[tuple[int, int]]]:
        spans = encoder.token_spans(job[0])  # no padding, no truncation, in between
        return encoder.encode_passages(job, [spans_of(text) for text in job])[0], spans

    with ThreadPoolExecutor(8) as pool:
        for n, (vectors, spans) in enumerate(pool.map(work, jobs)):
            np.testing.assert_allclose(vectors, wanted[n], atol=1e-4)
            assert spans == tokens[n]


def test_token_spans_cover_the_text(encoder: Encoder) -> None:
    for text in [*TEXTS, "", "A line of a very long text.\n" * 20_000, "word " * 50_000]:
        spans = encoder.token_spans(text)
        assert spans == sorted(spans)
        position = 0
        for start, end in spans:
            assert position <= start < end <= len(text)
            assert not text[position:start].strip()
            position = end
        assert not text[position:].strip()


@pytest.mark.models
def test_long_texts_have_the_tokens_of_their_lines(minilm: Encoder) -> None:
    line = "The ferry to Lisk leaves at seven, said Dr. Reyes.\n"
    of_line = minilm.token_spans(line)
    times = BLOCK // len(line) + 100
    spans = minilm.token_spans(line * times)
    assert len(spans) == times * len(of_line)
    at = (times - 1) * len(line)
    assert spans[-len(of_line) :] == [(at + start, at + end) for start, end in of_line]


@pytest.mark.models
def test_late_sentence_vectors_are_means_of_the_passages_token_vectors(minilm: Any) -> None:
    text = "Harbour bridge\nThe bridge was closed on Friday. Repairs cost $4 million."
    spans = [(15, 47), (48, len(text)), (0, len(text))]
    vectors, (parts, _) = minilm.encode_passages([text, "longer " * 90], [spans, []])  # padded
    out = minilm._model.encode(text, output_value=None)
    tokens = np.asarray(out["token_embeddings"])[1:-1]  # (tokens, dim), without [CLS] and [SEP]
    offsets = minilm.token_spans(text)
    assert len(tokens) == len(offsets)
    for (start, end), part in zip(spans, parts, strict=True):
        rows = [row for row, (a, b) in zip(tokens, offsets, strict=True) if start <= a and b <= end]
        mean = np.mean(rows, axis=0)
        np.testing.assert_allclose(part, mean / np.linalg.norm(mean), atol=1e-4)
    pooled = np.asarray(out["sentence_embedding"])
    np.testing.assert_allclose(vectors[0], pooled / np.linalg.norm(pooled), atol=1e-4)


@pytest.mark.models
def test_the_real_encoder_knows_what_is_alike(minilm: Encoder) -> None:
    texts = ["What will repairs cost?", "Fixing it is going to cost $4 million.", "Owls are birds."]
    question, near, far = minilm.encode_texts(texts)
    assert question @ near > question @ far + 0.2
    assert len(minilm.fingerprint) == 64


def test_batches_hold_texts_of_about_the_same_length() -> None:
    lengths = random.Random(3).choices(range(3, 258), k=512)
    batches = _batches(lengths, 2)
    assert sorted(i for rows in batches for i in rows) == list(range(512))
    assert len(batches) % 2 == 0
    sizes = [sum(lengths[i] for i in rows) for rows in batches]
    assert max(sizes) <= BATCH_TOKENS + 258
    assert max(sizes) - min(sizes) <= 2 * 258
    padded = sum(len(rows) * max(lengths[i] for i in rows) for rows in batches)
    assert padded < 1.05 * sum(lengths)
    assert _batches([9, 500, 9], 1) == [[1, 0, 2]]
    assert _batches([9, 1_500, 9, 1_500], 2) == [[1], [3, 0, 2]]
    assert _batches([3], 2) == [[0]]


def test_hashed_scores_can_be_predicted() -> None:
    vectors = HashedEncoder().encode_texts(["red blue", "Red green", "white black"])
    np.testing.assert_allclose(vectors @ vectors[0], [1, 0.5, 0], atol=1e-6)


def test_a_broken_encoder_says_which(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        load_encoder(str(tmp_path / "missing"))
