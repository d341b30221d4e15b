"""How often the gold sentence is found, by each signal alone and by the mix; and fitting the mix.

    python -m benchmarks.retrieval.retrieval squad rtqa22             Recall@k of evidence sentences
    python -m benchmarks.retrieval.retrieval squad --fit timeqa …
        … with weights fitted on other sets

Sets are folders of $RAG_EVAL_DATA. Indexes are kept in --cache. For fitting, the listwise softmax
loss of ListNet (Cao et al. 2007, section 4) is minimised over the features of the candidates.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.config import Config
from rag.evaluation.metrics import Span, overlaps
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import Encoder, load_encoder
from rag.retrieval.ranking import BY_HAND, FEATURES, WEIGHTS, find_candidates, make_query

KS = (1, 3, 5, 10)
SIGNALS = {
    "dense sentence vectors": {"sentence_cosine": 1.0},
    "coverage of the question's terms": {"coverage": 1.0},
    "plain mix": {"sentence_cosine": 0.4, "passage_cosine": 0.2, "coverage": 0.4},
}


@dataclass
class Case:
    """A question's candidates: features (n, f), and whether each overlaps a gold sentence (n,)."""

    features: NDArray[np.float32]
    gold: NDArray[np.bool_]
    seconds: float


def questions(data: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a set that have gold sentences, in a fixed order."""
    rows = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    rows = [r for r in rows if r["answerable"] and r["evidence"] and len(r["evidence"]) < 30]
    rows = [r for r in rows if r["meta"].get("has_entity", True)]
    random.Random(0).shuffle(rows)
    return rows


def open_index(data: Path, name: str, cache: Path, encoder: Encoder) -> Index:
    """Bring the index of a set up to date and open it."""
    cache.mkdir(parents=True, exist_ok=True)
    sync(data / name / "articles", cache / name, Config(), encoder)
    return Index.open(cache / name, Config(), encoder)


def _case(row: dict[str, Any], index: Index, config: Config, encoder: Encoder) -> Case:
    started = time.perf_counter()
    query = make_query(row["question"], index, encoder, row["meta"].get("date"))
    candidates = find_candidates(query, index, config)
    seconds = time.perf_counter() - started
    spans = [Span(f"{g['article_id']}.txt", g["start"], g["end"]) for g in row["evidence"]]
    found = [Span(c.article.path, c.sentence.start, c.sentence.end) for c in candidates]
    gold = [any(overlaps(span, g) for g in spans) for span in found]
    features = np.array([c.features for c in candidates], np.float32).reshape(-1, len(FEATURES))
    return Case(features, np.array(gold, np.bool_), seconds)


def ranks(cases: Sequence[Case], weights: NDArray[np.float64]) -> list[int]:
    """Return the rank of the first gold sentence of each case, from 0."""
    found = []
    for case in cases:
        order = np.argsort(-(case.features @ weights), kind="stable")
        hits = np.flatnonzero(case.gold[order])
        found.append(int(hits[0]) if len(hits) else 10**6)
    return found


def fit(sets: Sequence[Sequence[tuple[NDArray[Any], NDArray[np.bool_]]]]) -> NDArray[np.float64]:
    """Return weights (f,) that minimise the listwise loss over cases of features (n, f) and gold
    (n,); every set counts the same, and cases without gold do not.
    """
    import torch

    data = [_padded([case for case in cases if case[1].any()]) for cases in sets]
    weights = torch.full((data[0][0].shape[2],), 2.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = 1e-3 * (weights**2).sum()
        for features, gold, real in data:
            scores = torch.log_softmax((features @ weights).masked_fill(~real, -1e9), 1)
            loss = loss - torch.logsumexp(scores.masked_fill(~gold, -1e9), 1).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return np.array(weights.detach().numpy(), np.float64)


def _padded(cases: Sequence[tuple[NDArray[Any], NDArray[np.bool_]]]) -> tuple[Any, Any, Any]:
    import torch

    longest = max(len(gold) for _, gold in cases)
    whole = np.zeros((len(cases), longest, cases[0][0].shape[1]))
    is_gold, is_real = (np.zeros((len(cases), longest), bool) for _ in range(2))
    for n, (features, gold) in enumerate(cases):
        whole[n, : len(gold)], is_gold[n, : len(gold)] = features, gold
        is_real[n, : len(gold)] = True
    return torch.tensor(whole), torch.tensor(is_gold), torch.tensor(is_real)


def table(name: str, cases: Sequence[Case], fitted: NDArray[np.float64] | None) -> Iterator[str]:
    mixes = {label: [mix.get(f, 0.0) for f in FEATURES] for label, mix in SIGNALS.items()}
    mixes["the default weights"] = [*WEIGHTS, *BY_HAND]
    mixes["… without what is set by hand"] = [*WEIGHTS, *(0.0 for _ in BY_HAND)]
    if fitted is not None:
        mixes["weights fitted here"] = [*fitted, *BY_HAND]
    for label, mix in mixes.items():
        found = ranks(cases, np.array(mix, np.float64))
        scores = " | ".join(f"{np.mean([r < k for r in found]):.3f}" for k in KS)
        yield f"| {name} ({len(cases)}) | {label} | {scores} |"
    reachable = np.mean([case.gold.any() for case in cases])
    seconds = 1000 * np.percentile([case.seconds for case in cases], [50, 95])
    yield f"| {name} | *among the candidates* | | | | {reachable:.3f} |"
    print(f"{name}: {seconds[0]:.0f} ms p50, {seconds[1]:.0f} ms p95 a question", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+", help="sets to report")
    parser.add_argument("--fit", nargs="*", default=[], help="sets to fit weights on")
    parser.add_argument("--most", type=int, default=10_000, help="questions of a set")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/footnote/benchmarks")
    arguments = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    config = Config()
    encoder = load_encoder(config.encoder)
    loaded = {}
    for name in dict.fromkeys([*arguments.sets, *arguments.fit]):
        index = open_index(data, name, arguments.cache, encoder)
        rows = questions(data, name)[: arguments.most]
        loaded[name] = [_case(row, index, config, encoder) for row in rows]
        index.close()
    most = len(WEIGHTS)  # those after them have weights set by hand
    trained = [[(c.features[:, :most], c.gold) for c in loaded[n][:1500]] for n in arguments.fit]
    fitted = fit(trained) if trained else None
    if fitted is not None:
        print(dict(zip(FEATURES[:most], fitted.round(2).tolist(), strict=True)))
    print("| set (questions) | ranked by | R@1 | R@3 | R@5 | R@10 |\n|---|---|---|---|---|---|")
    for name in arguments.sets:
        print("\n".join(table(name, loaded[name], fitted)))


if __name__ == "__main__":
    main()
