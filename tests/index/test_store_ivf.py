"""Inverted lists: what they find is measured and recorded, and comes and goes with the size."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.cli import output
from rag.config import Config
from rag.errors import IndexCorrupt
from rag.index import ivf as store_ivf
from rag.index.database import Database
from rag.index.index import Index
from rag.index.ivf import (
    NEAREST,
    IvfStore,
    choose_store,
    described,
    likely_queries,
    nearest,
    number_of_lists,
    open_store,
)
from rag.index.sync import repair, sync
from rag.index.vectors import FaissStore, NumpyStore, Rows
from rag.models.encoder import HashedEncoder
from rag.types import Changes, Keys, Vectors

DIM = 24


def unit(rows: Vectors) -> Vectors:
    made: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return made


def topics(n: int, seed: int = 5) -> Rows:
    """Rows about thirty topics, some alike, as passages are."""
    source = np.random.default_rng(seed)
    centres = unit(source.normal(size=(30, DIM)).astype(np.float32))
    noise = unit(source.normal(size=(n, DIM)).astype(np.float32))
    return unit(centres[source.integers(30, size=n)] + 0.7 * noise).astype(np.float16)


def noise(n: int) -> Rows:
    """Rows without any order, in more dimensions than lists can part."""
    made = np.random.default_rng(3).normal(size=(n, 256)).astype(np.float32)
    return unit(made).astype(np.float16)


def keys_of(rows: Rows) -> Keys:
    return np.arange(len(rows), dtype=np.int64) * 3 + 1


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have lists from a few passages on."""
    monkeypatch.setattr(store_ivf, "IVF_FROM", 8)
    monkeypatch.setattr(store_ivf, "MOST_VISITED", 1.0)


def recall(store: IvfStore, exact: NumpyStore, queries: Vectors) -> float:
    found = [
        len({*store.search(query, NEAREST)[0]} & {*exact.search(query, NEAREST)[0]})
        for query in queries
    ]
    return sum(found) / (NEAREST * len(queries))


def test_the_recall_that_is_recorded_is_that_of_its_searches() -> None:
    rows = topics(4000)
    store, exact = IvfStore(keys_of(rows), rows), NumpyStore(keys_of(rows), rows)
    assert store.measured.lists == 64
    assert 1 < store.measured.probes < 64
    assert store.measured.recall >= store_ivf.RECALL
    queries = likely_queries(rows)
    assert store.measured.queries == len(queries)
    assert recall(store, exact, queries) == pytest.approx(store.measured.recall, abs=0.0011)
    others = likely_queries(rows[::-1])
    assert recall(store, exact, others) > 0.95


def test_of_what_is_visited_the_scores_are_exact() -> None:
    rows = topics(4000)
    store, exact = IvfStore(keys_of(rows), rows), NumpyStore(keys_of(rows), rows)
    for query in likely_queries(rows)[:20]:
        score_of = dict(zip(*(of.tolist() for of in exact.search(query, len(rows))), strict=True))
        keys, scores = store.search(query, 50)
        np.testing.assert_allclose(scores, [score_of[key] for key in keys.tolist()], atol=1e-6)
        assert scores.tolist() == sorted(scores.tolist(), reverse=True)


@pytest.mark.parametrize("k", [300, 3999, 4000, 9000])
def test_more_than_was_visited_can_be_asked_for(k: int) -> None:
    rows = topics(4000)
    store = IvfStore(keys_of(rows), rows)
    keys, scores = store.search(likely_queries(rows)[0], k)
    assert len({*keys.tolist()}) == len(keys) == len(scores) == min(k, 4000)


def test_equal_rows_come_in_order_of_their_keys() -> None:
    rows = np.tile(topics(200), (10, 1))
    keys = np.random.default_rng(4).permutation(len(rows)).astype(np.int64)
    store = IvfStore(keys, rows)
    for n in range(50):
        found, scores = store.search(rows[n].astype(np.float32), 4)
        assert found.tolist() == sorted(keys[n::200].tolist())[:4]
        assert len({*scores.tolist()}) == 1


