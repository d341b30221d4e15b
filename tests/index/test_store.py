"""Every vector store gives the keys and scores of an exact reference in float64."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.errors import UnknownName
from rag.index.ivf import IvfStore
from rag.index.vectors import STORES, VectorStore, store_named
from rag.types import Keys, Vectors

DIM = 24


@pytest.fixture(params=[*sorted(STORES), "ivf"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[VectorStore]:
    if request.param != "ivf":
        return store_named(request.param)
    # What it visits must be exact, so it visits all; what it leaves out:
    # tests/index/test_store_ivf.py.
    monkeypatch.setattr("rag.index.ivf.RECALL", 2.0)
    return IvfStore


def unit_rows(n: int, seed: int = 5) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def reference(
    keys: Keys, vectors: Vectors, query: Vectors, k: int
) -> tuple[list[int], NDArray[np.float64]]:
    scores = vectors.astype(np.float16).astype(np.float64) @ query.astype(np.float64)
    best = np.lexsort((keys, -scores.round(9)))[:k]
    return keys[best].tolist(), scores[best]


def assert_same(found: tuple[Keys, NDArray[np.float32]], wanted: tuple[list[int], object]) -> None:
    keys, scores = found
    assert keys.dtype == np.int64
    assert scores.dtype == np.float32
    assert keys.tolist() == wanted[0]
    np.testing.assert_allclose(scores, np.asarray(wanted[1]), atol=1e-6)


@pytest.mark.parametrize("k", [1, 10, 300, 1000])
def test_keys_and_scores_are_exact(store: type[VectorStore], k: int) -> None:
    keys = np.random.default_rng(6).permutation(10_000)[:300].astype(np.int64)
    vectors = unit_rows(300)
    held = store(keys, vectors)
    assert len(held) == 300
    for query in unit_rows(20, seed=7):
        assert_same(held.search(query, k), reference(keys, vectors, query, k))


@pytest.mark.parametrize("k", [1, 3, 7, 20, 49, 50])
def test_equal_scores_come_in_order_of_their_keys(store: type[VectorStore], k: int) -> None:
    vectors = unit_rows(5)[np.arange(50) % 5]  # every row ten times
    for keys in (
        np.arange(1, 51, dtype=np.int64),
        np.arange(50, 0, -1, dtype=np.int64),
        np.random.default_rng(11).permutation(50).astype(np.int64),
    ):
        held = store(keys, vectors)
        for query in unit_rows(10, seed=8):
            assert_same(held.search(query, k), reference(keys, vectors, query, k))


TIES = """
import sys
import numpy as np
from rag.index.vectors import store_named
from rag.index.ivf import IvfStore
source = np.random.default_rng(12)
rows = source.normal(size=(6, 24)).astype(np.float32)[source.integers(6, size=900)]
keys = source.permutation(900).astype(np.int64)
store = (IvfStore if sys.argv[1] == "ivf" else store_named(sys.argv[1]))(keys, rows)
for query in rows[:9]:
    print(*(of.tolist() for of in store.search(query, 200)))
"""


@pytest.mark.parametrize("name", [*STORES, "ivf"])
def test_equal_scores_come_in_the_same_order_in_every_run(name: str) -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", TIES, name],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "OMP_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2", "2")
    }
    assert len(said) == 1
    assert said.pop().count("\n") == 9


@pytest.mark.parametrize("n", [0, 1, 40])
def test_saved_and_loaded_it_is_the_same(store: type[VectorStore], n: int, tmp_path: Path) -> None:
    keys = np.arange(n, dtype=np.int64) * 3
    vectors = unit_rows(n)
    store(keys, vectors).save(tmp_path / "vectors.bin")
    held = store.load(tmp_path / "vectors.bin", keys)
    assert len(held) == n
    query = unit_rows(1, seed=9)[0]
    assert_same(held.search(query, 10), reference(keys, vectors, query, 10))
    held.save(tmp_path / "again.bin")
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "vectors.bin").read_bytes()


@pytest.mark.parametrize("k", [1, 5, 30, 200])
def test_a_search_among_some_is_that_of_a_store_of_them(
    store: type[VectorStore], k: int, tmp_path: Path
) -> None:
    keys = np.random.default_rng(6).permutation(10_000)[:300].astype(np.int64)
    vectors = unit_rows(5)[np.arange(300) % 5] if k == 5 else unit_rows(300)  # with ties
    store(keys, vectors).save(tmp_path / "vectors.bin")
    for held in (store(keys, vectors), store.load(tmp_path / "vectors.bin", keys)):
        for some in (keys[:1], keys[10:40], keys[::3], keys, keys[:0]):
            among, rows = np.sort(some), vectors[np.isin(keys, some)]
            for query in unit_rows(5, seed=7):
                wanted = reference(keys[np.isin(keys, some)], rows, query, k)
                assert_same(held.search(query, k, among), wanted)


def test_no_results_are_asked_for(store: type[VectorStore]) -> None:
    keys, scores = store(np.arange(3, dtype=np.int64), unit_rows(3)).search(unit_rows(1)[0], 0)
    assert (len(keys), len(scores)) == (0, 0)


def test_duplicate_keys_are_refused(store: type[VectorStore]) -> None:
    with pytest.raises(ValueError, match="duplicate keys"):
        store(np.array([1, 2, 1]), unit_rows(3))


def test_other_keys_than_the_files_are_refused(store: type[VectorStore], tmp_path: Path) -> None:
    store(np.arange(3, dtype=np.int64), unit_rows(3)).save(tmp_path / "vectors.bin")
    with pytest.raises(ValueError, match="3 vectors for 2 passages"):
        store.load(tmp_path / "vectors.bin", np.arange(2, dtype=np.int64))


def test_searching_from_many_threads(store: type[VectorStore]) -> None:
    keys, vectors = np.arange(500, dtype=np.int64), unit_rows(500)
    held = store(keys, vectors)
    queries = list(unit_rows(64, seed=10))
    with ThreadPoolExecutor(8) as pool:
        for query, found in zip(
            queries, pool.map(lambda q: held.search(q, 9), queries), strict=True
        ):
            assert_same(found, reference(keys, vectors, query, 9))


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from rag.index.vectors import store_named
from rag.index.ivf import IvfStore
store = IvfStore if sys.argv[1] == "ivf" else store_named(sys.argv[1])
store = store(np.arange(500), np.random.default_rng(1).random((500, 24), np.float32))
store.save(Path(sys.argv[2]))
size = Path(sys.argv[2]).stat().st_size
for missing in (1, 20_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size - missing, resource.RLIM_INFINITY))
    try:
        store.save(Path(sys.argv[2]))
    except OSError as error:
        print(error.errno)
"""


@pytest.mark.parametrize("name", [*STORES, "ivf"])
def test_a_disk_that_fills_up_is_noticed(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, name, str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(errno.EFBIG)] * 2


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"Unknown vector store 'fais'. Known: faiss, numpy"):
        store_named("fais")
