"""The page of an evaluation: self-contained, complete without its plots, and safe with any text."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from rag.evaluation import charts
from rag.evaluation import page as eval_page
from rag.evaluation.cases import Case, EvaluationPart
from rag.evaluation.measures import by_kind, columns, curves, latency, measured
from rag.evaluation.metrics import Span
from rag.evaluation.mistakes import worst
from rag.evaluation.run import Evaluation
from rag.evaluation.scores import score_answers, score_retrieval

pytest.importorskip("matplotlib")

HOSTILE = "<script>alert('x')</script> & \"<img src=x onerror=alert(1)>"
TEXT = (
    f"A {HOSTILE} title\n\nOslo has a fjord. It {HOSTILE} rains. {'And more. ' * 40}"
    "The harbour is old.\n"
)
PATH = "norway.txt"


@pytest.fixture(autouse=True)
def _matplotlib_writes_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))


def place(quote: str) -> Span:
    at = TEXT.index(quote)
    return Span(PATH, at, at + len(quote))


FJORD, RAIN = place("Oslo has a fjord."), place(f"It {HOSTILE} rains.")
HARBOUR = place("The harbour is old.")


def case(identity: str, answers: tuple[str, ...], gold: Span | None, *, short: bool = True) -> Case:
    known = (gold,) if gold else ()
    return Case(
        identity,
        f"{identity} {HOSTILE}?",
        None,
        None,
        bool(answers),
        None,
        None,
        answers,
        short,
        known,
        "gold_sentence",
        "any",
        (PATH,) if gold else (),
    )


def row(said: str, cited: Span | None, confidence: float) -> dict[str, Any]:
    place = {"article": PATH, "start": cited.start, "end": cited.end} if cited else {}
    quote = TEXT[cited.start : cited.end] if cited else ""
    shown = [{**place, "quote": quote}] if cited else []
    return {
        "answer": said,
        "declined": not said,
        "reason": None if said else "Nothing near.",
        "confidence": confidence,
        "claims": [{"text": said, "citations": [1]}] if said else [],
        "citations": shown,
        "evidence": [],
        "timings_ms": {"retrieve": 20.0, "total": 1500.0},
    }


ASKED = [
    (case("right", ("Oslo",), FJORD), row("Oslo does.", FJORD, 0.99)),
    (case("wrong", ("rain",), RAIN), row(f"Snow {HOSTILE}.", HARBOUR, 0.9)),
    (case("half", ("harbor",), HARBOUR), row("It is old.", HARBOUR, 0.7)),
    (case("astray", ("old",), HARBOUR), row("It is old.", FJORD, 0.6)),
    (case("refused", ("old",), HARBOUR), row("", None, 0.3)),
    (case("none", (), None), row("Oslo does.", FJORD, 0.8)),
    (case("silent", (), None), row("", None, 0.1)),
]


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    (tmp_path / PATH).write_text(TEXT, encoding="utf-8", newline="")
    return tmp_path


@pytest.fixture
def done() -> Evaluation:
    cases, rows = [case for case, _ in ASKED], [row for _, row in ASKED]
    found = [
        {"passages": row["citations"], "evidence": row["citations"], "confidence": 0.5}
        for row in rows
    ]
    answers = columns(cases, [score_answers(c, r, {PATH: TEXT}) for c, r in ASKED])
    search = columns(cases, [score_retrieval(c, r) for c, r in zip(cases, found, strict=True)])
    shared = {"n": len(cases), "errors": 0, "refused_rows": [], "left_out_as_ambiguous": 2}
    parts = {
        "retrieval": {
            **shared,
            "metrics": measured("retrieval", search),
            "questions": search,
            "by_kind": {},
            "latency_ms": {},
        },
        "answers": {
            **shared,
            "metrics": measured("answers", answers),
            "curves": curves(answers),
            "by_kind": by_kind("answers", cases, answers),
            "latency_ms": latency(rows),
            "questions": answers,
        },
    }
    result = {
        "set": f"norway {HOSTILE}",
        "system": "footnote",
        "commit": "abc",
        "date": "2024-01-01T00",
        "machine": {"cpus": 2},
        "index": {"articles": 1},
        "parts": parts,
        "config": {"encoder": "one", "generator": "extractive", "model": None},
    }
    part = tuple(cases)
    return Evaluation(
        result,
        (EvaluationPart("retrieval", part), EvaluationPart("answers", part)),
        {"retrieval": found, "answers": rows},
    )


def only(done: Evaluation, name: str) -> Evaluation:
    parts = tuple(part for part in done.parts if part.name == name)
    result = {**done.result, "parts": {name: done.result["parts"][name]}}
    return Evaluation(result, parts, done.rows)


def test_the_worst_errors_come_first(done: Evaluation) -> None:
    found = [(mistake.case.id, mistake.what) for mistake in worst(done)]
    assert found == [
        ("wrong", "Wrong, citing another sentence"),
        ("none", "Answered, though the articles do not say it"),
        ("half", "Wrong, citing the right sentence"),
        ("astray", "Cites another sentence than the known one"),
        ("refused", "Declined, though the articles say it"),
    ]
    assert len(worst(done, most=2)) == 2
    retrieval = [mistake.case.id for mistake in worst(only(done, "retrieval"))]
    assert retrieval == ["wrong", "astray", "refused"]


def test_nothing_of_a_text_becomes_markup(done: Evaluation, articles: Path) -> None:
    html = eval_page.page(done, articles)
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("alert(1)") > 10  # as text it is all there
    assert not re.search(r"<[^>]*\sonerror", html)
    assert "default-src 'none'" in html


def test_what_would_not_be_seen_is_shown(done: Evaluation, articles: Path) -> None:
    done.rows["answers"][1]["answer"] = "Snow \u202efalls\u200b here."
    html = eval_page.page(done, articles)
    assert "<dt>Said</dt><dd dir='auto'>Snow \N{REPLACEMENT CHARACTER}falls here.</dd>" in html


def test_the_page_refers_to_nothing_outside(done: Evaluation, articles: Path) -> None:
    html = eval_page.page(done, articles)
    without_names = re.sub(r'xmlns(:\w+)?="[^"]+"', "", html)
    assert not re.search(r"https?://|//[a-z]|@import|url\((?!#)", without_names)
    assert "<link" not in html


def test_the_gold_sentence_is_marked_and_the_cited_one_underlined(
    done: Evaluation, articles: Path
) -> None:
    html = unescape(eval_page.page(done, articles))
    assert f"<mark>It {HOSTILE} rains.</mark>" in html
    assert "<span class='cited'>The harbour is old.</span>" in html
    assert "<mark><span class='cited'>The harbour is old.</span></mark>" in html
    assert html.count("It stands in") == 3  # wrong, astray, refused


def test_each_plot_has_its_table(done: Evaluation, articles: Path) -> None:
    html = eval_page.page(done, articles)
    assert html.count('<svg role="img" aria-label=') == 4
    for figure in html.split("<figure>")[1:]:
        assert "<table>" in figure.partition("</section>")[0]
    # Evidence recall@1: right and half of 5.
    assert "<td class='value'>40.0 %<small>" in html
    assert "<td>20 ms</td><td>20 ms</td>" in html
    assert "Not asked, since they name nothing to find them by: 2." in html


def test_a_page_of_one_part(done: Evaluation, articles: Path) -> None:
    html = eval_page.page(only(done, "retrieval"), articles)
    assert "Finding the sentence" in html
    assert "Knowing when not to answer" not in html
    (articles / PATH).unlink()
    assert "norway.txt is not here any more" in eval_page.page(done, articles)


def test_plots_take_colours_and_fonts_from_the_page() -> None:
    svg = charts.reliability([[0.2, 0.1, 3], [0.9, 1.0, 30]])
    assert "var(--accent)" in svg
    assert "var(--sans)" in svg
    assert "DejaVu" not in svg
    assert not re.search(r"#(0[1-6])\1\1", svg)
    assert svg == charts.reliability([[0.2, 0.1, 3], [0.9, 1.0, 30]])  # the same every time


def test_times_are_written_for_people() -> None:
    assert [charts.seconds(ms) for ms in (0.4, 31.25, 999, 1500, 61_000)] == [
        "0.4 ms",
        "31.2 ms",
        "999 ms",
        "1.5 s",
        "61 s",
    ]
