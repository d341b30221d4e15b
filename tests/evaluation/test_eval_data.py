"""The command line over evaluation data that people elsewhere wrote ($RAG_EVAL_DATA): whatever is
asked, every citation is a slice of its article and every claim has one.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from rag.cli.main import main
from rag.errors import ModelError
from rag.models import files

DATA = os.environ.get("RAG_EVAL_DATA")
DATA_FOLDER = Path(DATA or ".")
pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(DATA is None, reason="RAG_EVAL_DATA names no evaluation data"),
]


@pytest.mark.parametrize(
    ("name", "questions", "most"),
    [
        ("squad", "sample.jsonl", 6),
        pytest.param("squad", "sample.jsonl", None, marks=pytest.mark.slow),
        pytest.param("rtqa22", "questions.jsonl", None, marks=pytest.mark.slow),
    ],
)
def test_every_citation_is_a_slice_and_every_claim_has_one(
    name: str, questions: str, most: int | None, tmp_path: Path
) -> None:
    """``most``: so many articles, the shortest ones, and the questions about them."""
    try:
        files.locate("all-MiniLM-L6-v2")
    except ModelError as error:
        pytest.skip(str(error))
    paths = sorted((DATA_FOLDER / name / "articles").iterdir(), key=lambda p: p.stat().st_size)
    folder, index, asked = tmp_path / "articles", tmp_path / "index", tmp_path / "questions.jsonl"
    folder.mkdir()
    for path in paths[:most]:
        shutil.copy(path, folder)
    lines = (DATA_FOLDER / name / questions).read_text(encoding="utf-8").splitlines()
    known = {path.stem for path in paths[:most]}
    kept = [line for line in lines if most is None or json.loads(line)["article_id"] in known]
    asked.write_text("\n".join(kept), encoding="utf-8")
    output = tmp_path / "answers.jsonl"
    assert main(["index", str(folder), "--index", str(index)]) == 0
    batch = ["--input", str(asked), "--output", str(output)]
    assert main(["ask", "--index", str(index), "--generator", "extractive", *batch]) == 0
    ids = [json.loads(line)["id"] for line in kept]
    assert len(ids) > 40
    with output.open(encoding="utf-8") as answers:
        rows = [json.loads(line) for line in answers]
    assert [row["id"] for row in rows] == ids
    texts: dict[str, str] = {}
    for row in rows:
        assert "error" not in row
        assert row["declined"] is (not row["claims"])
        for citation in row["citations"]:
            path = citation["article"]
            if path not in texts:
                with (folder / path).open(encoding="utf-8", newline="") as file:
                    texts[path] = file.read()
            assert texts[path][citation["start"] : citation["end"]] == citation["quote"]
        for claim in row["claims"]:
            assert claim["citations"]
    assert sum(not row["declined"] for row in rows) > len(rows) / 2
