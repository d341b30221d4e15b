"""Two results side by side, and the gate: a committed fixture must not get worse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.cli.main import main
from rag.errors import InputError, ModelError
from rag.evaluation.compare import compare, difference, read
from rag.evaluation.measures import METRICS_OF, Metric
from rag.models import files

GATE = Path(__file__).parents[1] / "data" / "gate"
GATED = (
    "evidence_recall@1",
    "evidence_recall@5",
    "passages_recall@5",
    "retrieval.auroc",
    "answer_recall",
    "citation_f1",
    "pointer_validity",
    "uncited_claim_rate",
    "rejection_rate",
    "false_refusal_rate",
)


def result(ids: list[str], recall: list[float | None], **more: Any) -> dict[str, Any]:
    """A result of answers that were all right, but for the given answer recall."""
    n = len(ids)
    names = {column for metric in METRICS_OF["answers"].values() for column in metric.columns}
    table = {"id": ids, **{name: [1.0] * n for name in sorted(names)}, "answer_recall": recall}
    return {
        "version": 1,
        "set": "norway",
        "system": "footnote",
        "commit": "abc",
        "date": "2024-01-01",
        "config": {"encoder": "one"},
        "index": {"articles_sha256": "0123456789"},
        "parts": {"answers": {"questions": table}},
        **more,
    }


def saved(path: Path, value: object) -> str:
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


def many(*shares: float) -> tuple[list[str], list[float | None]]:
    """Twenty questions for each share, all with it."""
    values: list[float | None] = [share for share in shares for _ in range(20)]
    return [f"q{n}" for n in range(len(values))], values


def test_the_difference_is_paired_by_id() -> None:
    before = result(["a", "b", "c", "x"], [0.0, 1.0, 1.0, 1.0])
    after = result(["c", "y", "b", "a"], [1.0, 0.0, 0.0, 1.0])
    done = compare(before, after)
    assert done["questions"]["answers"] == {"shared": 3, "left_out": [1, 1]}
    row = done["metrics"]["answers.answer_recall"]
    # a: 0 → 1, b: 1 → 0, c: 1 → 1.
    assert (row["before"], row["after"], row["value"], row["n"]) == (0.6667, 0.6667, 0, 3)
    assert (row["better"], row["worse"]) == (False, False)
    assert done["changed"] == {"answers.answer_recall": {"better": ["a"], "worse": ["b"]}}


def test_a_difference_within_its_interval_is_not_worse() -> None:
    ids, before = many(1, 0)
    fewer = [0.0, 0.0, *before[2:]]
    row = compare(result(ids, before), result(ids, fewer))["metrics"]["answers.answer_recall"]
    assert row["value"] == -0.05
    assert row["low"] < 0 == row["high"]
    assert not row["worse"]
    much = compare(result(ids, before), result(ids, [0.0] * 40))["metrics"]["answers.answer_recall"]
    assert (much["value"], much["worse"], much["better"]) == (-0.5, True, False)
    back = compare(result(ids, [0.0] * 40), result(ids, before))["metrics"]["answers.answer_recall"]
    assert (back["value"], back["worse"], back["better"]) == (0.5, False, True)


def test_less_is_better_for_some() -> None:
    metric = Metric(("refused",), lower_is_better=True)
    row = difference(metric, {"refused": [0.0] * 20}, {"refused": [1.0] * 20})
    assert row
    assert (row["value"], row["worse"], row["better"]) == (1, True, False)


def test_each_side_counts_where_it_has_numbers() -> None:
    before, after = {"x": [1.0, None, None]}, {"x": [None, 0.5, None]}
    row = difference(Metric(("x",)), before, after)
    assert row
    assert (row["before"], row["after"], row["value"], row["n"]) == (1, 0.5, -0.5, 2)
    assert difference(Metric(("x",)), before, {"x": [None] * 3}) is None
    assert difference(Metric(("x",)), before, {"y": [1.0] * 3}) is None


def test_a_metric_over_all_questions_is_compared_too() -> None:
    metric = METRICS_OF["answers"]["auroc"]
    truth = [1.0] * 10 + [0.0] * 10
    good, bad = list(np.linspace(1, 0, 20)), list(np.linspace(0, 1, 20))
    row = difference(
        metric,
        {"answerable": truth, "confidence": good},
        {"answerable": truth, "confidence": bad},
    )
    assert row
    assert (row["before"], row["after"], row["value"], row["worse"]) == (1, 0, -1, True)


def test_results_of_different_things_are_not_compared() -> None:
    ids, values = many(1)
    one = result(ids, values)
    with pytest.raises(InputError, match="compared: set is norway and sweden"):
        compare(one, {**one, "set": "sweden"})
    with pytest.raises(InputError, match=r"index\.articles_sha256 is 01234567… and 9{8}…"):
        compare(one, {**one, "index": {"articles_sha256": "9" * 20}})
    with pytest.raises(InputError, match="parts is answers and retrieval"):
        compare(one, {**one, "parts": {"retrieval": {}}})
    with pytest.raises(InputError, match=r"parts\.answers\.questions have no id in common"):
        compare(one, result(["other"], [1.0]))


def test_what_is_no_result_of_this_version_is_refused(tmp_path: Path) -> None:
    for content, message in (
        ({"set": "norway", "metrics": {}}, "its field version is None and this program reads 1"),
        ({"version": 2}, "its field version is 2"),
        ([], "its field version is None"),
    ):
        saved(tmp_path / "r.json", content)
        with pytest.raises(InputError, match=message):
            read(tmp_path / "r.json")
    (tmp_path / "r.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="it is not JSON"):
        read(tmp_path / "r.json")
    with pytest.raises(InputError, match="There is no result"):
        read(tmp_path / "none.json")


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids, good = many(1, 0)
    before = saved(tmp_path / "a.json", result(ids, good))
    changed = {"commit": "def", "config": {"encoder": "two"}}
    after = saved(tmp_path / "b.json", result(ids, [0.0] * 40, **changed))
    assert main(["eval", "compare", before, after]) == 0  # nothing is named
    out = capsys.readouterr().out
    assert "- config.encoder: one → two" in out
    assert "| answers.answer_recall | 0.5 | 0 | -0.5000 |" in out
    assert "answers.answer_recall: 0 better, 20 worse" in out
    assert f"- worse: {', '.join(ids[:20])}" in out
    assert main(["eval", "compare", before, after, "--metric", "exact_match"]) == 0
    named = ["--metric", "exact_match", "answers.answer_recall"]
    capsys.readouterr()
    assert main(["eval", "compare", before, after, *named, "--json"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "Worse by more than chance: answers.answer_recall.\n"
    assert json.loads(captured.out)["gate"] == ["answers.exact_match", "answers.answer_recall"]
    assert main(["eval", "compare", before, after, "--metric", "bleu"]) == 1
    assert "The metric 'bleu' is in neither result. Known: " in capsys.readouterr().err
    assert main(["eval", "compare", before]) == 2
    assert main(["eval", "compare", "--help"]) == 0
    assert "usage: python -m rag eval compare" in capsys.readouterr().out


def test_a_name_in_two_parts_must_be_told_apart() -> None:
    ids, values = many(1)
    one = result(ids, values)
    columns = {"id": ids, "confidence": [0.5] * 20, "answerable": [1.0, 0.0] * 10}
    one["parts"]["answers"]["questions"] |= columns
    one["parts"]["retrieval"] = {"questions": columns}
    with pytest.raises(InputError, match=r"'auroc' is in retrieval\.auroc and answers\.auroc"):
        compare(one, one, ["auroc"])
    assert compare(one, one, ["retrieval.auroc"])["gate"] == ["retrieval.auroc"]


@pytest.mark.models
def test_the_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        files.locate("all-MiniLM-L6-v2")
    except ModelError as error:
        pytest.skip(str(error))
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "1")  # set by the command line; put back after the test
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    monkeypatch.chdir(tmp_path)
    made = str(tmp_path / "made.json")
    assert (
        main(["eval", str(GATE), "--generator", "extractive", "--cache", ".", "--output", made])
        == 0
    )
    code = main(["eval", "compare", str(GATE / "expected.json"), made, "--metric", *GATED])
    assert code == 0, capsys.readouterr()
