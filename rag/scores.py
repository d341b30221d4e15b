"""Cases and the rows that ``ask`` or ``search`` gave for them → numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rag import metrics
from rag.cases import Case
from rag.metrics import METRICS, Span

Row: TypeAlias = dict[str, Any]


def score_answers(cases: Sequence[Case], rows: Sequence[Row], texts: Mapping[str, str]) -> Row:
    """Score rows of ``ask``. A row with an error counts as declined with confidence 0."""
    scored = [_score(case, row, texts) for case, row in zip(cases, rows, strict=True)]
    answerable = [s for s in scored if s["answerable"]]
    unanswerable = [s for s in scored if not s["answerable"]]
    judged = [s for s in answerable if s["gold"]]
    answered = [s for s in judged if not s["declined"]]
    known = [s for s in answerable if s["answer_recall"] is not None]
    confidence = [(s["confidence"], s["answerable"]) for s in scored]
    correct = [(s["confidence"], s["answer_recall"]) for s in known]
    correct += [(s["confidence"], 0) for s in unanswerable]  # whatever is answered is wrong
    pooled = [(s["hits"], s["citations"], s["citation_recall"]) for s in answered]
    each = [citation for s in scored for citation in s["each_citation"]]
    measured = {
        **{metric: measure([s[metric] for s in known]) for metric in METRICS},
        "citation_precision": measure([row[:2] for row in pooled], metrics.citation_precision),
        "citation_recall": measure([row[2] for row in pooled]),
        "citation_f1": measure(pooled, _citation_f1),
        "citation_recall_of_all": measure([s["citation_recall"] for s in judged]),
        "pointer_validity": measure([valid for valid, _ in each]),
        "mean_quote_length": measure([length for _, length in each]),
        "uncited_claim_rate": measure(
            [n for s in scored for n in s["per_claim"]], metrics.uncited_claim_rate
        ),
        "answer_characters": measure([s["characters"] for s in scored if not s["declined"]]),
        "rejection_rate": measure([s["declined"] for s in unanswerable], metrics.rejection_rate),
        "false_refusal_rate": measure(
            [s["declined"] for s in answerable], metrics.false_refusal_rate
        ),
        "auroc": measure(confidence, lambda rows: metrics.auroc(rows[:, 0], rows[:, 1])),
        "ece": measure(confidence, lambda rows: metrics.ece(rows[:, 0], rows[:, 1])),
        "aurc": measure(correct, lambda rows: metrics.aurc(rows[:, 0], rows[:, 1])),
    }
    return {
        "metrics": measured,
        "by_kind": {
            "answer_recall": _by("kind", known, "answer_recall"),
            "declined": _by("kind", scored, "declined"),
        },
        "rejection_rate_by_kind": _by("unanswerable_kind", unanswerable, "declined"),
        "questions": [{key: s[key] for key in _COMPACT} for s in scored],
    }


_COMPACT = ("id", "declined", "confidence", "answer_recall", "hits", "citations", "total_ms")


def _score(case: Case, row: Row, texts: Mapping[str, str]) -> Row:
    declined = row.get("declined", True)
    said = " ".join(claim["text"] for claim in row.get("claims", ()))
    citations = [(_span(c), c["quote"]) for c in row.get("citations", ())]
    cited = [span for span, _ in citations]
    scores = {
        name: (0.0 if declined else metric(said, case.answers)) if case.answers else None
        for name, metric in METRICS.items()
    }
    return {
        "id": case.id,
        "answerable": case.answerable,
        "kind": case.kind,
        "unanswerable_kind": case.unanswerable_kind,
        "gold": len(case.gold),
        "declined": declined,
        "confidence": row.get("confidence", 0.0),
        **scores,
        "hits": metrics.citation_hits(cited, case.gold),
        "citations": len(cited),
        "citation_recall": metrics.citation_recall(cited, case.gold, case.mode),
        "each_citation": [(metrics.pointer_validity([c], texts), len(c[1])) for c in citations],
        "per_claim": [len(claim["citations"]) for claim in row.get("claims", ())],
        "characters": len(said),
        "total_ms": row.get("timings_ms", {}).get("total"),
    }


def _citation_f1(rows: NDArray[np.float64]) -> float:
    precision, recall = metrics.citation_precision(rows[:, :2]), float(rows[:, 2].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def score_retrieval(cases: Sequence[Case], rows: Sequence[Row], _texts: Mapping[str, str]) -> Row:
    """Score rows of ``search``: passages and evidence sentences against the gold sentences."""
    values: dict[str, list[float]] = defaultdict(list)
    for case, row in zip(cases, rows, strict=True):
        for what in ("passages", "evidence") if case.gold else ():
            spans = [_span(item) for item in row.get(what, ())]
            for k in (1, 5, 10):
                recall = metrics.recall_at_k(spans, case.gold, k, case.mode)
                values[f"{what}_recall@{k}"].append(recall)
            values[f"{what}_mrr@10"].append(metrics.reciprocal_rank(spans, case.gold))
            values[f"{what}_ndcg@10"].append(metrics.ndcg_at_k(spans, case.gold))
    confidence = [
        (row.get("confidence", 0.0), case.answerable) for case, row in zip(cases, rows, strict=True)
    ]
    measured = {name: measure(of_cases) for name, of_cases in values.items()}
    measured["auroc"] = measure(confidence, lambda rows: metrics.auroc(rows[:, 0], rows[:, 1]))
    return {"metrics": measured}


def _span(item: Row) -> Span:
    return Span(item["article"], item["start"], item["end"])


def measure(values: Sequence[Any], statistic: metrics.Statistic = metrics.mean) -> Row:
    """A value with its 95 % interval and n; None where it is undefined."""
    value = statistic(np.asarray(values, float)) if len(values) else np.nan
    low, high = metrics.bootstrap_interval(values, statistic)
    numbers = {"value": value, "low": low, "high": high}
    return {
        **{k: None if np.isnan(v) else round(float(v), 4) for k, v in numbers.items()},
        "n": len(values),
    }


def _by(field: str, scored: Sequence[Row], metric: str) -> Row:
    groups: dict[str, list[float]] = defaultdict(list)
    for row in scored:
        if row[field] is not None:
            groups[row[field]].append(row[metric])
    return {kind: measure(values) for kind, values in sorted(groups.items())}


def latency(rows: Sequence[Row]) -> Row:
    """The 50th and 95th percentile of each stage's milliseconds."""
    stages: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for stage, milliseconds in row.get("timings_ms", {}).items():
            stages[stage].append(milliseconds)
    return {
        stage: {
            "p50": round(metrics.percentile(v, 50), 1),
            "p95": round(metrics.percentile(v, 95), 1),
            "n": len(v),
        }
        for stage, v in stages.items()
    }
