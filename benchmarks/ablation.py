"""What each choice in finding and ranking sentences is worth, and what others would be.

    python benchmarks/ablation.py squad rtqa22 rtqa26 timeqa hotpot100 --most 400

For each row the weights are fitted anew on the sets that may be trained on, without the one that
is reported (leave one set out). A row's difference to the first one is paired, with its 95 %
bootstrap interval. "Recall" counts a question when a gold sentence is among the first k; where all
of them are needed (HotpotQA), when all are.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.config import Config
from rag.encoder import Encoder, load_encoder
from rag.index import Index
from rag.intervals import bootstrap_interval
from rag.metrics import Span, answer_recall, overlaps
from rag.retrieve import (
    BY_HAND,
    FEATURES,
    WEIGHTS,
    Candidate,
    Query,
    candidates_of,
    make_query,
)
from rag.sync import sync
from rag.terms import content_terms

TRAINING = ("squad", "hotpot100", "clapnq", "quotesum", "timeqa")  # sets that may be trained on
FITTED = len(WEIGHTS)  # features; those after them have weights set by hand
WIDE = 80  # passages that each search gives
DEEP = 30  # sentences that are ranked again for diversity
K = (1, 5, 10)
Floats = NDArray[np.float64]
Mask = Callable[["Case"], NDArray[np.bool_]]  # (n,) of the candidates
Scores = Callable[["Case", Floats], Floats]  # (n,) of the candidates, from weights (features,)
Again = Callable[["Case", Sequence[int], Floats], list[int]]  # another order


@dataclass
class Case:
    """A question's n candidates."""

    features: Floats  # (n, features)
    gold: NDArray[np.int64]  # (n,) number of the gold sentence that it overlaps, or -1
    golds: int  # how many have to be found: one, or all
    places: NDArray[np.int64]  # (n, 2) rank of its passage by vectors and by BM25; WIDE: not found
    vectors: NDArray[np.float16]  # (n, dim)
    texts: list[str]
    answers: list[str]

    def recall(self, order: Sequence[int], k: int) -> float:
        found = {int(self.gold[i]) for i in order[:k]} - {-1}
        return float(len(found) >= self.golds)

    def answer_held(self, order: Sequence[int], k: int) -> float:
        return float(any(answer_recall(self.texts[i], self.answers) for i in order[:k]))


def load(data: Path, name: str, cache: Path, encoder: Encoder, most: int) -> list[Case]:
    config = Config()
    cache.mkdir(parents=True, exist_ok=True)
    sync(data / name / "articles", cache / name, config, encoder)
    index = Index.open(cache / name, config, encoder)
    rows = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    rows = [r for r in rows if r["answerable"] and r["evidence"] and len(r["evidence"]) < 30]
    rows = [r for r in rows if r["meta"].get("has_entity", True)]
    random.Random(0).shuffle(rows)
    cases = [case_of(row, index, encoder) for row in rows[:most]]
    index.close()
    return cases


def case_of(row: dict[str, Any], index: Index, encoder: Encoder) -> Case:
    query = make_query(row["question"], index, encoder, row["meta"].get("date"))
    places = passage_places(query, index)
    candidates = list(candidates_of(query, index, places))
    spans = [Span(f"{g['article_id']}.txt", g["start"], g["end"]) for g in row["evidence"]]
    found = [Span(c.article.path, c.sentence.start, c.sentence.end) for c in candidates]
    gold = [next((n for n, g in enumerate(spans) if overlaps(f, g)), -1) for f in found]
    return Case(
        np.array([c.features for c in candidates], float).reshape(-1, len(FEATURES)),
        np.array(gold, np.int64),
        len(spans) if row["evidence_mode"] == "all" else 1,
        np.array([places[c.passage.key] for c in candidates], np.int64).reshape(-1, 2),
        np.array([_vector(c) for c in candidates], np.float16),
        [c.quote for c in candidates],
        row["answers"],
    )


def _vector(candidate: Candidate) -> NDArray[np.float16]:
    stored = candidate.passage
    vector: NDArray[np.float16] = stored.sentence_vectors[
        stored.passage.sentences.index(candidate.sentence)
    ]
    return vector