def test_the_same_rows_make_the_same_file(tmp_path: Path) -> None:
    rows = topics(3000)
    for name in "ab":
        IvfStore(keys_of(rows), rows).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_nearest_rows_are_those_of_exact_search() -> None:
    rows = topics(20_000)
    exact = FaissStore(np.arange(20_000), rows)
    queries = likely_queries(rows)[:30]
    for query, found in zip(queries, nearest(rows, queries), strict=True):
        assert {*found.tolist()} == {*exact.search(query, NEAREST)[0].tolist()}


def test_likely_queries_are_as_far_from_passages_as_questions() -> None:
    rows = topics(4000)
    queries = likely_queries(rows)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1, atol=1e-5)
    best = (queries @ rows.T.astype(np.float32)).max(axis=1)
    assert 0.5 < np.median(best) < 0.85


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, 9, 17])
def test_few_rows(n: int, tmp_path: Path) -> None:
    rows = topics(n)
    store = IvfStore(keys_of(rows), rows)
    assert store.measured.lists == number_of_lists(n) <= n
    store.save(tmp_path / "few")
    for held in (store, IvfStore.load(tmp_path / "few", keys_of(rows))):
        assert sorted(held.search(rows[0].astype(np.float32), n)[0].tolist()) == [*keys_of(rows)]


# Which store.


def test_the_store_is_chosen_by_size_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_ivf, "IVF_FROM", 1000)
    for n, kind in ((999, FaissStore), (1000, IvfStore)):
        rows = topics(n)
        store = choose_store("faiss", keys_of(rows), rows)
        store.save(tmp_path / str(n))
        again = open_store("faiss", described(store), tmp_path / str(n), keys_of(rows))
        assert type(store) is type(again) is kind
        assert described(again) == described(store)
    assert isinstance(choose_store("numpy", keys_of(rows), rows), NumpyStore)
    (tmp_path / "old").write_bytes((tmp_path / "999").read_bytes())  # before there was a choice
    assert len(open_store("faiss", {}, tmp_path / "old", keys_of(topics(999)))) == 999


def test_rows_that_lists_do_not_part_are_searched_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_ivf, "IVF_FROM", 1000)
    rows = noise(2000)
    store = choose_store("faiss", keys_of(rows), rows)
    assert isinstance(store, FaissStore)
    assert described(store) == {"search": "exact"}


# Damage.


def test_another_file_is_refused(tmp_path: Path) -> None:
    rows = topics(500)
    path, keys = tmp_path / "vectors", keys_of(rows)
    IvfStore(keys, rows).save(path)
    data = path.read_bytes()
    for other in (b"", b"\x93NUMPY" + data[6:], data[:-1]):
        path.write_bytes(other)
        with pytest.raises(ValueError, match=r"."):
            IvfStore.load(path, keys)


def built(articles: Path, folder: Path, config: Config) -> Index:
    sync(articles, folder, config, HashedEncoder())
    return Index.open(folder, config, HashedEncoder())


def many(articles: Path, n: int) -> None:
    for at in range(n):
        text = " ".join(f"Boat {at} left harbour {at * m} at {m}." for m in range(6))
        (articles / f"more-{at}.txt").write_text(f"Boats {at}\n\n{text}")


@pytest.fixture
def faiss_config() -> Config:
    return Config(encoder="hashed", generator="extractive", passage_tokens=24, store="faiss")


