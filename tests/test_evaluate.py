"""Evaluation: cases are checked against their articles, rows scored, the result holds no text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from rag.cases import load_cases, places
from rag.cli import main
from rag.config import Config
from rag.errors import InputError
from rag.evaluate import default_output, evaluate
from rag.metrics import Span
from rag.pipeline import Rag
from rag.types import Answer, Citation, Claim, Hit, SearchResult

TEXT = "A title\r\n\r\nOslo has a fjord. It rains in Bergen. The harbour is old.\r\n"
FJORD, RAIN, HARBOUR = "Oslo has a fjord.", "It rains in Bergen.", "The harbour is old."


def gold(*quotes: str, article: str = "norway") -> list[dict[str, Any]]:
    return [
        {"article_id": article, "start": at, "end": at + len(quote), "text": quote}
        for quote in quotes
        if (at := TEXT.index(quote)) >= 0
    ]


def question(identity: str, answers: list[str], evidence: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": identity, "question": f"{identity}?", "answers": answers, "evidence": evidence,
        "answerable": bool(answers), "unanswerable_kind": None, "evidence_mode": "any",
        "history": None, "meta": {"kind": "direct"}, **more,
    }  # fmt: skip


ROWS = [
    question("right", ["Oslo"], gold(FJORD)),
    question("half", ["rains"], gold(RAIN, HARBOUR), evidence_mode="all"),
    question("refused", ["old"], gold(HARBOUR), meta={"kind": "why", "date": "2024-01-01"}),
    question("near", [], [], unanswerable_kind="near", meta={"kind": "near_swapped"}),
    question("far", [], [], unanswerable_kind="far", meta={}),
]


@dataclass
class FakeRag:
    """Cites rightly for "right" and "half", once wrongly for "half"; answers "near" too."""

    config: Config = field(default_factory=Config)
    manifest: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def answer(self, question: str, *, history: Any = None, date: str | None = None) -> Answer:
        self.asked.append((question, date))
        texts, quotes, sure = {
            "right?": (["Oslo does."], [FJORD], 0.9),
            "half?": (["It rains", "and more."], [RAIN, FJORD], 0.8),
            "near?": (["It is Oslo."], [FJORD], 0.7),
            "refused?": ([], [], 0.2),
            "far?": ([], [], 0.1),
        }[question]
        claims = tuple(Claim(text, (n,), "supported", 1) for n, text in enumerate(texts, 1))
        citations = tuple(self._citation(n, quote) for n, quote in enumerate(quotes, 1))
        timings = {"total": 100.0 * sure}
        return Answer(question, claims, citations, (), not texts, None, sure, (), timings)

    @staticmethod
    def _citation(number: int, quote: str) -> Citation:
        at = TEXT.index(quote)
        return Citation(number, "norway.txt", "A title", None, at, at + len(quote), quote, 1.0)

    def search(self, question: str, k: int = 10) -> SearchResult:
        at = TEXT.index(RAIN)
        sure = 0.9 if question in {"right?", "half?", "refused?"} else 0.1
        return SearchResult(question, sure, (Hit(1, "norway.txt", 0, at + len(RAIN), 1.0),), ())


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "set" / "articles"
    folder.mkdir(parents=True)
    (folder / "norway.txt").write_text(TEXT, encoding="utf-8", newline="")
    return folder


def write(path: Path, *rows: object) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def result(rag: FakeRag, articles: Path, *task: Any) -> dict[str, Any]:
    cases, refused = load_cases(write(articles.parent / "sample.jsonl", *ROWS), articles)
    assert not refused
    cache = articles.parent / "cache"
    return evaluate(cast("Rag", rag), cases, articles, *task, name="norway", cache=cache)


def test_cases(articles: Path) -> None:
    cases, refused = load_cases(write(articles / "q", *ROWS), articles)
    assert refused == []
    assert cases[0].gold == (Span("norway.txt", 11, 28),)
    assert (cases[2].date, cases[2].kind) == ("2024-01-01", "why")
    assert (cases[4].kind, cases[4].unanswerable_kind) == (None, "far")
    assert len(load_cases(articles / "q", articles, limit=2)[0]) == 2


def test_rows_that_do_not_fit_their_articles_are_refused_with_the_reason(articles: Path) -> None:
    moved = [{**gold(FJORD)[0], "start": 10}]
    bad = [
        question("moved", ["x"], moved),
        question("nowhere", ["x"], gold(FJORD, article="sweden")),
        question("mode", ["x"], gold(FJORD), evidence_mode="some"),
        {"id": "bare"},
        "{",
        "[]",
    ]
    cases, refused = load_cases(write(articles / "q", *bad, ROWS[0]), articles)
    assert [case.id for case in cases] == ["right"]
    assert [identity for identity, _ in refused] == [
        "moved", "nowhere", "mode", "bare", "line 5", "line 6"
    ]  # fmt: skip
    reasons = dict(refused)
    assert reasons["moved"] == "its evidence does not stand at norway.txt 10–28"
    assert reasons["nowhere"].startswith("its article cannot be read (No such file")
    assert "some" in reasons["mode"]
    with pytest.raises(InputError, match="No row of"):
        load_cases(write(articles / "q", *bad), articles)


def test_places(articles: Path) -> None:
    name = articles.parent
    with pytest.raises(InputError, match=r"sample\.jsonl; name one with --questions"):
        places(name, None, None, "answers")
    sample = write(name / "sample.jsonl")
    assert places(name, None, None, "answers") == (sample, articles)
    with pytest.raises(InputError, match=r"questions\.jsonl"):
        places(name, None, None, "retrieval")
    with pytest.raises(InputError, match="There is no folder of articles"):
        places(name, None, name / "none", "answers")


def test_answers_are_scored(articles: Path) -> None:
    rag = FakeRag()
    scored = result(rag, articles)
    values = {name: (row["value"], row["n"]) for name, row in scored["metrics"].items()}
    assert ("refused?", "2024-01-01") in rag.asked
    third = round(1 / 3, 4)
    assert values["answer_recall"] == (round(2 / 3, 4), 3)  # the refusal is 0
    assert values["exact_match"] == (0, 3)
    # "Oslo does" → 2/3; "It rains and more" → 2/5.
    assert values["token_f1"] == (round((2 / 3 + 2 / 5) / 3, 4), 3)
    assert values["citation_precision"] == (round(2 / 3, 4), 2)  # 1 of 1 and 1 of 2, pooled
    assert values["citation_recall"] == (0.75, 2)  # 1, and one of two that are both needed
    assert values["citation_f1"] == (round(2 * 2 / 3 * 0.75 / (2 / 3 + 0.75), 4), 2)
    assert values["citation_recall_of_all"] == (0.5, 3)
    assert values["rejection_rate"] == (0.5, 2)
    assert values["false_refusal_rate"] == (third, 3)
    assert values["auroc"] == (round(5 / 6, 4), 5)  # near .7 beats refused .2
    assert values["pointer_validity"] == (1, 4)
    assert values["mean_quote_length"] == ((17 + 19 + 17 + 17) / 4, 4)
    assert values["uncited_claim_rate"] == (0, 4)
    assert values["answer_characters"] == (round((10 + 18 + 11) / 3, 4), 3)
    # By confidence right, right, wrong (near), refused, wrong (far): risks 0, 0, 1/3, 1/2, 3/5.
    assert values["aurc"] == (round((1 / 3 + 1 / 2 + 3 / 5) / 5, 4), 5)
    assert {k: row["value"] for k, row in scored["rejection_rate_by_kind"].items()} == {
        "near": 0,
        "far": 1,
    }
    assert scored["by_kind"]["answer_recall"]["direct"]["value"] == 1
    assert scored["by_kind"]["declined"]["near_swapped"]["n"] == 1
    assert scored["latency_ms"]["total"] == {"p50": 70.0, "p95": 88.0, "n": 5}
    assert scored["questions"][1] == {
        "id": "half", "declined": False, "confidence": 0.8, "answer_recall": 1.0, "hits": 1,
        "citations": 2, "total_ms": 80.0,
    }  # fmt: skip
    low, high = (scored["metrics"]["citation_recall"][key] for key in ("low", "high"))
    assert (low, high) == (0.5, 1)


def test_the_result_says_how_it_was_made_and_holds_no_text(articles: Path) -> None:
    made = result(FakeRag(Config(api_key="secret", base_url="http://secret")), articles)
    assert {"commit", "date", "machine", "config", "n"} <= set(made)
    assert made["machine"]["python"].startswith("3.")
    text = json.dumps(made)
    for hidden in ("secret", "right?", FJORD, "Oslo"):
        assert hidden not in text
    name = f"norway-llamacpp-{made['commit']}.json"
    assert default_output(made) == Path("results") / name


def test_a_pointer_that_does_not_hold_is_found(articles: Path) -> None:
    cases, _ = load_cases(write(articles / "q", *ROWS), articles)
    (articles / "norway.txt").write_text("X" + TEXT, encoding="utf-8", newline="")
    made = evaluate(cast("Rag", FakeRag()), cases, articles, cache=articles / "cache")
    assert made["metrics"]["pointer_validity"]["value"] == 0


def test_an_evaluation_is_resumed_but_not_for_another_engine(articles: Path) -> None:
    first = result(FakeRag(), articles)
    again = FakeRag()
    assert result(again, articles)["metrics"] == first["metrics"]
    assert again.asked == []
    other = FakeRag(manifest={"generation": 2})
    result(other, articles)
    assert len(other.asked) == 5


def test_rows_with_an_error_count_as_refused(articles: Path) -> None:
    class Broken(FakeRag):
        def answer(self, question: str, *, history: Any = None, date: str | None = None) -> Answer:
            raise InputError("no")

    made = result(Broken(), articles)
    assert made["errors"] == 5
    assert made["metrics"]["answer_recall"]["value"] == 0
    assert made["metrics"]["false_refusal_rate"]["value"] == 1
    assert made["metrics"]["citation_precision"] == {
        "value": None, "low": None, "high": None, "n": 0
    }  # fmt: skip


def test_retrieval_is_scored(articles: Path) -> None:
    made = result(FakeRag(), articles, "retrieval")
    values = {name: row["value"] for name, row in made["metrics"].items()}
    # The passage holds the sentences of "right" and one of the two of "half", not "refused".
    assert values["passages_recall@1"] == 0.5
    assert values["passages_mrr@10"] == round(2 / 3, 4)
    assert values["evidence_recall@10"] == 0
    assert values["auroc"] == 1
    assert default_output(made).name.startswith("norway-retrieval-")


def test_from_the_command_line(
    articles: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.setenv(name, "1")  # set by the command line; put back after the test
    monkeypatch.chdir(tmp_path)
    write(articles.parent / "sample.jsonl", *ROWS, {"id": "bare"})
    write(articles.parent / "questions.jsonl", *ROWS)
    arguments = ["eval", "set", "--cache", "cache", "--encoder", "hashed"]
    assert main([*arguments, "--generator", "extractive", "--output", "out/r.json"]) == 0
    out, err = capsys.readouterr()
    assert "| answer_recall |" in out
    assert "bare: it has no" in err
    saved = json.loads((tmp_path / "out" / "r.json").read_bytes())
    assert saved["refused_rows"][0]["id"] == "bare"
    assert saved["metrics"]["pointer_validity"]["value"] in {1, None}
    assert main([*arguments, "--task", "retrieval", "--limit", "3", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["n"] == 3
    assert printed["metrics"]["evidence_recall@10"]["value"] == 1
    assert list((tmp_path / "results").glob("set-retrieval-*.json"))