def passage_places(query: Query, index: Index) -> dict[int, tuple[int, int]]:
    dense, _ = index.vectors.search(query.vector, WIDE)
    wanted = [*query.terms, *query.variants.terms]
    similar = [term for term, _ in query.variants.unknown]
    lexical, _ = index.lexical.search(wanted, WIDE, similar=similar)
    by_vectors = {key: n for n, key in enumerate(dense.tolist())}
    by_terms = {key: n for n, key in enumerate(lexical.tolist())}
    return {
        key: (by_vectors.get(key, WIDE), by_terms.get(key, WIDE))
        for key in dict.fromkeys([*by_vectors, *by_terms])
    }


# Ways to choose the passages whose sentences are ranked, as masks over the candidates.


def _both(passages: int) -> Mask:
    return lambda case: np.asarray((case.places < passages).any(axis=1))


def _one(column: int) -> Mask:
    return lambda case: case.places[:, column] < 40


def _reciprocal(case: Case) -> NDArray[np.bool_]:
    """The 40 best passages by reciprocal rank fusion (Cormack et al. 2009), k = 60."""
    scores = np.where(case.places < WIDE, 1 / (61 + case.places), 0).sum(axis=1)
    passages = np.unique(scores)[::-1]
    return np.asarray(scores >= passages[min(39, len(passages) - 1)])


AMONG = _both(40)

# Ways to rank them.


def _mix(case: Case, weights: Floats) -> Floats:
    return case.features @ weights


def _fusion_of_ranks(case: Case, _weights: Floats) -> Floats:
    """Reciprocal rank fusion of the sentences by vectors and by BM25."""
    columns = [FEATURES.index(name) for name in ("sentence_cosine", "sentence_bm25")]
    ranks = (-case.features[:, columns]).argsort(axis=0).argsort(axis=0)
    total: Floats = (1 / (61 + ranks)).sum(axis=1)
    return total


def in_order(case: Case, scores: Floats, *, collapse: bool = True) -> list[int]:
    """The candidates by score, each wording once."""
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    if not collapse:
        return order[:DEEP]
    best: dict[str, int] = {}
    for i in order:
        best.setdefault(" ".join(case.texts[i].split()), i)
        if len(best) == DEEP:
            break
    return list(best.values())


def _without_near_copies(case: Case, order: Sequence[int], _scores: Floats) -> list[int]:
    kept: list[int] = []
    bags = {i: set(content_terms(case.texts[i])) for i in order}
    for i in order:
        if all(len(bags[i] & bags[j]) < 0.8 * len(bags[i] | bags[j]) for j in kept):
            kept.append(i)
    return kept


def _diverse(part: float) -> Again:
    """Maximal marginal relevance (Carbonell and Goldstein 1998), relevance counting ``part``."""

    def ordered(case: Case, order: Sequence[int], scores: Floats) -> list[int]:
        left = list(order)
        chosen: list[int] = []
        vectors = case.vectors.astype(np.float32)
        while left:
            gains = [
                part * scores[i]
                - (1 - part) * max((float(vectors[i] @ vectors[j]) for j in chosen), default=0.0)
                for i in left
            ]
            chosen.append(left.pop(int(np.argmax(gains))))
        return chosen

    return ordered


@dataclass(frozen=True)
class Variant:
    """One row: which features, which candidates, and how they are put in order."""

    features: Sequence[str] = FEATURES
    among: Mask = AMONG
    scores: Scores = _mix
    collapse: bool = True
    again: Again | None = None

    def order(self, case: Case, weights: Floats) -> list[int]:
        scores = np.where(self.among(case), self.scores(case, weights), -np.inf)
        order = [i for i in in_order(case, scores, collapse=self.collapse) if scores[i] > -np.inf]
        return self.again(case, order, scores / sum(WEIGHTS)) if self.again else order


def _without(*names: str) -> Variant:
    return Variant([name for name in FEATURES if name not in names])


