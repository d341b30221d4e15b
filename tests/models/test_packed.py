"""BERT over packed texts computes what the library computes; others are left to the library."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel

from rag.models.packed_bert import packed

TEXTS = [[1], [5, 4, 3], list(range(60)), [7] * 17]


def bert(**changes: Any) -> Any:
    """A small BERT with weights at random, its biases and scales too."""
    settings = {
        "vocab_size": 64,
        "hidden_size": 24,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "intermediate_size": 40,
        "max_position_embeddings": 64,
        **changes,
    }
    torch.manual_seed(5)
    model: Any = BertModel(BertConfig(**settings))
    model.eval()
    with torch.no_grad():
        for weights in model.parameters():
            weights.add_(torch.randn_like(weights) * 0.3)
    return model


def test_it_computes_what_the_library_computes() -> None:
    model = bert()
    ours = packed(model)
    assert ours
    with torch.inference_mode():
        found = ours(TEXTS)
        assert [tuple(of.shape) for of in found] == [(len(text), 24) for text in TEXTS]
        for text, vectors in zip(TEXTS, found, strict=True):
            expected = model(input_ids=torch.tensor([text])).last_hidden_state[0]
            torch.testing.assert_close(vectors, expected, atol=1e-4, rtol=0)
        again = ours(TEXTS)  # the weights are as they were
    for before, after in zip(found, again, strict=True):
        assert torch.equal(before, after)


@pytest.mark.parametrize("changes", [{"hidden_act": "relu"}, {"is_decoder": True}])
def test_a_bert_of_another_kind_is_left_to_the_library(changes: dict[str, Any]) -> None:
    assert packed(bert(**changes)) is None


def test_what_is_no_bert_is_left_to_the_library() -> None:
    settings = LlamaConfig(
        vocab_size=64,
        hidden_size=24,
        intermediate_size=40,
        num_hidden_layers=1,
        num_attention_heads=4,
    )
    assert packed(LlamaModel(settings)) is None
    assert packed(None) is None


@pytest.mark.models
def test_an_encoder_without_it_says_the_same(minilm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Owls returned to Lisk.", "x", "The ferry leaves at seven. " * 9, *"abcd"]
    spans = [[(0, 1), (0, len(text))] for text in texts]
    assert minilm._packed
    vectors, parts = minilm.encode_passages(texts, spans)
    monkeypatch.setattr(minilm, "_packed", None)
    expected, of_expected = minilm.encode_passages(texts, spans)
    assert abs(vectors - expected).max() < 1e-5
    assert max(abs(a - b).max() for a, b in zip(parts, of_expected, strict=True)) < 1e-5
