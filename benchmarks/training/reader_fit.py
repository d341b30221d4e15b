"""What a reading is worth in the ranking, and how probable an answer is, fitted:

    python -m benchmarks.training.reader_fit FOLDER --fit NAME… --report NAME…

Reads FOLDER/cases/NAME.jsonl (reader_cases). Shows how many gold sentences each weight of a reading
finds among the --fit sets, and fits on the same what a reading changes of the confidence, as if
three of four questions were answered. The --report sets are only counted.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from rag.evaluation.metrics import ece
from rag.retrieval.question import is_polar
from rag.retrieval.ranking import LEAST_READ, MOST_READ

Case = dict[str, Any]
ANSWERED = 0.75  # share of questions that are answered
GRID = [n / 1000 for n in (0, 5, 10, 15, 20, 25, 30, 35, 40, 50, 60)]


def cases_of(folder: Path, names: Sequence[str]) -> list[Case]:
    rows = []
    for name in names:
        with (folder / "cases" / f"{name}.jsonl").open(encoding="utf-8") as file:
            rows += [{**row, "set": name} for row in map(json.loads, file)]
    return [row for row in rows if row["candidates"] and not is_polar(row["question"])]


def in_order(case: Case, weight: float) -> list[Case]:
    def score(candidate: Case) -> float:
        return float(
            candidate["score"] + weight * np.clip(candidate["read"], LEAST_READ, MOST_READ)
        )

    return sorted(case["candidates"], key=score, reverse=True)


def signals(case: Case, weight: float) -> tuple[float, float]:
    """Return the log odds before reading, and the best sentence's reading."""
    before = min(max(case["confidence"], 1e-6), 1 - 1e-6)
    reading = in_order(case, weight)[0]["read"] / 10
    return float(np.log(before / (1 - before))), max(-1.5, min(1.2, reading))


def recall(cases: Sequence[Case], weight: float, k: int) -> float:
    hits = [
        any(c["gold"] for c in in_order(case, weight)[:k]) for case in cases if case["answerable"]
    ]
    return float(np.mean(hits)) if hits else float("nan")


def report(cases: Sequence[Case], weight: float, model: Any, least: float) -> None:
    chances = model.predict_proba([signals(case, weight) for case in cases])[:, 1]
    answerable = np.array([case["answerable"] for case in cases])
    line = [f"{cases[0]['set']:14s} n {len(cases):4d}"]
    line += ["/".join(f"{recall(cases, w, k):.3f}" for k in (1, 3, 5)) for w in (0.0, weight)]
    if 0 < answerable.sum() < len(cases):
        line.append(
            f"AUROC {roc_auc_score(answerable, chances):.3f} ECE {ece(chances, answerable):.3f}"
        )
    line.append(f"refused wrongly {np.mean(chances[answerable] < least):.2f}")
    for kind in sorted({str(case["kind"]) for case in cases if not case["answerable"]}):
        of = np.array([not c["answerable"] and str(c["kind"]) == kind for c in cases])
        line.append(f"{kind} {of.sum()}: refused {np.mean(chances[of] < least):.2f}")
    print("  ".join(line))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fit", nargs="+", required=True)
    parser.add_argument("--report", nargs="+", default=[])
    parser.add_argument("--least", type=float, default=0.3)
    args = parser.parse_args()
    fitted = cases_of(args.folder, args.fit)
    weight = max(GRID, key=lambda w: (recall(fitted, w, 1), -w))
    for w in GRID:
        print(w, *(f"{recall(fitted, w, k):.3f}" for k in (1, 3, 5)))
    answered = np.array([case["answerable"] for case in fitted])
    share = answered.mean()
    shares = np.where(answered, ANSWERED / share, (1 - ANSWERED) / (1 - share))
    model = LogisticRegression(C=1.0, max_iter=5000)
    model.fit([signals(case, weight) for case in fitted], answered, sample_weight=shares)
    print("READ =", weight)
    print("log odds before, reading:", model.coef_[0].round(2).tolist())
    print("constant:", round(float(model.intercept_[0]), 2))
    for name in [*args.fit, *args.report]:
        report(cases_of(args.folder, [name]), weight, model, args.least)


if __name__ == "__main__":
    main()
