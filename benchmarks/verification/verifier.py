"""Fit and judge the verifier: do the three best found sentences of its article support a claim?

    python -m benchmarks.verification.verifier > benchmarks/results/verifier.md

On `wice` cross-validated by article (each claim has one of its own), weights and threshold from the
training folds. `qags` is only measured, with what all of wice gives. Sets are folders of
$RAG_EVAL_DATA; indexes are kept in --cache.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from benchmarks.verification.verifier_claims import Example, answered, made
from rag.answering.cite import UNKNOWN, term_weights
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.evaluation.metrics import auroc, balanced_accuracy, bootstrap_interval
from rag.evaluation.scores import POOL, SENTENCES
from rag.models.encoder import Encoder, load_encoder
from rag.text.terms import content_terms
from rag.types import Evidence
from rag.verification import meaning
from rag.verification.rules import problems
from rag.verification.verifiers import SUPPORTED, RulesVerifier, Verifier, load_verifier

Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]
FOLDS, ROUNDS = 5, 4
STRENGTH = 0.1  # C of the logistic regression


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, its three best sentences and what people said of it."""

    text: str
    sources: tuple[str, ...]
    title: str
    weights: Mapping[str, float]
    supported: bool
    part: str  # of the set, such as cnndm
    several: bool  # supported by two or more sentences together


def weights_of(claim: str, around: Sequence[Evidence]) -> dict[str, float]:
    """Return what the claim's terms weigh: as rag/evaluation/scores.py does it."""
    known = term_weights(around)
    return {term: known.get(term, UNKNOWN) for term in content_terms(claim)}


def load(data: Path, name: str, cache: Path, most: int) -> list[Claim]:
    """Return the claims of a set with what retrieval finds for them in their own article."""
    rows = [json.loads(line) for line in (data / name / "claims.jsonl").open(encoding="utf-8")]
    rows = rows[:most]
    config = Config(generator="extractive")
    rag = Rag.for_articles(data / name / "articles", config, cache / name)
    found = []
    for row in rows:
        evidence = rag.search(row["claim"], POOL).evidence
        own = [e for e in evidence if e.article == f"{row['article_id']}.txt"]
        sizes = [len(sentences) for sentences in row["supporting_sets"] or () if sentences]
        found.append(
            Claim(
                row["claim"], tuple(e.quote for e in own[:SENTENCES]), own[0].title if own else "",
                weights_of(row["claim"], own), row["label"] == "supported",
                row["article_id"].split("_")[0] if name == "qags" else name,
                min(sizes, default=0) > 1,
            )
        )  # fmt: skip
    rag.index.close()
    return found


def claim_of(example: Example) -> Claim:
    around = [Evidence("", example.title, None, 0, 0, quote, 0.0) for quote in example.around]
    return Claim(
        example.claim, example.sources, example.title, weights_of(example.claim, around),
        example.supported, example.kind, False,
    )  # fmt: skip


def signals_of(claims: Sequence[Claim], reader: meaning.Reader) -> Scores:
    """Return meaning.SIGNALS of each claim (n, f)."""
    rows = []
    for claim in claims:
        said, *held = reader.read([claim.text, *claim.sources])
        found = problems(claim.text, claim.sources, claim.title)
        rows.append(meaning.signals(said, held, found))
    return np.array(rows, np.float64)


def cosine(claim: Claim, encoder: Encoder) -> float:
    """Return the largest cosine of the claim with one of its sentences."""
    vectors = encoder.encode_texts([claim.text, *claim.sources])  # (1 + sentences, dim)
    return float((vectors[1:] @ vectors[0]).max()) if claim.sources else 0.0


Fitted = Callable[[Scores], Scores]  # signals (n, f) → scores (n,)


def as_they_are(_x: Scores, _y: Truth) -> Fitted:
    """Fit nothing: the first signal is the score."""
    return lambda x: x[:, 0]


def regression(x: Scores, y: Truth) -> Fitted:
    weights, bias = fit(x, y)
    return lambda new: 1 / (1 + np.exp(-(new @ weights + bias)))


