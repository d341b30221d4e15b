"""A store for many passages: of its inverted lists a search visits the nearest alone.

Exact search is the default while it is fast; ``choose_store`` says when it no longer is. What the
shortcut costs is measured while the file is written, against exact search, and stands in it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rag.index.vectors import FaissStore, Rows, VectorStore, check, native_faiss, store_named
from rag.types import Keys, Vectors

# Exact search takes 15 ms here, as long as encoding the question (benchmarks/results/scale.md).
IVF_FROM = 200_000  # passages
RECALL = 0.98  # of the nearest ten, with likely queries; real questions find up to .02 fewer
MOST_VISITED = 0.5  # share of the lists; visiting more takes about as long as exact search

MAGIC = b"footnote-ivf-1\r\n\x1a\n"
HEADER = 1024  # bytes of the file before the arrays: MAGIC and JSON, filled up with blanks


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found out when the lists were made."""

    probes: int  # lists visited by a search
    lists: int
    recall: float  # recall@10 against exact search, over likely queries
    queries: int


class IvfStore:
    """Half-precision rows in FAISS's inverted lists; of what is visited the scores are exact.

    On disk: a header with the sizes and what was measured, the centroids, the lists' lengths, the
    keys in the order of the lists, and their rows. FAISS reads and writes none of it.
    """

    def __init__(self, keys: Keys, vectors: Vectors | Rows) -> None:
        check(keys, vectors)
        rows = vectors.astype(np.float16, copy=False)  # (n, dim)
        centroids = train(rows)  # (lists, dim)
        of_row = assign(rows, centroids)  # (n,)
        self.start(centroids, _measure(rows, centroids, of_row))
        order = np.argsort(of_row, kind="stable")  # (n,)
        ends = np.cumsum(np.bincount(of_row, minlength=len(centroids)))  # (lists,)
        for number, members in enumerate(np.split(order, ends[:-1])):
            self.fill(number, keys[members], rows[members])

    @classmethod
    def load(cls, path: Path, keys: Keys) -> IvfStore:
        """Read what ``save`` wrote, list by list; the caller has verified the file's checksum.

        Raises ValueError when these are not its keys, or the file is not one of these.
        """
        store = cls.__new__(cls)
        with path.open("rb") as file:
            size, dimensions, measured = _read_header(file, path.stat().st_size)
            if size != len(keys):
                raise ValueError(f"{size} vectors for {len(keys)} passages")
            centroids = _read(file, "<f4", measured.lists * dimensions).reshape(-1, dimensions)
            lengths = _read(file, "<i8", measured.lists)
            held = _read(file, "<i8", size)
            if lengths.min() < 0 or lengths.max() > size or lengths.sum() != size:
                raise ValueError("its lists have other lengths")
            if not np.array_equal(np.sort(held), np.sort(keys)):
                raise ValueError("its vectors are those of other passages")
            store.start(centroids, measured)
            at = 0
            for number, length in enumerate(lengths.tolist()):
                rows = _read(file, "<f2", length * dimensions).reshape(-1, dimensions)
                store.fill(number, held[at : at + length], rows)
                at += length
        return store

    def save(self, path: Path) -> None:
        header = {"rows": len(self), "dimensions": self._index.d, **asdict(self.measured)}
        lists = range(self.measured.lists)
        with path.open("wb") as file:
            file.write((MAGIC + json.dumps(header).encode()).ljust(HEADER))
            file.write(self._centroids.astype("<f4").tobytes())
            lengths = np.array([self._index.get_list_size(n) for n in lists], "<i8")
            file.write(lengths.tobytes())
            for what in (self._keys_of, self._codes_of):
                for number in lists:
                    file.write(what(number).data)

    def search(self, query: Vectors, k: int) -> tuple[Keys, NDArray[np.float32]]:
        most = min(k, len(self))
        if most < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        asked, probes, lists = most, self.measured.probes, self.measured.lists
        while True:
            asked = min(2 * asked, len(self))
            found = self._visit(query, asked, probes)
            keys, scores = found[0][found[0] >= 0], found[1][found[0] >= 0]
            if len(keys) < most and probes < lists:  # more are asked for than were visited
                asked, probes = most, min(2 * probes, lists)
            elif len(keys) < asked or asked == len(self) or scores[-1] < scores[most - 1]:
                break  # FAISS cuts through equal scores anywhere: a lower one follows
        order = np.lexsort((keys, -scores))[:most]
        return keys[order], scores[order]

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def start(self, centroids: Vectors, measured: Measured) -> None:
        """Have empty lists, one for each of the centroids (lists, dim)."""
        faiss = native_faiss()
        self.measured = measured
        self._centroids = np.ascontiguousarray(centroids, np.float32)
        dimensions = centroids.shape[1]
        self._nearest_lists = faiss.IndexFlatIP(dimensions)  # the index does not keep it alive
        self._nearest_lists.add(self._centroids)
        self._index: Any = faiss.IndexIVFScalarQuantizer(
            self._nearest_lists, dimensions, len(centroids), faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT, False,
        )  # fmt: skip
        self._index.is_trained = True  # half precision has nothing to learn

    def fill(self, number: int, keys: Keys, rows: Rows) -> None:
        """Put rows (n, dim) into an empty list."""
        faiss = native_faiss()
        if len(keys):
            held = np.ascontiguousarray(keys, np.int64)
            codes = np.ascontiguousarray(rows, np.float16).reshape(-1).view(np.uint8)
            self._index.invlists.add_entries(
                number, len(held), faiss.swig_ptr(held), faiss.swig_ptr(codes)
            )
            self._index.ntotal += len(held)

    def _visit(self, query: Vectors, k: int, probes: int) -> tuple[Keys, NDArray[np.float32]]:
        settings = native_faiss().SearchParametersIVF(nprobe=probes)
        (scores,), (keys,) = self._index.search(query[None, :], k, params=settings)  # (k,), (k,)
        return keys, scores

    def _keys_of(self, number: int) -> NDArray[np.uint8]:
        lists, size = self._index.invlists, self._index.get_list_size(number)
        if not size:
            return np.empty(0, np.uint8)
        keys = native_faiss().rev_swig_ptr(lists.get_ids(number), size)
        return np.array(keys, "<i8").view(np.uint8)

    def _codes_of(self, number: int) -> NDArray[np.uint8]:
        lists, size = self._index.invlists, self._index.get_list_size(number)
        if not size:
            return np.empty(0, np.uint8)
        codes = native_faiss().rev_swig_ptr(lists.get_codes(number), size * self._index.code_size)
        return np.array(codes, np.uint8)


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
        return {"search": "ivf", **asdict(store.measured)}
    return {"search": "exact"}


