"""Verifiers: when a check passes, and models of the hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import ModelError, UnknownName
from rag.verification.verifiers import ENTAILED, VERIFIERS, load_verifier

BRIDGE = "The Harbour Bridge in Maldon was closed on Friday after cracks were found in two pillars."
HALL = "Ana Holm is the mayor of Maldon."


@pytest.mark.parametrize("name", sorted(VERIFIERS))
def test_verifier_contract(name: str) -> None:
    verifier = load_verifier(name)
    same = verifier.check(BRIDGE, BRIDGE)
    assert same.passed
    assert same.support == 1.0
    other = verifier.check("Penguins cannot fly.", BRIDGE, [HALL])
    assert 0.0 <= other.support <= 1.0
    assert other.passed is (name == "none")


def test_a_claim_passes_where_one_sentence_says_it() -> None:
    check = load_verifier("rules").check
    assert check("The Harbour Bridge was closed on Friday.", BRIDGE).passed
    assert check("Yes, the Harbour Bridge in Maldon was closed.", BRIDGE).passed
    assert not check("The old Harbour Bridge was closed.", BRIDGE).passed
    assert not check("The Harbour Bridge was closed by Ana Holm.", BRIDGE, [HALL]).passed
    assert check("The old Harbour Bridge was closed.", BRIDGE).support == 0.0


def test_the_sentence_before_tells_whom_a_pronoun_means() -> None:
    check = load_verifier("rules").check
    assert check("Ana Holm closed the bridge.", "She closed the bridge.", [HALL]).passed
    assert not check("Ana Holm closed the bridge.", "She closed the bridge.").passed
    assert not check("Maldon closed the bridge.", "She closed the bridge.", [HALL]).passed


def test_unknown_verifiers_are_named_with_the_known_ones() -> None:
    for name in ("oracle", "nli", "nli:", "rules:strict"):
        with pytest.raises(UnknownName, match="none, rules, nli:HUB_ID"):
            load_verifier(name)


@pytest.mark.parametrize("name", sorted({*VERIFIERS} - {"none"}))
def test_nothing_supports_a_claim_without_a_sentence(name: str) -> None:
    verifier = load_verifier(name)
    assert not verifier.check(BRIDGE, "").passed
    assert not verifier.check("", BRIDGE).passed
    assert not verifier.check("?!", " … ", [""]).passed


@pytest.fixture
def nli_folder(tmp_path: Path) -> Path:
    """A tiny classifier with random weights, as a hub's NLI model lies on the disk."""
    return tiny_classifier(tmp_path / "nli", ["contradiction", "entailment", "neutral"])


def tiny_classifier(folder: Path, labels: list[str]) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"the bridge was closed in".split()]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    settings = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=64,
        initializer_range=1.0,
        id2label=dict(enumerate(labels)),
        label2id={label: n for n, label in enumerate(labels)},
    )
    BertForSequenceClassification(settings).save_pretrained(folder)
    return folder


def test_an_nli_model_by_folder_or_hub_id(nli_folder: Path) -> None:
    verifier = load_verifier(f"nli:{nli_folder}")
    claim, sentence = "The bridge was closed.", "Closed in the bridge."
    check = verifier.check(claim, sentence)
    assert 0.0 < check.support < 1.0
    assert check.passed is (check.support >= ENTAILED)
    assert check == verifier.check(claim, sentence)
    below = load_verifier(f"nli:{nli_folder.name}", Config(models_dir=nli_folder.parent))
    assert below.check(claim, sentence) == check
    assert verifier.check(claim, "The bridge was closed in May.").support == 1.0  # its words say so
    assert not verifier.check("It cost 9 euros.", "It cost 4 euros.").passed
    assert not verifier.check("It was in Lisk.", "It was in Maldon.").passed
    assert 0.0 <= verifier.check("the bridge " * 9_000, "was closed " * 9_000).support <= 1.0


def test_the_entailment_label_is_found_by_its_name(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from rag.verification.nli import NliModel

    folder = tiny_classifier(tmp_path / "m", ["ENTAILMENT", "not_entailment"])
    tokens = AutoTokenizer.from_pretrained(folder)("was closed", "closed", return_tensors="pt")
    with torch.inference_mode():
        logits = AutoModelForSequenceClassification.from_pretrained(folder)(**tokens).logits[0]
    expected = float(torch.softmax(logits, 0)[0])
    assert NliModel(folder).entailment("was closed", "closed") == pytest.approx(expected, abs=1e-6)
    single = NliModel(tiny_classifier(tmp_path / "one", ["LABEL_0"]))
    assert 0.0 <= single.entailment("was closed", "closed") <= 1.0


def test_what_is_no_nli_model_is_an_error_of_one_line(tmp_path: Path, nli_folder: Path) -> None:
    unnamed = tiny_classifier(tmp_path / "unnamed", ["LABEL_0", "LABEL_1"])
    with pytest.raises(ModelError, match="no label for entailment"):
        load_verifier(f"nli:{unnamed}")
    with pytest.raises(ModelError, match="python -m rag models pull someone/absent-nli"):
        load_verifier("nli:someone/absent-nli")
    settings = json.loads((nli_folder / "config.json").read_text())
    (nli_folder / "config.json").write_text(json.dumps({**settings, "model_type": "unheard-of"}))
    with pytest.raises(ModelError, match="Cannot load the NLI model"):
        load_verifier(f"nli:{nli_folder}")
