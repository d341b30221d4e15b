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
