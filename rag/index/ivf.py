"""A store for many passages: of its inverted lists a search visits the nearest alone.

The method is the IVF of Jégou et al. 2011, "Product Quantization for Nearest Neighbor Search",
section IV, without its quantization of the rows: of what is visited the scores are exact. Exact
search is the default while it is fast; ``choose_store`` says when it no longer is. What that costs
is measured when the lists are made, against exact search, and stands in the manifest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.index.vectors import (
    FaissStore,
    Rows,
    VectorStore,
    best_of,
    check,
    native_faiss,
    selected,
    store_named,
)
from rag.types import Keys, Vectors

# Exact search takes 15 ms here, as long as encoding the question (benchmarks/results/scale.md).
IVF_FROM = 200_000  # passages
RECALL = 0.98  # of the nearest ten, with likely queries; real questions find up to .02 fewer
MOST_VISITED = 0.5  # share of the lists; visiting more takes about as long as exact search
FORMAT = "faiss"  # of the file, as the manifest says it; files of 0.1 have none

SEED = 5
ROWS_PER_LIST = 64  # that the centroids are trained on; more changed nothing
ROUNDS = 10  # of k-means
QUERIES = 400  # whose nearest rows are looked for, to measure recall
NEAREST = 10  # the k of recall@k
CLOSENESS = 0.6  # cosine of a query to its row: its tenth row is then as far as a question's, .44
BLOCK = 8_192  # rows multiplied at once
BUFFER = 1 << 20  # bytes that FAISS writes and reads at once

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found out when the lists were made."""

    probes: int  # lists visited by a search
    lists: int
    recall: float  # recall@10 against exact search, over likely queries
    queries: int


