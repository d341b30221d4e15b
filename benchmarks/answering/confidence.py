"""Fit and judge the confidence that the articles answer a question.

    python -m benchmarks.answering.confidence --fit squad clapnq hotpot100 quotesum --show rtqa22
    rtqa26

Answerable questions of a set against (a) questions of other sets, whose articles are absent, (b)
its questions whose articles were withheld, (c) its questions written to look answerable. A set
that is shown was not fitted on; a fitted set is shown by leaving it out. Sets are folders of
$RAG_EVAL_DATA, or paths.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.answering.confidence import BIAS, LEAST, LEAST_UNREAD, SIGNALS, WEIGHTS, signals
from rag.config import Config
from rag.evaluation.metrics import auroc, ece
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import Encoder, load_encoder
from rag.retrieval.ranking import find_candidates, make_query, ranked

ALONE = "squad"  # set whose articles are also asked about one at a time
MOST_QUESTIONS = 200  # questions of a kind and set
SHARE = {"answerable": 0.6, "absent": 0.15, "withheld": 0.05, "near": 0.3}  # weights of the kinds


@dataclass
class Rows:
    """Signals of questions (n, f), by kind."""

    by_kind: dict[str, NDArray[np.float64]]


def questions(data: Path, name: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    rows = [row for row in rows if row["meta"].get("has_entity", True) and not row["history"]]
    random.Random(1).shuffle(rows)
    return rows


def kind_of(row: dict[str, Any]) -> str:
    if row["answerable"]:
        return "answerable"
    return "withheld" if row["unanswerable_kind"] == "withheld" else "near"


def load_alone(data: Path, name: str, cache: Path, encoder: Encoder, articles: int = 10) -> Rows:
    """The questions about some articles of a set, each asked of an index of that article alone;
    absent are those about the others.
    """
    by_article: dict[str, list[dict[str, Any]]] = {}
    for row in questions(data, name):
        by_article.setdefault(row["article_id"] or "", []).append(row)
    found: dict[str, list[tuple[float, ...]]] = {}
    with_index = [a for a in sorted(by_article) if (data / name / "articles" / f"{a}.txt").exists()]
    for article in with_index[:articles]:
        folder = cache / f"{name}-alone" / article
        (folder / "articles").mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data / name / "articles" / f"{article}.txt", folder / "articles/a.txt")
        sync(folder / "articles", folder / "index", Config(), encoder)
        index = Index.open(folder / "index", Config(), encoder)
        asked = [(kind_of(row), row) for row in by_article[article]]
        others = [row for other in with_index if other != article for row in by_article[other][:3]]
        asked += [("absent", row) for row in others]
        counts: Counter[str] = Counter()
        for kind, row in asked:
            counts[kind] += 1
            if counts[kind] <= 30:
                query = make_query(row["question"], index, encoder)
                best = ranked(find_candidates(query, index, Config()))
                found.setdefault(kind, []).append(signals(query, best))
        index.close()
    return Rows({kind: np.array(values, np.float64) for kind, values in found.items()})


def load(data: Path, name: str, others: Sequence[str], cache: Path, encoder: Encoder) -> Rows:
    config = Config()
    folder = cache / Path(name).name
    sync(data / name / "articles", folder, config, encoder)
    index = Index.open(folder, config, encoder)
    asked: dict[str, list[tuple[str, str | None]]] = {}
    for row in questions(data, name):
        asked.setdefault(kind_of(row), []).append((row["question"], row["meta"].get("date")))
    for other in others:
        rows = [(row["question"], None) for row in questions(data, other)][:100]
        asked.setdefault("absent", []).extend(rows)
    found: dict[str, NDArray[np.float64]] = {}
    for kind, texts in asked.items():
        values = []
        for text, date in texts[:MOST_QUESTIONS]:
            query = make_query(text, index, encoder, date)
            best = ranked(find_candidates(query, index, config))
            values.append(signals(query, best))
        found[kind] = np.array(values, np.float64)
    index.close()
    return Rows(found)


def fit(sets: Sequence[Rows]) -> tuple[NDArray[np.float64], float]:
    """Return the weights (f,) and the bias of a logistic regression, kinds weighted by SHARE."""
    from sklearn.linear_model import LogisticRegression

    features, labels, importance = [], [], []
    for rows in sets:
        for kind, values in rows.by_kind.items():
            features.append(values)
            labels.append(np.full(len(values), kind == "answerable"))
            importance.append(np.full(len(values), SHARE[kind] / len(values)))
    x, y, w = np.concatenate(features), np.concatenate(labels), np.concatenate(importance)
    model = LogisticRegression(C=30.0, max_iter=5000).fit(x, y, sample_weight=w * len(x) / w.sum())
    return model.coef_[0], float(model.intercept_[0])


def report(name: str, rows: Rows, weights: NDArray[np.float64], bias: float) -> str:
    chance = {k: 1 / (1 + np.exp(-(v @ weights + bias))) for k, v in rows.by_kind.items()}
    yes = chance["answerable"]
    cells = [f"{np.mean(yes < LEAST):.3f}, {np.mean(yes < LEAST_UNREAD):.3f} ({len(yes)})"]
    for kind in ("absent", "withheld", "near"):
        if kind in chance:
            no = chance[kind]
            area = auroc([*yes, *no], [True] * len(yes) + [False] * len(no))
            low, high = np.mean(no < LEAST), np.mean(no < LEAST_UNREAD)
            cells.append(f"{area:.3f} / {low:.3f}, {high:.3f} ({len(no)})")
        else:
            cells.append("")
    # A third is unanswerable, each kind alike, as in the sets' samples.
    each = len(yes) // (2 * (len(chance) - 1))
    others = [float(p) for kind, v in chance.items() if kind != "answerable" for p in v[:each]]
    error = ece([*yes.tolist(), *others], [True] * len(yes) + [False] * len(others))
    return f"| {name} | {' | '.join(cells)} | {error:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--fit", nargs="+", default=["squad", "clapnq", "hotpot100", "quotesum"])
    parser.add_argument("--show", nargs="*", default=["rtqa22", "rtqa26"])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/footnote/benchmarks")
    arguments = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    names = list(dict.fromkeys([*arguments.fit, *arguments.show]))
    encoder = load_encoder(Config().encoder)
    loaded = {
        name: load(data, name, [o for o in arguments.fit if o != name], arguments.cache, encoder)
        for name in names
    }
    alone = f"{ALONE}, one article at a time"
    loaded[alone] = load_alone(data, ALONE, arguments.cache, encoder)
    names.append(alone)
    arguments.fit.append(alone)
    weights, bias = fit([loaded[name] for name in arguments.fit])
    print(dict(zip(SIGNALS, weights.round(2).tolist(), strict=True)), "bias", round(bias, 2))
    print(f"Refused under {LEAST}, as before a draft, and under {LEAST_UNREAD}, as without one.\n")
    print("| set | answerable refused | absent: AUROC / rejected | withheld | near | ECE |")
    print("|---|---|---|---|---|---|")
    for name in names:
        same = name.split(",")[0]
        rest = [loaded[other] for other in arguments.fit if other.split(",")[0] != same]
        default, title = np.array(WEIGHTS), Path(name).name
        print(report(f"{title}, fitted without it", loaded[name], *fit(rest)))
        print(report(f"{title}, the default weights", loaded[name], default, BIAS))


if __name__ == "__main__":
    main()
