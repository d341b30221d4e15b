"""A text of one's own is checked against an index, sentence by sentence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rag.answering.pipeline import Rag
from rag.cli.main import main
from rag.config import Config


@pytest.fixture
def rag(tmp_path: Path, config: Config) -> Iterator[Rag]:
    folder = tmp_path / "news"
    folder.mkdir()
    text = "Ferry\n\nThe ferry carries 120 cars. The bridge at Rilla was not closed on Sunday.\n"
    (folder / "ferry.txt").write_text(text, encoding="utf-8")
    settings = replace(
        config, generator="extractive", passage_tokens=Config().passage_tokens, store=Config().store
    )
    with Rag.for_articles(folder, settings, tmp_path / "index") as opened:
        yield opened


def test_each_sentence_has_its_verdict_and_its_citation(rag: Rag) -> None:
    draft = (
        "The ferry carries 120 cars. The ferry carries 90 cars.\n\n"
        "The bridge at Rilla was closed on Sunday. Wheat prices doubled in Velland. Why?"
    )
    found = rag.check(draft)
    verdicts = [sentence.verdict for sentence in found.sentences]
    contradicted = ["contradicted"] * 2
    assert verdicts == ["supported", *contradicted, "not_found", "not_checkable"]
    for sentence in found.sentences:
        assert draft[sentence.start : sentence.end] == sentence.text
        for cited in sentence.citations:
            assert rag.article(cited.article).text[cited.start : cited.end] == cited.quote


@pytest.mark.parametrize("text", ["", " \n\n", "x" * 1_000_000, "\0\ud800 ***"])
def test_what_is_no_text_is_not_checkable(rag: Rag, text: str) -> None:
    assert {s.verdict for s in rag.check(text).sentences} == {"not_checkable"}


def test_a_file_is_checked_on_the_command_line(
    rag: Rag, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "draft.txt"
    draft.write_bytes(b"The ferry carries 120 cars.\nWhy \xff?\n")
    options = ["--index", str(tmp_path / "index"), "--encoder", rag.config.encoder]
    assert main(["check", str(draft), *options]) == 0
    shown = capsys.readouterr().out
    assert "supported: The ferry carries 120 cars." in shown
    assert main(["check", str(draft), *options, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert [s["verdict"] for s in row["sentences"]] == ["supported", "not_checkable"]
    assert main(["check", str(tmp_path / "none.txt"), *options]) == 1
    assert "There is no file" in capsys.readouterr().err


def test_rows_of_claims_with_sources_need_no_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "claims.jsonl", tmp_path / "verdicts.jsonl"
    cars = "The Tern carries 120 cars. The Gannet carries 310."
    rows: list[dict[str, object]] = [
        {"id": "a", "claim": "The Tern carries 120 cars.", "sources": [cars], "title": "Ferries"},
        {"id": "b", "claim": "The Tern carries 310 cars.", "sources": [cars], "title": "Ferries"},
        {"id": "c", "claim": "The Tern sank off Rilla in May.", "sources": [cars]},
        {"id": "d", "claim": "Is it?", "sources": [cars]},
        {"id": "e", "claim": 3},
        {"id": "f", "claim": "", "sources": []},
        {"id": "g", "claim": "The Tern carries cars.", "sources": "no list"},
    ]
    source.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    command = ["check", "--input", str(source), "--output", str(target)]
    assert main(command) == 0
    found = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in found] == list("abcdefg")
    verdicts = ["supported", "contradicted", "not_found", "not_checkable", None, "not_checkable"]
    assert [row.get("verdict") for row in found] == [*verdicts, None]
    assert found[0]["support"] == 1.0
    (cited,) = found[0]["citations"]
    assert cars[cited["start"] : cited["end"]] == cited["quote"] == "The Tern carries 120 cars."
    assert all("error" in found[n] for n in (4, 6))
    capsys.readouterr()
    assert main(command) == 0
    assert "complete, nothing to do" in capsys.readouterr().err


def test_rows_without_sources_are_checked_against_the_index(rag: Rag, tmp_path: Path) -> None:
    source, target = tmp_path / "claims.jsonl", tmp_path / "verdicts.jsonl"
    source.write_text(json.dumps({"id": 1, "claim": "The ferry carries 120 cars."}))
    options = ["--index", str(tmp_path / "index"), "--encoder", rag.config.encoder]
    assert main(["check", "--input", str(source), "--output", str(target), *options]) == 0
    (row,) = map(json.loads, target.read_text(encoding="utf-8").splitlines())
    assert (row["id"], row["verdict"]) == (1, "supported")
    assert row["citations"][0]["article"] == "ferry.txt"


@pytest.mark.parametrize("options", [[], ["draft.txt", "--input", "a", "--output", "b"]])
def test_a_draft_or_a_file_of_claims_is_needed(options: list[str]) -> None:
    assert main(["check", *options]) == 2
