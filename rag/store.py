"""SEAM VectorStore: passage vectors, searched exactly by inner product.

A newcomer adds a store by writing one class and one row in STORES.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import UnknownName
from rag.types import Keys, Vectors


class VectorStore(Protocol):
    """Vectors under integer keys. Searching is safe from several threads; there is no adding."""

    def __init__(self, keys: Keys, vectors: Vectors) -> None:
        """Hold vectors (n, dim) under keys (n,), which must be unique."""

    @classmethod
    def load(cls, path: Path, keys: Keys) -> VectorStore:
        """Read what ``save`` wrote; the caller has verified the file's checksum."""

    def save(self, path: Path) -> None:
        """Write one file."""

    def search(self, query: Vectors, k: int) -> tuple[Keys, NDArray[np.float32]]:
        """Return the keys (m,) and inner products (m,) of the best m ≤ k rows for a query (dim,).

        Best first; equal scores in ascending order of their keys.
        """

    def __len__(self) -> int:
        """Return the number of vectors."""


class NumpyStore:
    """The exact reference: one matrix product over half-precision rows."""

    def __init__(self, keys: Keys, vectors: Vectors) -> None:
        _check_unique(keys)
        self._keys = keys
        self._rows = vectors.astype(np.float16)  # (n, dim)

    @classmethod
    def load(cls, path: Path, keys: Keys) -> NumpyStore:
        return cls(keys, np.load(path, allow_pickle=False))

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, self._rows, allow_pickle=False)

    def search(self, query: Vectors, k: int) -> tuple[Keys, NDArray[np.float32]]:
        scores = self._rows.astype(np.float32) @ query  # (n,)
        best = np.lexsort((self._keys, -scores))[:k]
        return self._keys[best], scores[best]

    def __len__(self) -> int:
        return len(self._keys)


class FaissStore:
    """FAISS's exact search over half-precision rows: recall 1.0 at half the memory of float32."""

    def __init__(self, keys: Keys, vectors: Vectors) -> None:
        faiss = _faiss()
        _check_unique(keys)
        index = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        index.train(vectors)
        index.add(vectors)
        self._hold(keys, index)

    def _hold(self, keys: Keys, index: Any) -> None:
        self._keys = keys
        self._index = index

    @classmethod
    def load(cls, path: Path, keys: Keys) -> FaissStore:
        store = cls.__new__(cls)
        store._hold(keys, _faiss().read_index(str(path)))  # noqa: SLF001
        return store

    def save(self, path: Path) -> None:
        _faiss().write_index(self._index, str(path))

    def search(self, query: Vectors, k: int) -> tuple[Keys, NDArray[np.float32]]:
        if not len(self):
            return np.empty(0, np.int64), np.empty(0, np.float32)
        scores, rows = self._index.search(query[None, :], min(k, len(self)))  # (1, k), (1, k)
        keys = self._keys[rows[0]]
        order = np.lexsort((keys, -scores[0]))
        return keys[order], scores[0][order]

    def __len__(self) -> int:
        return len(self._keys)


STORES: dict[str, type[VectorStore]] = {"faiss": FaissStore, "numpy": NumpyStore}


def store_named(name: str) -> type[VectorStore]:
    """Return a registered store class. Raises UnknownName."""
    if name not in STORES:
        raise UnknownName("vector store", name, sorted(STORES))
    return STORES[name]


def _faiss() -> Any:
    import torch  # noqa: F401, I001  # before faiss: the other way round their OpenMPs clash
    import faiss

    return faiss


def _check_unique(keys: Keys) -> None:
    # FAISS accepts duplicate ids silently; a duplicate here is a bug in the caller.
    if len(np.unique(keys)) != len(keys):
        raise ValueError("duplicate keys")