def fit(x: Scores, y: Truth) -> tuple[Scores, float]:
    """Return the weights (f,) and the bias of a logistic regression over standardised signals."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    model = LogisticRegression(C=STRENGTH, max_iter=5000).fit((x - mean) / scale, y)
    weights = model.coef_[0] / scale
    return weights, float(model.intercept_[0] - weights @ mean)


def threshold(scores: Scores, truth: Truth) -> float:
    """Return the score with the best balanced accuracy: the median of those within .01 of it."""
    at = np.unique(scores)
    reached = np.array([balanced_accuracy(scores >= t, truth) for t in at])
    return float(np.median(at[reached >= reached.max() - 0.01]))


def folds(truth: Truth, k: int, seed: int) -> Scores:
    """Return a fold for each row, each with the same share of supported claims."""
    dice, where = np.random.default_rng(seed), np.zeros(len(truth), int)
    for label in (False, True):
        rows = dice.permutation(np.flatnonzero(truth == label))
        where[rows] = np.arange(len(rows)) % k
    return where


def out_of_fold(x: Scores, y: Truth, make: Callable[[Scores, Truth], Fitted], seed: int) -> Scores:
    scores, where = np.zeros(len(y)), folds(y, FOLDS, seed)
    for n in range(FOLDS):
        scores[where == n] = make(x[where != n], y[where != n])(x[where == n])
    return scores


def cross_validated(
    x: Scores, y: Truth, make: Callable[[Scores, Truth], Fitted]
) -> tuple[Scores, Scores]:
    """Return scores and decisions (rounds, n); each threshold is the training folds' own."""
    scores, passed = np.zeros((ROUNDS, len(y))), np.zeros((ROUNDS, len(y)))
    for seed in range(ROUNDS):
        where = folds(y, FOLDS, seed)
        for n in range(FOLDS):
            train, test = where != n, where == n
            least = threshold(out_of_fold(x[train], y[train], make, seed + 100), y[train])
            scores[seed, test] = make(x[train], y[train])(x[test])
            passed[seed, test] = scores[seed, test] >= least
    return scores, passed


def balanced(passed: Scores, truth: Truth, keep: Truth) -> str:
    """Return the balanced accuracy over some claims, the mean of the rounds (rounds, n)."""
    rows = np.column_stack([truth[keep], passed.reshape(-1, len(truth))[:, keep].T])

    def of(some: Scores) -> float:
        return float(np.mean([balanced_accuracy(p, some[:, 0]) for p in some[:, 1:].T]))

    low, high = bootstrap_interval(rows, of, n=500)
    return f"{of(rows):.3f} ({low:.2f}–{high:.2f})"


def area(scores: Scores, truth: Truth, keep: Truth) -> str:
    rounds = scores.reshape(-1, len(truth))[:, keep]
    return f"{np.mean([auroc(of, truth[keep]) for of in rounds]):.3f}"


@dataclass(frozen=True, slots=True)
class Set:
    """A set of claims, made ready once."""

    claims: list[Claim]
    truth: Truth  # (n,)
    signals: dict[str, Scores]  # by what is judged by them (n, f)


def ready(claims: list[Claim], reader: meaning.Reader, encoder: Encoder) -> Set:
    rules = [RulesVerifier().check(c.text, c.sources, c.title, c.weights) for c in claims]
    signals = signals_of(claims, reader)
    return Set(
        claims,
        np.array([c.supported for c in claims]),
        {
            "rules": np.array([[c.passed, c.support, len(c.problems)] for c in rules], float),
            "cosine": np.array([[cosine(claim, encoder)] for claim in claims]),
            "recall": np.array([[check.support] for check in rules]),
            "alike": signals[:, :1],
            "meaning": signals,
        },
    )


NAMES = {
    "rules": "rules, as they are",
    "recall": "lexical recall alone",
    "cosine": "cosine of the best sentence alone",
    "alike": "soft alignment alone",
    "meaning": "`meaning`: alignment, with the rules' findings as signals",
    "rules+meaning": "`rules+meaning`: what the rules find fails the claim; passes from .7",
}


def row(name: str, wice: Set, qags: Set) -> str:
    signals = "meaning" if name == "rules+meaning" else name
    x, y, new = wice.signals[signals], wice.truth, qags.signals[signals]
    if name == "rules":
        scores, passed, scores_new, passed_new = x[:, 1], x[:, 0], new[:, 1], new[:, 0]
    else:
        make = regression if signals == "meaning" else as_they_are
        scores, passed = cross_validated(x, y, make)
        scores_new = make(x, y)(new)
        passed_new = (scores_new >= threshold(out_of_fold(x, y, make, 0), y)).astype(np.float64)
    if (
        name == "rules+meaning"
    ):  # with the threshold of the rules, see rag/verification/verifiers.py
        passed = (scores >= SUPPORTED) * (wice.signals["rules"][:, 2] == 0)
        passed_new = (scores_new >= SUPPORTED) * (qags.signals["rules"][:, 2] == 0)
    several = np.array([c.several or not c.supported for c in wice.claims])
    part = np.array([c.part for c in qags.claims])
    every, all_new = np.full(len(y), True), np.full(len(part), True)
    cells = [
        balanced(passed, y, every), area(scores, y, every), balanced(passed, y, several),
        balanced(passed_new, qags.truth, all_new), area(scores_new, qags.truth, all_new),
        *(balanced(passed_new, qags.truth, part == p) for p in ("cnndm", "xsum")),
    ]  # fmt: skip
    return f"| {NAMES[name]} | {' | '.join(cells)} |"