class IvfStore:
    """Half-precision rows in FAISS's inverted lists, read and written by FAISS."""

    def __init__(self, keys: Keys, vectors: Vectors | Rows) -> None:
        check(keys, vectors)
        faiss = native_faiss()
        rows = vectors.astype(np.float16, copy=False)  # (n, dim)
        dimensions, lists = rows.shape[1], number_of_lists(len(rows))
        quantizer = faiss.IndexFlatIP(dimensions)
        index = faiss.IndexIVFScalarQuantizer(
            quantizer,
            dimensions,
            lists,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,  # the rows themselves, not what they differ by from their centroid
        )
        index.own_fields = True
        quantizer.this.disown()
        self._index: Any = index
        if len(rows):
            self._train(rows)
        index.is_trained = True
        for at in range(0, len(rows), BLOCK):
            block = rows[at : at + BLOCK].astype(np.float32)
            index.add_with_ids(block, np.ascontiguousarray(keys[at : at + BLOCK], np.int64))
        self.measured = self._measure(keys, rows)

    def _train(self, rows: Rows) -> None:
        """Find the centroids: k-means over a sample, unit vectors. Depends on the rows alone."""
        lists = self._index.nlist
        size = min(len(rows), ROWS_PER_LIST * lists)
        sample = np.sort(np.random.default_rng(SEED).choice(len(rows), size, replace=False))
        settings = self._index.cp
        settings.niter, settings.seed, settings.spherical = ROUNDS, SEED, True
        settings.min_points_per_centroid, settings.max_points_per_centroid = 1, ROWS_PER_LIST
        self._index.train(rows[sample].astype(np.float32))

    @classmethod
    def load(cls, path: Path, keys: Keys, measured: Measured | None = None) -> IvfStore:
        """Read what ``save`` wrote, and ``measured`` beside it; the caller has verified the file's
        checksum. Raises ValueError when these are not its keys, or the file is not one of these.
        """
        faiss = native_faiss()
        try:
            with path.open("rb") as file:
                index = faiss.read_index(faiss.PyCallbackIOReader(file.read, BUFFER))
        except RuntimeError as error:
            raise ValueError(str(error).splitlines()[-1][:80]) from error
        lists = getattr(index, "nlist", 0)
        if not lists:
            raise ValueError("it is no file of inverted lists")
        if index.ntotal != len(keys):
            raise ValueError(f"{index.ntotal} vectors for {len(keys)} passages")
        store = cls.__new__(cls)
        store.hold(index, measured or Measured(lists, lists, 1.0, 0))
        return store

    def hold(self, index: Any, measured: Measured) -> None:
        """Search this index of FAISS."""
        self._index = index
        self.measured = measured

    def save(self, path: Path) -> None:
        faiss = native_faiss()
        with path.open("wb", buffering=0) as file:

            def write(data: bytes) -> int:
                left = memoryview(data)
                while left:  # part of it may fit on a full disk
                    left = left[file.write(left) or 0 :]
                return len(data)

            faiss.write_index(self._index, faiss.PyCallbackIOWriter(write, BUFFER))

    def search(
        self, query: Vectors, k: int, among: Keys | None = None
    ) -> tuple[Keys, NDArray[np.float32]]:
        faiss = native_faiss()
        chosen = selected(among)
        probes, lists = self.measured.probes, self.measured.lists
        every = len(self) if among is None else len(among)
        most = min(k, every)

        def visit(count: int) -> tuple[Keys, NDArray[np.float32]]:
            nonlocal probes
            while True:
                settings = faiss.SearchParametersIVF(sel=chosen, nprobe=probes)
                (scores,), (keys,) = self._index.search(query[None, :], count, params=settings)
                held = keys >= 0
                if held.sum() >= most or probes >= lists:
                    return keys[held], scores[held]
                probes = min(2 * probes, lists)  # more are asked for than were visited

        return best_of(visit, most, every)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def _measure(self, keys: Keys, rows: Rows) -> Measured:
        """Return how many lists must be visited to find RECALL of the nearest rows."""
        lists = int(self._index.nlist)
        if not len(rows):
            return Measured(lists, lists, 1.0, 0)
        faiss = native_faiss()
        queries = likely_queries(rows)
        best = keys[nearest(rows, queries, min(NEAREST, len(rows)))]  # (q, k)
        probes, recall = 0, 0.0
        while recall < RECALL and probes < lists:
            probes = min(lists, probes + max(1, probes // 8))
            settings = faiss.SearchParametersIVF(nprobe=probes)
            _, visited = self._index.search(queries, best.shape[1], params=settings)  # (q, k)
            hits = sum(
                len({*a} & {*b}) for a, b in zip(best.tolist(), visited.tolist(), strict=True)
            )
            recall = hits / best.size
        return Measured(probes, lists, round(recall, 4), len(queries))


def choose_store(name: str, keys: Keys, rows: Rows) -> VectorStore:
    """Return the store of that name, or the one of its kind for so many rows (n, dim)."""
    chosen = store_named(name)
    if chosen is FaissStore and len(rows) >= IVF_FROM:
        store = IvfStore(keys, rows)
        if store.measured.probes <= MOST_VISITED * store.measured.lists:
            return store
    return chosen(keys, rows)


def described(store: VectorStore) -> dict[str, Any]:
    """Return what the manifest says of a store, for ``open_store`` and for people."""
    if isinstance(store, IvfStore):
        return {"search": "ivf", "format": FORMAT, **asdict(store.measured)}
    return {"search": "exact"}


def outdated(description: Mapping[str, Any]) -> str | None:
    """Return why a file must be written anew, where it must."""
    if description.get("search") == "ivf" and description.get("format") != FORMAT:
        return "its vectors are in a format of an older version"
    return None


def open_store(name: str, description: Mapping[str, Any], path: Path, keys: Keys) -> VectorStore:
    """Load a file, verified by the caller, as the manifest describes it. Raises ValueError."""
    if reason := outdated(description):
        raise ValueError(reason)
    if description.get("search") != "ivf":
        return store_named(name).load(path, keys)
    numbers = {name: description[name] for name in ("probes", "lists", "recall", "queries")}
    return IvfStore.load(path, keys, Measured(**numbers))


def number_of_lists(rows: int) -> int:
    """Return the power of two next to the square root: as many centroids as rows in a list."""
    return 1 << round(math.log2(max(1, rows)) / 2)


def likely_queries(rows: Rows) -> Vectors:
    """Return queries (q, dim) that are to some of the rows what questions are to passages.

    Each is a row turned away from itself, by as much as a question is from its nearest passage,
    towards the difference of two other rows: noise of the directions in which the rows differ.
    Even noise is nearly orthogonal to all rows, leaves their order as it was, and makes finding
    them look easier than it is.
    """
    source = np.random.default_rng(SEED)
    picked = source.integers(len(rows), size=(3, QUERIES))
    row, one, other = (
        _unit(rows[numbers].astype(np.float32)) for numbers in picked
    )  # (q, dim) each
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


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Vectors = (vectors / np.maximum(lengths, 1e-12)).astype(np.float32)
    return unit