BASE = "all of it, as shipped"
VARIANTS = {
    BASE: Variant(),
    "vectors of the sentence alone": Variant(["sentence_cosine"]),
    "BM25 of the sentence alone": Variant(["sentence_bm25"]),
    "reciprocal rank fusion of the two": Variant(scores=_fusion_of_ranks),
    "weighted fusion of the two": Variant(["sentence_cosine", "sentence_bm25"]),
    "… and of the passage's": Variant(list(FEATURES[:4])),
    "without vectors": _without("sentence_cosine", "passage_cosine"),
    "without BM25": _without("sentence_bm25", "passage_bm25"),
    "without the passage's scores": _without("passage_cosine", "passage_bm25"),
    "without coverage": _without("coverage"),
    "without neighbours and title": _without("context_coverage"),
    "without phrases": _without("phrases"),
    "without the kind of answer": _without("answer_type"),
    "without headings": _without("heading"),
    "without dates": _without("period"),
    "without questions": _without("asks"),
    "passages by vectors only": Variant(among=_one(0)),
    "passages by BM25 only": Variant(among=_one(1)),
    "40 passages by reciprocal rank fusion": Variant(among=_reciprocal),
    "20 passages of each": Variant(among=_both(20)),
    "80 passages of each": Variant(among=_both(WIDE)),
    "the same wording twice": Variant(collapse=False),
    "near copies collapsed": Variant(again=_without_near_copies),
    "diversity (MMR .9)": Variant(again=_diverse(0.9)),
    "diversity (MMR .7)": Variant(again=_diverse(0.7)),
}


def fit(sets: Sequence[Sequence[Case]], used: Sequence[str]) -> Floats:
    """Weights (features,) by the listwise softmax loss of ListNet (Cao et al. 2007, section 4),
    every set counting the same; features that are not used get 0, those set by hand stay.
    """
    import torch

    columns = [FEATURES.index(name) for name in used if FEATURES.index(name) < FITTED]
    weights = torch.full((len(columns),), 2.0, dtype=torch.float64, requires_grad=True)
    data = [_padded([c for c in cases if (c.gold >= 0).any()], columns) for cases in sets]
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
    whole = np.zeros(len(FEATURES))
    whole[columns] = weights.detach().numpy()
    for name, weight in zip(FEATURES[FITTED:], BY_HAND, strict=True):
        whole[FEATURES.index(name)] = weight * (name in used)
    return whole


def _padded(cases: Sequence[Case], columns: Sequence[int]) -> tuple[Any, Any, Any]:
    import torch

    longest = max(len(case.gold) for case in cases)
    features = np.zeros((len(cases), longest, len(columns)))
    gold = np.zeros((len(cases), longest), bool)
    real = np.zeros((len(cases), longest), bool)
    for n, case in enumerate(cases):
        size = len(case.gold)
        features[n, :size] = case.features[:, columns]
        gold[n, :size], real[n, :size] = case.gold >= 0, True
    return torch.tensor(features), torch.tensor(gold), torch.tensor(real)


def table(name: str, loaded: Mapping[str, list[Case]]) -> Iterator[str]:
    cases = loaded[name]
    others = [loaded[other] for other in TRAINING if other in loaded and other != name]
    fitted: dict[tuple[str, ...], Floats] = {}
    base: Floats | None = None
    for label, variant in VARIANTS.items():
        used = tuple(variant.features)
        if used not in fitted:
            fitted[used] = fit(others, used)
        orders = [variant.order(case, fitted[used]) for case in cases]
        hits = np.array([[c.recall(o, k) for k in K] for c, o in zip(cases, orders, strict=True)])
        held = np.mean([c.answer_held(o, 5) for c, o in zip(cases, orders, strict=True)])
        base = hits if base is None else base
        cells = [f"{value:.3f}" for value in (*hits.mean(axis=0), held)]
        for column in (0, 1):
            change = hits[:, column] - base[:, column]
            low, high = bootstrap_interval(change)
            sure = "**" if low > 0 or high < 0 else ""
            cells.append(f"{sure}{change.mean():+.3f}{sure} ({low:+.3f} to {high:+.3f})")
        yield f"| {name} ({len(cases)}) | {label} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+", help="sets to report")
    parser.add_argument("--most", type=int, default=400, help="questions of a set")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/footnote/benchmarks")
    arguments = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    encoder = load_encoder(Config().encoder)
    loaded = {
        name: load(data, name, arguments.cache, encoder, arguments.most)
        for name in dict.fromkeys([*arguments.sets, *TRAINING])
    }
    print("| set (questions) | variant | R@1 | R@5 | R@10 | answer @5 | R@1 | R@5 |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.sets:
        print("\n".join(table(name, loaded)), flush=True)


if __name__ == "__main__":
    main()
