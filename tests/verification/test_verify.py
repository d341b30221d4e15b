"""Verifiers: when a check passes, and models of the hub."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag.config import Config
from rag.errors import ModelError, UnknownName
from rag.verification.problem import Problem
from rag.verification.verifiers import SUPPORTED, VERIFIERS, Check, load_verifier

BRIDGE = "The Harbour Bridge in Maldon was closed on Friday after cracks were found in two pillars."
TITLE = "Harbour bridge closes for repairs"


def test_a_check_passes_with_the_support_that_its_verifier_needs() -> None:
    wrong = (Problem("number", "5"),)
    assert Check(SUPPORTED).passed
    assert not Check(SUPPORTED - 0.01).passed
    assert not Check(1.0, wrong).passed
    assert Check(0.5, needed=0.4).passed


def test_each_word_of_a_claim_must_be_said_by_its_sources_or_their_title() -> None:
    def passes(claim: str) -> bool:
        return load_verifier("rules").check(claim, [BRIDGE], TITLE, {}).passed

    assert passes("The Harbour Bridge was closed after cracks were found in its pillars.")
    assert passes("Yes, the Harbour Bridge in Maldon was closed for repairs.")  # the title's word
    assert passes("Two of the pillars had cracks, so it closed on Friday.")  # other forms
    assert not passes("The old Harbour Bridge was closed after cracks were found in its pillars.")
    assert not passes("The Harbour Bridge was closed on Friday after cracks were found by divers.")
    found = load_verifier("rules").check("The old bridge was closed.", [BRIDGE], TITLE, {})
    assert found.unsaid == ("old",)
    assert found.support >= SUPPORTED - 0.1  # it still says how near the sentence comes


def test_unknown_verifiers_are_named_with_the_known_ones() -> None:
    for name in ("oracle", "nli", "nli:", "rules:strict"):
        with pytest.raises(UnknownName, match="none, rules, nli:HUB_ID"):
            load_verifier(name)


@pytest.mark.parametrize("name", sorted({*VERIFIERS} - {"none"}))
def test_nothing_supports_a_claim_without_sentences(name: str) -> None:
    verifier = load_verifier(name)
    assert not verifier.check(BRIDGE, [], "", {}).passed
    assert not verifier.check("", [BRIDGE], TITLE, {}).passed
    assert not verifier.check("?!", ["", " … "], "", {}).passed


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
    check = verifier.check("The bridge was closed.", ["Closed in the bridge."], "Bridge", {})
    assert 0.0 < check.support < 1.0
    assert check == verifier.check(
        "The bridge was closed.", ["Closed in the bridge."], "Bridge", {}
    )
    below = load_verifier(f"nli:{nli_folder.name}", Config(models_dir=nli_folder.parent))
    assert below.check("The bridge was closed.", ["Closed in the bridge."], "Bridge", {}) == check
    wrong = verifier.check("It cost 9 euros.", ["It cost 4 euros."], "", {})
    assert [problem.kind for problem in wrong.problems] == ["number"]
    assert not wrong.passed
    assert verifier.check("The bridge was closed.", [], "", {}).support == 0.0
    long = verifier.check("the bridge " * 9_000, ["was closed " * 9_000], "", {})
    assert 0.0 <= long.support <= 1.0


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
