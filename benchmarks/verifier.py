"""Fit and judge the verifier: is a claim supported by the three best found sentences of its article?

    python benchmarks/verifier.py > results/verifier.md

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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from verifier_claims import Example, answered, made

from rag import meaning
from rag.cite import UNKNOWN, term_weights
from rag.claims import POOL, SENTENCES
from rag.config import Config
from rag.encoder import Encoder, load_encoder
from rag.intervals import bootstrap_interval
from rag.metrics import auroc, balanced_accuracy
from rag.pipeline import Rag
from rag.rules import problems
from rag.terms import content_terms
from rag.types import Evidence
from rag.verify import RulesVerifier, Verifier, load_verifier

Scores = NDArray[np.float64]
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
    """Return what the claim's terms weigh: as rag/claims.py does it."""
    known = term_weights(around)
    return {term: known.get(term, UNKNOWN) for term in content_terms(claim)}


def load(data: Path, name: str, cache: Path, encoder: Encoder) -> list[Claim]:
    """Return the claims of a set with what retrieval finds for them in their own article."""
    rows = [json.loads(line) for line in (data / name / "claims.jsonl").open(encoding="utf-8")]
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
        rows.append(meaning.signals(said, held, claim.weights, found))
    return np.array(rows, np.float64)


def cosines(claims: Sequence[Claim], encoder: Encoder) -> Scores:
    """Return the largest cosine of each claim with one of its sentences (n,)."""
    best = []
    for claim in claims:
        vectors = encoder.encode_texts([claim.text, *claim.sources])
        best.append(float((vectors[1:] @ vectors[0]).max()) if claim.sources else 0.0)
    return np.array(best)


def fit(x: Scores, y: NDArray[np.bool_]) -> tuple[Scores, float]:
    """Return the weights (f,) and the bias of a logistic regression over standardised signals."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-9)
    model = LogisticRegression(C=STRENGTH, max_iter=5000).fit((x - mean) / scale, y)
    weights = model.coef_[0] / scale
    return weights, float(model.intercept_[0] - weights @ mean)