def open_store(name: str, description: Mapping[str, Any], path: Path, keys: Keys) -> VectorStore:
    """Load a file, verified by the caller, as the manifest describes it. Raises ValueError."""
    ivf = description.get("search") == "ivf"
    return (IvfStore if ivf else store_named(name)).load(path, keys)


def _measure(rows: Rows, centroids: Vectors, of_row: NDArray[np.int64]) -> Measured:
    lists = len(centroids)
    if not len(rows):
        return Measured(lists, lists, 1.0, 0)
    queries = likely_queries(rows)
    wanted = nearest(rows, queries, min(NEAREST, len(rows)))
    recall = recall_by_probes(queries, wanted, centroids, of_row)  # (lists,)
    probes = 1 + int(np.argmax(recall >= RECALL))
    return Measured(probes, lists, round(float(recall[probes - 1]), 4), len(queries))


def _read_header(file: BinaryIO, size: int) -> tuple[int, int, Measured]:
    """Return rows, dimensions and what was measured; the file is as long as they say."""
    start = file.read(HEADER)
    if not start.startswith(MAGIC):
        raise ValueError("it is no file of inverted lists")
    found = json.loads(start[len(MAGIC) :])
    try:
        rows, dimensions = int(found.pop("rows")), int(found.pop("dimensions"))
        measured = Measured(**found)
        lists, probes = int(measured.lists), int(measured.probes)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("its header is damaged") from error
    arrays = 4 * lists * dimensions + 8 * lists + 8 * rows + 2 * rows * dimensions
    if not (0 < probes <= lists and min(rows, dimensions) >= 0 and size == HEADER + arrays):
        raise ValueError("its header is damaged")
    return rows, dimensions, measured


def _read(file: BinaryIO, kind: str, count: int) -> Any:
    found = np.empty(count, kind)
    if file.readinto(found.view(np.uint8).data) != found.nbytes:  # type: ignore[attr-defined]
        raise ValueError("its end is missing")
    return found


# Inverted lists: rows lie with their nearest centroid; a search visits the nearest lists alone.
#
# The method is the IVF of Jégou et al. 2011, "Product Quantization for Nearest Neighbor Search",
# section IV, without its quantization of the rows: of what is visited the scores are exact.

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