def at_thresholds(wice: Set, qags: Set) -> list[str]:
    """Return rows: what other thresholds would give."""
    x, y = wice.signals["meaning"], wice.truth
    old = np.array([out_of_fold(x, y, regression, seed) for seed in range(ROUNDS)])
    new = regression(x, y)(qags.signals["meaning"])
    rows = []
    for least in (0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8):
        on_wice = np.mean([balanced_accuracy(of >= least, y) for of in old])
        on_qags = balanced_accuracy(new >= least, qags.truth)
        rows.append(f"| {least} | {on_wice:.3f} | {on_qags:.3f} |")
    return rows


def passing(examples: Sequence[Example], verifiers: Mapping[str, Verifier]) -> list[str]:
    """Return rows: the share of each kind of made claim that each verifier passes."""
    claims = [claim_of(example) for example in examples]
    rows = []
    for kind in dict.fromkeys((c.supported, c.part) for c in sorted(claims, key=_order)):
        some = [c for c in claims if (c.supported, c.part) == kind]
        cells = []
        for verifier in verifiers.values():
            checks = [verifier.check(c.text, c.sources, c.title, c.weights) for c in some]
            cells.append(f"{np.mean([check.passed for check in checks]):.2f}")
        label = "yes" if kind[0] else "no"
        rows.append(f"| {kind[1]} | {label} | {len(some)} | {' | '.join(cells)} |")
    return rows


def _order(claim: Claim) -> tuple[bool, str]:
    return not claim.supported, claim.part


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/footnote/benchmarks")
    parser.add_argument("--made", type=int, default=40, help="windows of made claims")
    parser.add_argument("--most", type=int, default=100_000, help="claims of a set")
    arguments = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    encoder = load_encoder(Config().encoder)
    reader = meaning.Reader(encoder)
    wice, qags = (
        ready(load(data, name, arguments.cache, arguments.most), reader, encoder)
        for name in ("wice", "qags")
    )
    weights, bias = fit(wice.signals["meaning"], wice.truth)
    least = threshold(
        np.mean([out_of_fold(wice.signals["meaning"], wice.truth, regression, s)
                 for s in range(ROUNDS)], axis=0), wice.truth,
    )  # fmt: skip
    print("`python -m benchmarks.verification.verifier > benchmarks/results/verifier.md`\n")
    fitted = dict(zip(meaning.SIGNALS, weights.round(2).tolist(), strict=True))
    print(f"Fitted on all of wice: {fitted}, bias {bias:.2f}; a claim passes from {least:.2f}.\n")
    print(f"Balanced accuracy (95 % bootstrap interval) and AUROC; wice: {len(wice.truth)} claims, "
          f"{wice.truth.sum()} supported, {sum(c.several for c in wice.claims if c.supported)} of "
          f"them by several sentences; qags: {len(qags.truth)}, {qags.truth.sum()}.\n")  # fmt: skip
    print("| verifier | wice | AUROC | wice, several sentences | qags | AUROC | cnndm | xsum |")
    print("|---|---|---|---|---|---|---|---|")
    for name in NAMES:
        print(row(name, wice, qags), flush=True)
    print("\nThe probability of `meaning` at other thresholds:\n")
    print("| passes from | wice | qags |\n|---|---|---|")
    print("\n".join(at_thresholds(wice, qags)))
    verifiers = {name: load_verifier(name, Config(), encoder)
                 for name in ("rules", "meaning", "rules+meaning")}  # fmt: skip
    claims = answered(data, "squad", 3 * arguments.made) + made(data, ["squad"], arguments.made)
    print(f"\nShare of claims made of SQuAD's texts that pass:\n\n| claim | supported | n | "
          f"{' | '.join(verifiers)} |\n|---|---|---|---|---|---|")  # fmt: skip
    print("\n".join(passing(claims, verifiers)), flush=True)
    for name, verifier in verifiers.items():
        spent = []
        for claim in wice.claims[:100]:
            begun = time.perf_counter()
            verifier.check(claim.text, claim.sources, claim.title, claim.weights)
            spent.append(1000 * (time.perf_counter() - begun))
        print(f"\n{name}: {np.median(spent):.1f} ms a claim of three new sentences (median), "
              f"p95 {np.percentile(spent, 95):.1f} ms.")  # fmt: skip


if __name__ == "__main__":
    main()
