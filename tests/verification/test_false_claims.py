"""The claims made by hand about invented articles are well formed, and are counted as they are."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rag.ingest.loaders.text import parse
from rag.text.sentences import split

FOLDER = Path(__file__).parents[1] / "data" / "false_claims"


def rows() -> list[dict[str, Any]]:
    lines = (FOLDER / "claims.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_each_claim_cites_whole_sentences_of_its_article() -> None:
    for row in rows():
        path = FOLDER / f"{row['article']}.txt"
        article = parse(path.name, path.read_bytes().decode("utf-8"))
        sentences = {article.text[s.start : s.end] for s in split(article.text, article.body_start)}
        assert row["title"] == article.title
        assert set(row["sources"]) <= sentences
        assert row["claim"] not in sentences


def test_there_are_enough_of_each() -> None:
    labels = Counter(row["label"] for row in rows())
    assert labels == {"not_supported": 50, "supported": 24}
    kinds = Counter(row["kind"] for row in rows())
    assert len(kinds) == 13
    assert min(kinds.values()) >= 3
    assert len({row["claim"] for row in rows()}) == len(rows())
    assert len({row["article"] for row in rows()}) == 6


def test_no_false_claim_passes_and_some_true_ones_do() -> None:
    from benchmarks.verification.false_claims import CLAIMS, judged

    assert CLAIMS.parent == FOLDER
    claims = judged(CLAIMS, "rules")
    assert [one.claim for one in claims if one.passed and not one.supported] == []
    # The others are true in other words, and their sentence is quoted instead.
    assert sum(one.passed for one in claims if one.supported) >= 2


def test_what_passes_is_counted_by_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks.verification import false_claims

    cited = {"sources": ["The Tern carries 120 cars."], "title": "Ferries"}
    claims = [
        {
            **cited,
            "claim": "The Tern carries 310 cars.",
            "label": "not_supported",
            "kind": "number",
        },
        {**cited, "claim": "The Tern carries 120 cars.", "label": "supported"},
    ]
    source = tmp_path / "claims.jsonl"
    source.write_text("\n".join(map(json.dumps, claims)), encoding="utf-8")
    for verifier, passed in (("rules", 0), ("none", 1)):
        monkeypatch.setattr(sys, "argv", ["false_claims.py", str(source), "--verifier", verifier])
        false_claims.main()
        out = capsys.readouterr().out
        assert f"| number | {passed} of 1 |" in out
        assert ("310" in out) is bool(passed)  # what passes is printed
        assert "Unseen" not in out  # that is said of our own claims only