@pytest.mark.usefixtures("small")
def test_damage_is_found_before_faiss_sees_the_file(
    articles: Path, tmp_path: Path, faiss_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    built(articles, folder, faiss_config).close()
    path = folder / "vectors-1.bin"
    data, source = path.read_bytes(), random.Random(1)

    def seen(*_: object) -> None:
        pytest.fail("a damaged file was read")

    with monkeypatch.context() as patched:
        patched.setattr(IvfStore, "load", seen)
        for n in range(30):
            at = source.randrange(len(data))
            path.write_bytes(data[:at] + (bytes([data[at] ^ 4]) + data[at + 1 :] if n % 2 else b""))
            with pytest.raises(IndexCorrupt, match=r"vectors-1\.bin is damaged"):
                Index.open(folder, faiss_config, HashedEncoder())
    assert "vectors-1.bin" in str(repair(articles, folder, faiss_config, HashedEncoder()).rebuilt)
    again = Index.open(folder, faiss_config, HashedEncoder())
    assert isinstance(again.vectors, IvfStore)
    again.close()


# In an index.


def test_lists_come_when_an_index_has_grown_and_go_when_it_has_shrunk(
    articles: Path, tmp_path: Path, faiss_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_ivf, "IVF_FROM", 60)
    monkeypatch.setattr(store_ivf, "MOST_VISITED", 1.0)
    folder = tmp_path / "index"
    kinds: list[type] = []
    for more in (0, 40, 0):
        for path in articles.glob("more-*"):
            path.unlink()
        many(articles, more)
        index = built(articles, folder, faiss_config)
        kinds.append(type(index.vectors))
        assert index.manifest["vectors"] == described(index.vectors)
        assert len(list(folder.glob("vectors-*"))) == 1
        index.close()
    assert kinds == [FaissStore, IvfStore, FaissStore]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("run", [sync, repair])
def test_lists_in_the_format_of_an_older_version_are_made_again(
    articles: Path, tmp_path: Path, faiss_config: Config, run: Callable[..., Changes]
) -> None:
    folder = tmp_path / "index"
    built(articles, folder, faiss_config).close()
    with closing(Database(folder, write=True)) as database:
        manifest = database.manifest()
        del manifest["vectors"]["format"]
        database.set_manifest(manifest)
    with pytest.raises(IndexCorrupt, match=r"format of an older version.*--repair"):
        Index.open(folder, faiss_config, HashedEncoder())
    changes = run(articles, folder, faiss_config, HashedEncoder())
    assert (changes.unchanged, changes.added) == (4, ())
    assert "older version" in str(changes.rebuilt)
    Index.open(folder, faiss_config, HashedEncoder()).close()


@pytest.mark.usefixtures("small")
def test_what_was_deleted_is_not_found(
    articles: Path, tmp_path: Path, faiss_config: Config
) -> None:
    folder = tmp_path / "index"
    many(articles, 40)
    built(articles, folder, faiss_config).close()
    (articles / "more-7.txt").unlink()
    (articles / "more-8.txt").write_text("Boats 8\n\nNo boat left.")
    index = built(articles, folder, faiss_config)
    assert isinstance(index.vectors, IvfStore)
    keys = [
        key
        for (key,) in sqlite3.connect(folder / "store.sqlite").execute(
            "SELECT id FROM passages ORDER BY id"
        )
    ]
    for question in ("Boat 7 left harbour 7 at 1.", "Which boat left?"):
        found, _ = index.vectors.search(HashedEncoder().encode_texts([question])[0], 10_000)
        assert sorted(found.tolist()) == keys
        articles_of = {index.article_at(p.article).path for p in index.passages(found.tolist())}
        assert "more-7.txt" not in articles_of
        assert "more-6.txt" in articles_of
    index.close()


SAME = """
import sys
from pathlib import Path
from rag.index import ivf as store_ivf
from rag.index.database import Database
from rag.config import Config
from rag.models.encoder import HashedEncoder
from rag.index.sync import sync
store_ivf.IVF_FROM, store_ivf.MOST_VISITED = 8, 1.0
config = Config(encoder="hashed", passage_tokens=24)
sync(Path(sys.argv[1]), Path(sys.argv[2]), config, HashedEncoder())
"""


def test_another_process_writes_the_same_file(articles: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-c", SAME, articles, tmp_path / name], check=True)
    one, two = ((tmp_path / name / "vectors-1.bin").read_bytes() for name in ("one", "two"))
    assert one == two


# For people.


def test_the_command_says_what_is_searched(tmp_path: Path) -> None:
    vectors = {"search": "ivf", "probes": 24, "lists": 512, "recall": 0.9731, "queries": 400}
    say: Callable[..., str] = output.changes
    text = say(Changes(unchanged=9), tmp_path, vectors=vectors)
    assert "Vectors: 24 of 512 lists are searched, which finds 97.3% of the 10 nearest" in text
    assert "Vectors" not in say(Changes(unchanged=9), tmp_path, vectors={"search": "exact"})
