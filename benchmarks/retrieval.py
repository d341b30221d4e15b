"""How often the gold sentence is found, by each signal alone and by the mix; and fitting the mix.

    python benchmarks/retrieval.py squad rtqa22             Recall@k of evidence sentences
    python benchmarks/retrieval.py squad --fit timeqa …     … with weights fitted on other sets

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
from rag.encoder import Encoder, load_encoder
from rag.index import Index
from rag.retrieve import BY_HAND, FEATURES, WEIGHTS, find_candidates, make_query
from rag.sync import sync

KS = (1, 3, 5, 10)
SIGNALS = {
    "dense sentence vectors": {"sentence_cosine": 1.0},
    "BM25 of the sentence": {"sentence_bm25": 1.0},
    "plain mix": {"sentence_cosine": 0.4, "passage_cosine": 0.2, "sentence_bm25": 0.4},
}


@dataclass
class Case:
    """A question's candidates: features (n, f), and whether each overlaps a gold sentence (n,)."""

    features: NDArray[np.float32]
    gold: NDArray[np.bool_]
    seconds: float


def load(
    data: Path, name: str, index: Index, config: Config, encoder: Encoder, most: int
) -> list[Case]:
    rows = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    rows = [r for r in rows if r["answerable"] and r["evidence"] and len(r["evidence"]) < 30]
    rows = [r for r in rows if r["meta"].get("has_entity", True)]
    random.Random(0).shuffle(rows)
    return [_case(row, index, config, encoder) for row in rows[:most]]


def _case(row: dict[str, Any], index: Index, config: Config, encoder: Encoder) -> Case:
    started = time.perf_counter()
    query = make_query(row["question"], index, encoder, row["meta"].get("date"))
    candidates = find_candidates(query, index, config)
    seconds = time.perf_counter() - started
    gold = [
        any(
            f"{g['article_id']}.txt" == c.article.path
            and _overlap((g["start"], g["end"]), (c.sentence.start, c.sentence.end))
            for g in row["evidence"]
        )
        for c in candidates
    ]
    features = np.array([c.features for c in candidates], np.float32).reshape(-1, len(FEATURES))
    return Case(features, np.array(gold, np.bool_), seconds)


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared > min(one[1] - one[0], other[1] - other[0]) / 2


def ranks(cases: Sequence[Case], weights: NDArray[np.float64]) -> list[int]:
    """Return the rank of the first gold sentence of each case, from 0."""
    found = []
    for case in cases:
        order = np.argsort(-(case.features @ weights), kind="stable")
        hits = np.flatnonzero(case.gold[order])
        found.append(int(hits[0]) if len(hits) else 10**6)
    return found


def fit(sets: Sequence[Sequence[Case]], steps: int = 400) -> NDArray[np.float64]:
    """Return weights (f,) that minimise the listwise loss; every set counts the same."""
    import torch

    weights = torch.full((len(FEATURES),), 2.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=0.1)
    usable = [[c for c in cases if c.gold.any() and not c.gold.all()] for cases in sets]
    double = torch.float64
    data = [
        [(torch.tensor(c.features, dtype=double), torch.tensor(c.gold)) for c in cases[:1500]]
        for cases in usable
    ]
    for _ in range(steps):
        optimizer.zero_grad()
        loss = torch.zeros((), dtype=torch.float64)
        for cases in data:
            losses = []
            for features, gold in cases:
                scores = torch.log_softmax(features @ weights, 0)
                losses.append(-torch.logsumexp(scores[gold], 0))
            loss = loss + torch.stack(losses).mean()
        loss = loss + 1e-3 * (weights**2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return np.array(weights.detach().numpy(), np.float64)


def table(name: str, cases: Sequence[Case], fitted: NDArray[np.float64] | None) -> Iterator[str]:
    mixes = {label: [mix.get(f, 0.0) for f in FEATURES] for label, mix in SIGNALS.items()}
    mixes["the default weights"] = [*WEIGHTS, *BY_HAND]
    mixes["… without dates"] = [*WEIGHTS, 0.0, BY_HAND[1]]
    if fitted is not None:
        mixes["weights fitted here"] = fitted.tolist()
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
        folder = arguments.cache / name
        folder.parent.mkdir(parents=True, exist_ok=True)
        sync(data / name / "articles", folder, config, encoder)
        index = Index.open(folder, config, encoder)
        loaded[name] = load(data, name, index, config, encoder, arguments.most)
        index.close()
    fitted = fit([loaded[name] for name in arguments.fit]) if arguments.fit else None
    if fitted is not None:
        print(dict(zip(FEATURES, fitted.round(2).tolist(), strict=True)))
    print("| set (questions) | ranked by | R@1 | R@3 | R@5 | R@10 |\n|---|---|---|---|---|---|")
    for name in arguments.sets:
        print("\n".join(table(name, loaded[name], fitted)))


if __name__ == "__main__":
    main()
