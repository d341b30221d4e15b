"""What each choice in finding and ranking sentences is worth, and what others would be.

    python -m benchmarks.retrieval.ablation squad rtqa22 rtqa26 timeqa hotpot100 --most 400

For each row the weights are fitted anew on the sets that may be trained on, without the one that
is reported (leave one set out). A row's difference to the first one is paired, with its 95 %
bootstrap interval. "Recall" counts a question when a gold sentence is among the first k; where all
of them are needed (HotpotQA), when all are.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from benchmarks.baselines.search import bm25, most_bm25
from benchmarks.retrieval.retrieval import fit, open_index, questions
from rag.config import Config
from rag.evaluation.metrics import Span, answer_recall, bootstrap_interval, overlaps
from rag.index.index import Index
from rag.models.encoder import Encoder, load_encoder
from rag.retrieval.ranking import (
    BY_HAND,
    FEATURES,
    WEIGHTS,
    Candidate,
    Query,
    candidates_of,
    find_passages,
    make_query,
)
from rag.text.terms import content_terms, terms

NAMES = (*FEATURES, "bm25")  # the last of the sentence alone, which the mix does without
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

    features: Floats  # (n, NAMES)
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
    index = open_index(data, name, cache, encoder)
    cases = [case_of(row, index, encoder) for row in questions(data, name)[:most]]
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
        np.array([_values(query, c) for c in candidates], float).reshape(-1, len(NAMES)),
        np.array(gold, np.int64),
        len(spans) if row["evidence_mode"] == "all" else 1,
        np.array([places[c.passage.key] for c in candidates], np.int64).reshape(-1, 2),
        np.array([_vector(c) for c in candidates], np.float16),
        [c.quote for c in candidates],
        row["answers"],
    )


def _values(query: Query, candidate: Candidate) -> list[float]:
    return [*candidate.features.tolist(), bm25(query, terms(candidate.quote)) / most_bm25(query)]


def _vector(candidate: Candidate) -> NDArray[np.float16]:
    stored = candidate.passage
    vector: NDArray[np.float16] = stored.sentence_vectors[
        stored.passage.sentences.index(candidate.sentence)
    ]
    return vector


def passage_places(query: Query, index: Index) -> dict[int, tuple[int, int]]:
    by_vectors, by_terms = (
        {key: n for n, key in enumerate(keys)} for keys in find_passages(query, index, WIDE)
    )
    return {
        key: (by_vectors.get(key, WIDE), by_terms.get(key, WIDE))
        for key in dict.fromkeys([*by_vectors, *by_terms])
    }


# Ways to choose the passages whose sentences are ranked, as masks over the candidates.


def _both(passages: int) -> Mask:
    return lambda case: np.asarray((case.places < passages).any(axis=1))


def _one(column: int) -> Mask:
    return lambda case: case.places[:, column] < Config().candidates


def _reciprocal(case: Case) -> NDArray[np.bool_]:
    """As many passages by reciprocal rank fusion (Cormack et al. 2009), k = 60."""
    scores = np.where(case.places < WIDE, 1 / (61 + case.places), 0).sum(axis=1)
    passages = np.unique(scores)[::-1]
    return np.asarray(scores >= passages[min(Config().candidates, len(passages)) - 1])


AMONG = _both(Config().candidates)

# Ways to rank them.


def _mix(case: Case, weights: Floats) -> Floats:
    return case.features @ weights


def _fusion_of_ranks(case: Case, _weights: Floats) -> Floats:
    """Reciprocal rank fusion of the sentences by vectors and by BM25."""
    columns = [NAMES.index(name) for name in ("sentence_cosine", "bm25")]
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
    "BM25 of the sentence alone": Variant(["bm25"]),
    "reciprocal rank fusion of the two": Variant(scores=_fusion_of_ranks),
    "weighted fusion of the two": Variant(["sentence_cosine", "bm25"]),
    "… and of the passage's vectors": Variant(["sentence_cosine", "passage_cosine", "bm25"]),
    "without vectors": _without("sentence_cosine", "passage_cosine"),
    "with BM25 as well": Variant(NAMES),
    "without the passage's vectors": _without("passage_cosine"),
    "without coverage": _without("coverage"),
    "without neighbours and title": _without("context_coverage"),
    "without the kind of answer": _without("answer_type"),
    "without dates": _without("period"),
    "without questions": _without("asks"),
    "without leads": _without("lead"),
    "without years": _without("years"),
    "passages by vectors only": Variant(among=_one(0)),
    "passages by BM25 only": Variant(among=_one(1)),
    "20 passages by reciprocal rank fusion": Variant(among=_reciprocal),
    "10 passages of each": Variant(among=_both(10)),
    "40 passages of each": Variant(among=_both(40)),
    "80 passages of each": Variant(among=_both(WIDE)),
    "the same wording twice": Variant(collapse=False),
    "near copies collapsed": Variant(again=_without_near_copies),
    "diversity (MMR .9)": Variant(again=_diverse(0.9)),
    "diversity (MMR .7)": Variant(again=_diverse(0.7)),
}


def fitted(sets: Sequence[Sequence[Case]], used: Sequence[str]) -> Floats:
    """Weights (features,); features that are not used get 0, those set by hand stay."""
    columns = [NAMES.index(name) for name in used if name not in FEATURES[FITTED:]]
    whole = np.zeros(len(NAMES))
    whole[columns] = fit([[(c.features[:, columns], c.gold >= 0) for c in s] for s in sets])
    for name, weight in zip(FEATURES[FITTED:], BY_HAND, strict=True):
        whole[NAMES.index(name)] = weight * (name in used)
    return whole


HEAD = (
    f"| set (questions) | variant | {' | '.join(f'R@{k}' for k in K)} | answer @5 | R@1 | R@5 |\n"
    f"{'|---' * (len(K) + 5)}|"
)


def row_of(
    label: str, cases: Sequence[Case], orders: Sequence[list[int]], base: Floats | None
) -> tuple[str, Floats]:
    """A line of the table, and its hits (cases, K): the ``base`` of the rows after it."""
    pairs = list(zip(cases, orders, strict=True))
    hits = np.array([[case.recall(order, k) for k in K] for case, order in pairs])
    held = np.mean([case.answer_held(order, 5) for case, order in pairs])
    cells = [f"{value:.3f}" for value in (*hits.mean(axis=0), held)]
    for column in (0, 1):
        change = hits[:, column] - (hits if base is None else base)[:, column]
        low, high = bootstrap_interval(change)
        sure = "**" if low > 0 or high < 0 else ""
        cells.append(f"{sure}{change.mean():+.3f}{sure} ({low:+.3f} to {high:+.3f})")
    return f"| {label} | {' | '.join(cells)} |", hits


def table(name: str, loaded: Mapping[str, list[Case]]) -> Iterator[str]:
    cases = loaded[name]
    others = [loaded[other] for other in TRAINING if other in loaded and other != name]
    weights: dict[tuple[str, ...], Floats] = {}
    base: Floats | None = None
    for label, variant in VARIANTS.items():
        used = tuple(variant.features)
        if used not in weights:
            weights[used] = fitted(others, used)
        orders = [variant.order(case, weights[used]) for case in cases]
        line, hits = row_of(f"{name} ({len(cases)}) | {label}", cases, orders, base)
        base = hits if base is None else base
        yield line


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
    print(HEAD)
    for name in arguments.sets:
        print("\n".join(table(name, loaded)), flush=True)


if __name__ == "__main__":
    main()
