"""Inverted lists: rows lie with their nearest centroid; a search visits the nearest lists alone.

The method is the IVF of Jégou et al. 2011, "Product Quantization for Nearest Neighbor Search",
section IV, without its quantization of the rows: of what is visited the scores are exact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.vectors import Rows, native_faiss
from rag.types import Vectors

SEED = 5
ROWS_PER_LIST = 64  # that the centroids are trained on; more changed nothing
ROUNDS = 10  # of k-means
QUERIES = 400  # whose nearest rows are looked for, to measure recall
NEAREST = 10  # the k of recall@k
CLOSENESS = 0.6  # cosine of a query to its row: its tenth row is then as far as a question's, .44
BLOCK = 8_192  # rows multiplied at once

Numbers = NDArray[np.int64]


def number_of_lists(rows: int) -> int:
    """Return the power of two next to the square root: as many centroids as rows in a list."""
    return 1 << round(math.log2(max(1, rows)) / 2)


def train(rows: Rows) -> Vectors:
    """Return the centroids (lists, dim) of rows (n, dim): k-means over a sample, unit vectors.

    Depends on the rows alone, on the same machine.
    """
    lists = number_of_lists(len(rows))
    if not len(rows):
        return np.zeros((lists, rows.shape[1]), np.float32)
    source = np.random.default_rng(SEED)
    size = min(len(rows), ROWS_PER_LIST * lists)
    sample = rows[np.sort(source.choice(len(rows), size, replace=False))].astype(np.float32)
    kmeans: Any = native_faiss().Kmeans(
        rows.shape[1], lists, niter=ROUNDS, seed=SEED, spherical=True,
        min_points_per_centroid=1, max_points_per_centroid=ROWS_PER_LIST,
    )  # fmt: skip
    kmeans.train(sample)
    centroids: Vectors = kmeans.centroids
    return centroids


def assign(rows: Rows, centroids: Vectors) -> Numbers:
    """Return for each of rows (n, dim) the list (n,) of its nearest centroid."""
    found = np.zeros(len(rows), np.int64)
    for at in range(0, len(rows), BLOCK):
        block = rows[at : at + BLOCK].astype(np.float32)  # (b, dim)
        found[at : at + BLOCK] = np.argmax(block @ centroids.T, axis=1)
    return found


def likely_queries(rows: Rows) -> Vectors:
    """Return queries (q, dim) that are to some of the rows what questions are to passages.

    Each is a row turned away from itself, by as much as a question is from its nearest passage,
    towards the difference of two other rows: noise of the directions in which the rows differ.
    Even noise is nearly orthogonal to all rows, leaves their order as it was, and makes finding
    them look easier than it is.
    """
    source = np.random.default_rng(SEED)
    picked = source.integers(len(rows), size=(3, QUERIES))
    row, one, other = (_unit(rows[of].astype(np.float32)) for of in picked)  # (q, dim) each
    away = _unit(one - other)
    return _unit(CLOSENESS * row + math.sqrt(1 - CLOSENESS**2) * away)


def nearest(rows: Rows, queries: Vectors, k: int = NEAREST) -> Numbers:
    """Return the numbers (q, k) of the rows (n, dim) nearest to each query, by exact search."""
    best = np.zeros((len(queries), 0), np.int64)
    scores = np.zeros((len(queries), 0), np.float32)
    for at in range(0, len(rows), BLOCK):
        block = rows[at : at + BLOCK].astype(np.float32)
        numbers = np.arange(at, at + len(block))
        scores = np.hstack([scores, queries @ block.T])  # (q, k + b)
        best = np.hstack([best, np.broadcast_to(numbers, (len(queries), len(block)))])
        if scores.shape[1] > k:
            kept = np.argpartition(-scores, k - 1, axis=1)[:, :k]
            scores = np.take_along_axis(scores, kept, axis=1)
            best = np.take_along_axis(best, kept, axis=1)
    return best


def recall_by_probes(
    queries: Vectors, wanted: Numbers, centroids: Vectors, of_row: Numbers
) -> NDArray[np.float64]:
    """Return the recall (lists,) of the ``wanted`` rows (q, k) when 1, 2, … lists are visited.

    ``of_row`` (n,) says in which list a row lies.
    """
    order = np.argsort(-(queries @ centroids.T), axis=1, kind="stable")  # (q, lists)
    place = np.argsort(order, axis=1)  # (q, lists): when each list is visited
    visited = np.take_along_axis(place, of_row[wanted], axis=1)  # (q, k)
    counts = np.bincount(visited.reshape(-1), minlength=len(centroids))
    return np.cumsum(counts) / max(1, visited.size)


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
