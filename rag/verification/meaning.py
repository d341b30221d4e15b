"""P(these sentences support this claim): a logistic model over a few signals.

Most of it is a soft alignment of words: each content word of the claim is compared with every one
of the sentences by its vector in context, and the best cosines are averaged (the recall of
BERTScore; Zhang et al. 2020, section 3). A word that stands in other company there is less alike.
Fitted by benchmarks/verification/verifier.py; benchmarks/results/verifier.md has what it reaches.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence

import numpy as np

from rag.models.encoder import Encoder, Offsets
from rag.text.terms import STOPWORDS, TERM, words
from rag.types import Vectors
from rag.verification.problem import Kind, Problem

SIGNALS = (
    "alike",  # mean over the claim's words of the largest cosine with a word of the sentences
    "number",  # counts of what rag/verification/rules.py finds, at most MOST_PROBLEMS of a kind
    "date",
    "name",
    "negation",
)
KINDS: tuple[Kind, ...] = ("number", "date", "name", "negation")
WEIGHTS = (5.61, -0.79, -0.18, -0.53, -0.28)
BIAS = -3.75
BALANCED = 0.37  # P from which balanced accuracy on wice is best
MOST_PROBLEMS = 3
CHARACTERS = 4_000  # of a text that are read; the encoder's window is shorter still
KEPT = 500  # texts whose word vectors are kept


class Reader:
    """Turns texts into the vectors of their words, and keeps the last ones. Safe in threads."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, texts: Sequence[str]) -> list[Vectors]:
        """Return, per text, the vectors (n, dim) of its content words; unit rows."""
        texts = [text[:CHARACTERS] for text in texts]
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        for text, found in zip(new, self._encoder.encode_tokens(new), strict=True):
            known[text] = _words(text, *found)
        with self._lock:
            for text in texts:
                self._kept[text] = known[text]
                self._kept.move_to_end(text)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return [known[text] for text in texts]


def _words(text: str, offsets: Offsets, vectors: Vectors) -> Vectors:
    """Return the vectors (n, dim) of the content words: the mean of those of their tokens."""
    starts, ends = offsets[:, 0], offsets[:, 1]
    rows: list[Vectors] = []
    for match in TERM.finditer(text):
        inside = (starts < match.end()) & (ends > match.start())
        if inside.any() and not STOPWORDS.issuperset(words(match[0])):
            rows.append(vectors[inside].mean(axis=0))
    pooled = np.array(rows, np.float32).reshape(len(rows), vectors.shape[1])
    unit: Vectors = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
    return unit


def signals(
    claim: Vectors, sources: Sequence[Vectors], problems: Sequence[Problem]
) -> tuple[float, ...]:
    """Return the values of SIGNALS for words as a Reader gives them.

    ``problems``: what the rules find against the claim.
    """
    kinds = Counter(problem.kind for problem in problems)
    alike = 0.0
    if len(claim) and any(len(source) for source in sources):
        alike = float((claim @ np.concatenate(sources).T).max(axis=1).mean())
    return (alike, *(min(MOST_PROBLEMS, kinds[kind]) for kind in KINDS))


def probability(values: Sequence[float]) -> float:
    """Return P(supported) for the values of SIGNALS."""
    logit = BIAS + sum(w * x for w, x in zip(WEIGHTS, values, strict=True))
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
