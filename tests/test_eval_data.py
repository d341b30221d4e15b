"""The command line over evaluation data that people elsewhere wrote ($RAG_EVAL_DATA): whatever is
asked, every citation is a slice of its article and every claim has one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rag import models
from rag.cli import main
from rag.errors import ModelError

DATA = os.environ.get("RAG_EVAL_DATA")
pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(DATA is None, reason="RAG_EVAL_DATA names no evaluation data"),
]


@pytest.mark.parametrize(
    ("name", "questions"),
    [
        ("squad", "sample.jsonl"),
        pytest.param("rtqa22", "questions.jsonl", marks=pytest.mark.slow),
    ],
)
def test_every_citation_is_a_slice_and_every_claim_has_one(
    name: str, questions: str, tmp_path: Path
) -> None:
    try:
        models.locate("all-MiniLM-L6-v2")
    except ModelError as error:
        pytest.skip(str(error))
    folder = Path(str(DATA)) / name
    index, output = tmp_path / "index", tmp_path / "answers.jsonl"
    assert main(["index", str(folder / "articles"), "--index", str(index)]) == 0
    asked = ["--input", str(folder / questions), "--output", str(output)]
    assert main(["ask", "--index", str(index), "--generator", "extractive", *asked]) == 0
    with (folder / questions).open(encoding="utf-8") as lines:
        ids = [json.loads(line)["id"] for line in lines]
    with output.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    assert [row["id"] for row in rows] == ids
    texts: dict[str, str] = {}
    for row in rows:
        assert "error" not in row
        assert row["declined"] is (not row["claims"])
        for citation in row["citations"]:
            path = citation["article"]
            if path not in texts:
                with (folder / "articles" / path).open(encoding="utf-8", newline="") as file:
                    texts[path] = file.read()
            assert texts[path][citation["start"] : citation["end"]] == citation["quote"]
        for claim in row["claims"]:
            assert claim["citations"]
    assert sum(not row["declined"] for row in rows) > len(rows) / 2
