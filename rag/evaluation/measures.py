"""The numbers of each question → metrics, each a statistic of some columns of them.

So the numbers per question, which a result file keeps, are enough to compute every metric again,
over any selection of the questions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.evaluation import metrics
from rag.evaluation.cases import Case, PartName
from rag.evaluation.metrics import (
    METRICS,
    Statistic,
    bootstrap_interval,
    mean,
    percentile,
    ratio,
    share_interval,
)
from rag.evaluation.scores import CUTOFFS, Row


@dataclass(frozen=True, slots=True)
class Metric:
    """A statistic over the questions that have a number in each of these columns."""

    columns: tuple[str, ...]
    statistic: Statistic = mean  # of (questions, columns)
    lower_is_better: bool = False
    share: bool = True  # 0..1, where its statistic is a mean or a ratio


def _of_two(statistic: Any) -> Statistic:
    return lambda rows: float(statistic(rows[:, 0], rows[:, 1]))


def _citation_f1(rows: NDArray[np.float64]) -> float:
    return metrics.f1(ratio(rows[:, :2]), mean(rows[:, 2]))


_RANKED = (*(f"recall@{k}" for k in CUTOFFS), "mrr@10", "ndcg@10")
_ANSWERABLE = Metric(("confidence", "answerable"), _of_two(metrics.auroc))

METRICS_OF: dict[PartName, dict[str, Metric]] = {
    "retrieval": {
        **{
            f"{what}_{m}": Metric((f"{what}_{m}",))
            for what in ("evidence", "passages")
            for m in _RANKED
        },
        **{f"answer_in_evidence@{k}": Metric((f"answer_in_evidence@{k}",)) for k in CUTOFFS},
        **{f"articles_recall@{k}": Metric((f"articles_recall@{k}",)) for k in CUTOFFS},
        "auroc": _ANSWERABLE,
    },
    "answers": {
        **{name: Metric((name,)) for name in METRICS},
        "citation_precision": Metric(("hits", "cited"), ratio),
        "citation_gold_or_answer": Metric(("held", "cited"), ratio),
        "citation_recall": Metric(("citation_recall",)),
        "citation_f1": Metric(("hits", "cited", "citation_recall"), _citation_f1),
        "citation_recall_of_all": Metric(("citation_recall_of_all",)),
        "pointer_validity": Metric(("valid", "citations"), ratio),
        "mean_quote_length": Metric(("quoted_characters", "citations"), ratio, True, share=False),
        "uncited_claim_rate": Metric(("uncited", "claims"), ratio, True),
        "answer_characters": Metric(("characters",), mean, True, share=False),
        "rejection_rate": Metric(("rejected",)),
        "false_refusal_rate": Metric(("falsely_refused",), mean, True),
        "auroc": _ANSWERABLE,
        "ece": Metric(("confidence", "answerable"), _of_two(metrics.ece), True),
        "aurc": Metric(("confidence", "correct"), _of_two(metrics.aurc), True),
    },
    "claims": {
        "balanced_accuracy": Metric(("passed", "supported"), _of_two(metrics.balanced_accuracy)),
        "auroc": Metric(("support", "supported"), _of_two(metrics.auroc)),
        "supported_passed": Metric(("supported_passed",)),
        "unsupported_passed": Metric(("unsupported_passed",), mean, True),
        "sentences_found": Metric(("found",), share=False),
    },
}
# Tables: title → (what they are by, a column).
BY_KIND: dict[PartName, dict[str, tuple[str, str]]] = {
    "retrieval": {
        "evidence_recall@5 by kind": ("kind", "evidence_recall@5"),
        "evidence_recall@5 by kind of gold": ("evidence_kind", "evidence_recall@5"),
    },
    "answers": {
        "answer_recall by kind": ("kind", "answer_recall"),
        "declined by kind": ("kind", "declined"),
        "rejection_rate by kind": ("unanswerable_kind", "rejected"),
        "rejection_rate by kind of question": ("kind", "rejected"),
    },
    "claims": {"passed by label": ("kind", "passed")},
}


def columns(cases: Sequence[Case], numbers: Sequence[Row]) -> Row:
    """The numbers of all questions as columns, the ids first."""
    names = numbers[0] if numbers else ()
    return {
        "id": [case.id for case in cases],
        **{n: [_round(r[n]) for r in numbers] for n in names},
    }


def _round(value: float | None) -> float | None:
    return value if value is None else round(value, 4)


def values_of(metric: Metric, table: Row) -> NDArray[np.float64]:
    """What the metric is computed from: (questions, columns), nan where there is no number."""
    return np.array([table[name] for name in metric.columns], float).T


def statistic_of(metric: Metric, values: NDArray[np.float64]) -> float:
    """The metric over the questions that have all of its numbers; nan when there are none."""
    known = complete(values)
    return metric.statistic(known) if len(known) else np.nan


def complete(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows without nan."""
    return values[~np.isnan(values).any(axis=1)]


def measured(part: PartName, table: Row) -> Row:
    """Each metric of a part over its table; without those that no question has numbers for."""
    rows = {name: measure(metric, table) for name, metric in METRICS_OF[part].items()}
    return {name: row for name, row in rows.items() if row["n"]}


def measure(metric: Metric, table: Row) -> Row:
    """A value with its 95 % interval and n, the number of questions that count."""
    values = values_of(metric, table)
    known = complete(values)
    share = metric.share and metric.statistic in {mean, ratio}
    interval = share_interval if share else bootstrap_interval
    return interval_row(
        statistic_of(metric, values), *interval(known, metric.statistic), len(known)
    )


def interval_row(value: float, low: float, high: float, n: int) -> Row:
    """``{"value", "low", "high", "n"}`` with None for what is undefined."""
    numbers = {"value": value, "low": low, "high": high}
    return {
        **{k: None if np.isnan(v) else round(float(v), 4) for k, v in numbers.items()},
        "n": n,
    }


def by_kind(part: PartName, cases: Sequence[Case], table: Row) -> Row:
    """The part's tables of a mean for each kind of question."""
    tables = {}
    for title, (attribute, column) in BY_KIND[part].items():
        groups: dict[str, list[float]] = defaultdict(list)
        for case, value in zip(cases, table[column], strict=True):
            kind = getattr(case, attribute)
            if kind is not None and value is not None:
                groups[kind].append(value)
        tables[title] = {
            kind: measure(Metric(("value",)), {"value": values})
            for kind, values in sorted(groups.items())
        }
    return {title: rows for title, rows in tables.items() if len(rows) > 1}


def curves(table: Row) -> Row:
    """Of answers: the risk–coverage curve, and the bins of the reliability diagram."""
    rows = values_of(Metric(("confidence", "correct")), table)
    coverage, risk = metrics.risk_coverage(*complete(rows).T)
    diagram = metrics.reliability(*values_of(Metric(("confidence", "answerable")), table).T)
    steps = range(len(coverage)) if len(coverage) <= 200 else np.linspace(0, len(coverage) - 1, 200)
    return {
        "risk_coverage": [
            [round(float(coverage[int(n)]), 4), round(float(risk[int(n)]), 4)] for n in steps
        ],
        "reliability": [[round(sure, 4), round(right, 4), n] for sure, right, n in diagram],
    }


def latency(rows: Sequence[Row]) -> Row:
    """The 50th and 95th percentile of each stage's milliseconds."""
    stages: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for stage, milliseconds in row.get("timings_ms", {}).items():
            stages[stage].append(milliseconds)
    return {
        stage: {"p50": round(percentile(v, 50), 1), "p95": round(percentile(v, 95), 1), "n": len(v)}
        for stage, v in stages.items()
    }
