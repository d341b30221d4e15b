"""The reader: scores and spans of real sentences, and weights that are missing or damaged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import ModelError
from rag.models import reader as module
from rag.models.checksums import sha256_of
from rag.models.encoder_process import EncoderProcess
from rag.models.reader import SHA256, WEIGHTS, ExtractiveReader, Reading, Window, load_reader

pytestmark = pytest.mark.models

SENTENCES = (
    "The Harbour Bridge in Maldon was closed on Friday after cracks were found in two pillars.",
    "Mayor Ann Okoye said repairs would cost about $4 million.",
    "It opened in 1931.",
)


def window_of(*sentences: str) -> Window:
    starts = [sum(len(s) + 1 for s in sentences[:n]) for n in range(len(sentences))]
    spans = tuple((start, start + len(s)) for start, s in zip(starts, sentences, strict=True))
    return Window(" ".join(sentences), spans)


WINDOW = window_of(*SENTENCES)


@pytest.fixture(scope="module")
def reader() -> ExtractiveReader:
    loaded = load_reader(Config())
    assert isinstance(loaded, ExtractiveReader)
    return loaded


def words(reading: Reading, window: Window = WINDOW) -> str:
    return window.text[reading.start : reading.end]


@pytest.mark.parametrize(
    ("question", "sentence", "answer"),
    [
        ("How much would the repairs cost?", 1, "$4 million"),
        ("What is the mayor's name?", 1, "Ann Okoye"),
        ("When was the bridge closed?", 0, "Friday"),
        ("What happened in 1931?", 2, "opened"),
    ],
)
def test_the_sentence_that_answers_reads_best_and_its_words_are_marked(
    reader: ExtractiveReader, question: str, sentence: int, answer: str
) -> None:
    (readings,) = reader.read(question, [WINDOW])
    best = max(range(3), key=lambda n: readings[n].score)
    assert best == sentence
    assert readings[best].score > 0
    assert answer in words(readings[best])
    for (start, end), reading in zip(WINDOW.sentences, readings, strict=True):
        assert start <= reading.start <= reading.end <= end


@pytest.mark.parametrize(
    "question",
    ["Who built the bridge?", "Why did the mayor resign?", "How many people live in Maldon?"],
)
def test_what_no_sentence_answers_reads_below_no_answer(
    reader: ExtractiveReader, question: str
) -> None:
    (readings,) = reader.read(question, [WINDOW])
    assert max(reading.score for reading in readings) < 0


def test_a_window_reads_the_same_beside_others_and_in_another_process(
    reader: ExtractiveReader, beside: EncoderProcess
) -> None:
    question = "How much would the repairs cost?"
    (alone,) = reader.read(question, [WINDOW])
    together = reader.read(question, [window_of(SENTENCES[2] * 9), WINDOW, window_of("A.")])[1]
    there = beside.read(question, [WINDOW])[0]
    for other in (together, there):
        for one, two in zip(alone, other, strict=True):
            assert one.score == pytest.approx(two.score, abs=1e-3)
            assert (one.start, one.end) == (two.start, two.end)


@pytest.mark.parametrize(
    ("question", "window"),
    [
        ("word " * 3_000, WINDOW),
        ("Who?", window_of("word " * 3_000, "The end.")),
        ("", WINDOW),
        ("Who?", window_of("")),
        (
            "¿Quién? 誰 \x00 \ud800".encode("utf-8", "replace").decode(),
            window_of("誰です。", "\u200b"),
        ),
    ],
)
def test_any_text_is_read(reader: ExtractiveReader, question: str, window: Window) -> None:
    (readings,) = reader.read(question, [window])
    assert len(readings) == len(window.sentences)
    for (start, end), reading in zip(window.sentences, readings, strict=True):
        assert start <= reading.start <= reading.end <= end
        assert -100 < reading.score < 100


def test_nothing_to_read(reader: ExtractiveReader) -> None:
    assert reader.read("Who?", []) == []


def test_many_threads_read_at_once(reader: ExtractiveReader) -> None:
    questions = ["Who is the mayor?", "When did it open?"] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda q: reader.read(q, [WINDOW]), questions))
    assert found[::2] == found[:1] * 8
    assert found[1::2] == found[1:2] * 8


def test_the_weights_of_the_package_are_those_that_were_measured() -> None:
    assert sha256_of(WEIGHTS / "model.safetensors") == SHA256


def test_damaged_weights_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WEIGHTS", tmp_path)
    for content in (None, b"no weights at all"):
        if content:
            (tmp_path / "model.safetensors").write_bytes(content)
        with pytest.raises(ModelError, match="missing or damaged") as caught:
            ExtractiveReader().read("Who?", [WINDOW])
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_readers_by_name(tmp_path: Path) -> None:
    assert load_reader(Config(reader="none")) is None
    assert load_reader(Config(encoder="hashed")) is None
    with pytest.raises(ModelError, match="python -m rag models pull someone/absent"):
        load_reader(Config(reader="someone/absent"))
    (tmp_path / "config.json").write_text("{}")
    other = load_reader(Config(reader=str(tmp_path)))
    assert other is not None
    with pytest.raises(ModelError, match="Cannot load the reader in"):
        other.read("Who?", [WINDOW])


def test_any_question_answering_model_of_the_hub_reads(tmp_path: Path) -> None:
    import torch
    from transformers import BertConfig, BertForQuestionAnswering, BertTokenizer

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"who the mayor said it".split()]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    torch.manual_seed(0)
    settings = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
    )
    BertForQuestionAnswering(settings).save_pretrained(tmp_path)
    other = load_reader(Config(reader=str(tmp_path)))
    assert other is not None
    (readings,) = other.read("Who said it?", [WINDOW])
    assert len(readings) == 3
