"""SEAM VectorStore: passage vectors, searched exactly by inner product.

A newcomer adds a store by writing one class and one row in STORES.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import UnknownName
from rag.types import Keys, Vectors

Rows = NDArray[np.float16]  # (n, dim)


class VectorStore(Protocol):
    """Vectors under integer keys. Searching is safe from several threads; there is no adding."""

    def __init__(self, keys: Keys, vectors: Vectors | Rows) -> None:
        """Hold vectors (n, dim) under keys (n,). Raises ValueError unless keys are unique."""

    @classmethod
    def load(cls, path: Path, keys: Keys) -> VectorStore:
        """Read what ``save`` wrote; the caller has verified the file's checksum.

        Raises ValueError when these are not its keys, by their number.
        """

    def save(self, path: Path) -> None:
        """Write one file. Raises OSError, also when only the last byte does not fit."""

    def search(
        self, query: Vectors, k: int, among: Keys | None = None
    ) -> tuple[Keys, NDArray[np.float32]]:
        """Return the keys (m,) and inner products (m,) of the best m ≤ k rows for a query (dim,).

        ``among``: some of the keys (n,), ascending, the only ones that are searched. Best first;
        equal scores in ascending order of their keys.
        """

    def __len__(self) -> int:
        """Return the number of vectors."""


class NumpyStore:
    """The exact reference: one matrix product over half-precision rows."""

    def __init__(self, keys: Keys, vectors: Vectors | Rows) -> None:
        check(keys, vectors)
        self._keys = keys
        self._rows = vectors.astype(np.float16, copy=False)  # (n, dim)

    @classmethod
    def load(cls, path: Path, keys: Keys) -> NumpyStore:
        return cls(keys, np.load(path, allow_pickle=False))

    def save(self, path: Path) -> None:
        _save(path, self._rows)

    def search(
        self, query: Vectors, k: int, among: Keys | None = None
    ) -> tuple[Keys, NDArray[np.float32]]:
        # In float32 the product of equal rows depends on where they stand, and ties break.
        scores = (self._rows.astype(np.float64) @ query).astype(np.float32)  # (n,)
        order = np.lexsort((self._keys, -scores))
        if among is not None:
            order = order[np.isin(self._keys[order], among)]
        best = order[: max(0, k)]
        return self._keys[best], scores[best]

    def __len__(self) -> int:
        return len(self._keys)


class FaissStore:
    """FAISS's exact search over half-precision rows: recall 1.0 at half the memory of float32.

    On disk it is the rows alone: FAISS's own writer loses the end of a file on a full disk
    without an error, and its reader trusts what it reads.
    """

    def __init__(self, keys: Keys, vectors: Vectors | Rows) -> None:
        faiss = native_faiss()
        check(keys, vectors)
        self._keys = keys
        self._index: Any = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        rows = np.ascontiguousarray(vectors, np.float16)  # (n, dim)
        faiss.copy_array_to_vector(rows.reshape(-1).view(np.uint8), self._index.codes)
        self._index.ntotal = len(rows)

    @classmethod
    def load(cls, path: Path, keys: Keys) -> FaissStore:
        return cls(keys, np.load(path, allow_pickle=False))

    def save(self, path: Path) -> None:
        codes = native_faiss().vector_to_array(self._index.codes)
        _save(path, codes.view(np.float16).reshape(len(self), self._index.d))

    def search(
        self, query: Vectors, k: int, among: Keys | None = None
    ) -> tuple[Keys, NDArray[np.float32]]:
        faiss = native_faiss()
        rows = None if among is None else np.flatnonzero(np.isin(self._keys, among))
        settings = faiss.SearchParameters(sel=selected(rows))
        most = len(self) if rows is None else len(rows)

        def visit(count: int) -> tuple[Keys, NDArray[np.float32]]:
            (scores,), (found,) = self._index.search(query[None, :], count, params=settings)
            return self._keys[found[found >= 0]], scores[found >= 0]

        return best_of(visit, min(k, most), most)

    def __len__(self) -> int:
        return len(self._keys)


def best_of(
    visit: Callable[[int], tuple[Keys, NDArray[np.float32]]], k: int, most: int
) -> tuple[Keys, NDArray[np.float32]]:
    """Return the best k of a search, equal scores in ascending order of their keys.

    ``visit`` returns the best so many, of at most ``most``. FAISS cuts through equal scores
    anywhere: it is asked for more until a lower one follows.
    """
    if k < 1:
        return np.empty(0, np.int64), np.empty(0, np.float32)
    count = k
    while True:
        count = min(2 * count, most)
        keys, scores = visit(count)
        if len(keys) < count or count == most or scores[-1] < scores[k - 1]:
            break
    order = np.lexsort((keys, -scores))[:k]
    return keys[order], scores[order]


def selected(ids: Keys | None) -> Any:
    """Return FAISS's selector of these ids (n,), not negative; None for all."""
    if ids is None:
        return None
    chosen = np.zeros(int(ids.max(initial=-1)) + 1, bool)
    chosen[ids] = True
    bits = np.packbits(chosen, bitorder="little")
    faiss = native_faiss()
    selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
    selector.bits = bits  # FAISS does not keep it alive
    return selector


STORES: dict[str, type[VectorStore]] = {"faiss": FaissStore, "numpy": NumpyStore}


def store_named(name: str) -> type[VectorStore]:
    """Return a registered store class. Raises UnknownName."""
    if name not in STORES:
        raise UnknownName("vector store", name, sorted(STORES))
    return STORES[name]


_torch_may_come = threading.Event()
_torch_may_come.set()


def keep_torch_out() -> None:
    """Say that nothing in this process will load torch, so that FAISS need not wait for it."""
    _torch_may_come.clear()


def native_faiss() -> Any:
    """Return FAISS, loaded now."""
    if _torch_may_come.is_set():
        import torch  # noqa: F401  # before faiss: the other way round their OpenMPs clash
    import faiss

    return faiss


def check(keys: Keys, rows: Vectors | Rows) -> None:
    """Raise ValueError unless these are unique keys, one for each row."""
    # FAISS accepts duplicate ids silently; a duplicate here is a bug in the caller.
    if len(np.unique(keys)) != len(keys):
        raise ValueError("duplicate keys")
    if len(rows) != len(keys):
        raise ValueError(f"{len(rows)} vectors for {len(keys)} passages")


def _save(path: Path, rows: Rows) -> None:
    # np.save writes to real files through a C buffer whose last write it does not check.
    with path.open("wb") as file:
        header = np.lib.format.header_data_from_array_1_0(rows)
        np.lib.format.write_array_header_1_0(file, header)
        file.write(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)
