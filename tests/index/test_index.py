"""An index says what was indexed, or says that it is damaged; a reader sees one state of it."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag.config import Config
from rag.errors import ArticleError, IndexCorrupt, IndexMissing, RagError
from rag.index import index as index_module
from rag.index.database import Database
from rag.index.index import Index
from rag.index.lexical import LexicalIndex
from rag.index.manifest import verify_files
from rag.index.sync import plan, sync
from rag.models.encoder import HashedEncoder
from rag.text.terms import terms

PATHS = ["bridge.txt", "café.txt", "ferry.txt", "islands/owls.md"]
QUESTION = "When does the ferry to Lisk leave?"


def everything(index: Index) -> list[object]:
    """Read all that an index can tell, as values that can be compared."""
    contents = index.contents()
    articles = [index.article(summary.path) for summary in contents]
    sentences = [index.sentences(summary.path) for summary in contents]
    keys, scores = index.vectors.search(HashedEncoder().encode_texts([QUESTION])[0], 1000)
    found, found_scores = index.lexical.search(terms(QUESTION), 1000)
    passages = [
        (
            stored.key,
            stored.passage,
            stored.vector.tobytes(),
            stored.sentence_vectors.tobytes(),
            index.article_at(stored.article),
        )
        for stored in index.passages(keys.tolist())
    ]
    searched = [keys.tolist(), scores.tolist(), found.tolist(), found_scores.tolist()]
    return [contents, articles, sentences, passages, searched]


def read(folder: Path, config: Config) -> list[object]:
    index = Index.open(folder, config, HashedEncoder())
    try:
        return everything(index)
    finally:
        index.close()


# What it says.


def test_contents(index: Index, articles: Path) -> None:
    contents = index.contents()
    assert [summary.path for summary in contents] == PATHS
    assert contents[0].title == "Harbour bridge closes for repairs"
    assert (contents[0].published, contents[0].source) == ("2024-03-08", "The Port Herald")
    assert [summary.sentences for summary in contents] == [4, 3, 3, 2]
    assert contents[2].characters == len((articles / "ferry.txt").read_text())


def test_every_sentence_is_a_slice_of_its_file(index: Index, articles: Path) -> None:
    for path in PATHS:
        text = (articles / path).read_bytes().decode()
        assert index.article(path).text == text
        quotes = [text[s.start : s.end] for s in index.sentences(path)]
        assert all(quote.endswith((".", "”")) for quote in quotes)
        assert not any("Published" in quote for quote in quotes)


def test_vectors_terms_and_passages_are_under_the_same_keys(index: Index) -> None:
    encoder = HashedEncoder()
    keys, scores = index.vectors.search(encoder.encode_texts([QUESTION])[0], 100)
    assert sorted(keys.tolist()) == list(range(1, len(keys) + 1)) == list(range(1, 9))
    for key, score in zip(keys.tolist(), scores.tolist(), strict=True):
        (stored,) = index.passages([key])
        article = index.article_at(stored.article)
        text = f"{article.title}\n{article.text[stored.passage.start : stored.passage.end]}"
        wanted = float(encoder.encode_texts([text])[0] @ encoder.encode_texts([QUESTION])[0])
        assert score == pytest.approx(wanted, abs=1e-3)
        for word in terms(text):
            assert key in index.lexical.search([word], 100)[0]


def test_passages_come_in_the_order_of_their_keys(index: Index) -> None:
    assert [stored.key for stored in index.passages([5, 1, 3, 1])] == [5, 1, 3, 1]
    assert index.passages([]) == []
    assert [p.key for p in index.passages(np.array([2, 1]))] == [2, 1]
    many = [1 + n % 6 for n in range(1300)]
    assert [stored.key for stored in index.passages(many)] == many


def test_what_is_not_there(index: Index) -> None:
    with pytest.raises(ArticleError, match=r"There is no article 'x.txt' in the index\."):
        index.article("x.txt")
    with pytest.raises(ArticleError):
        index.sentences("x.txt")
    with pytest.raises(IndexCorrupt, match="passage row 99 fails its checksum"):
        index.passages([1, 99])


def test_more_articles_than_are_kept(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "CACHED_ARTICLES", 2)
    for _ in range(2):
        assert [index.article(path).path for path in PATHS] == PATHS


def test_reading_from_many_threads(index: Index) -> None:
    wanted = everything(index)
    with ThreadPoolExecutor(8) as pool:
        assert all(got == wanted for got in pool.map(lambda _: everything(index), range(40)))


def test_every_store_finds_the_same(
    articles: Path, config: Config, encoder: HashedEncoder, tmp_path: Path, index: Index
) -> None:
    other = replace(config, store="faiss")
    sync(articles, tmp_path / "faiss", other, encoder)
    found, wanted = read(tmp_path / "faiss", other), everything(index)
    assert found[:4] == wanted[:4]
    assert found[4][0] == wanted[4][0]  # type: ignore[index]
    np.testing.assert_allclose(found[4][1], wanted[4][1], atol=1e-6)  # type: ignore[index]


# One state of it.


def test_a_reader_keeps_its_state_while_others_write(
    index: Index, articles: Path, config: Config, encoder: HashedEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    early = Index.open(folder, config, encoder)  # has read nothing yet when the writer commits
    wanted = everything(index)
    for n in range(3):
        (articles / "bridge.txt").write_text(f"New bridge {n}\n\nAll of it is new, {n} times.")
        (articles / PATHS[n + 1]).unlink()
        sync(articles, folder, config, encoder)
        assert not list(folder.glob("*-1*"))
        assert everything(index) == wanted
        assert read(folder, config) != wanted
    assert everything(early) == wanted
    early.close()


def test_files_replaced_while_opening(
    index: Index,
    articles: Path,
    config: Config,
    encoder: HashedEncoder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "index"
    (articles / "ferry.txt").unlink()

    def sync_first(index_folder: Path, files: dict[str, dict[str, Any]]) -> None:
        monkeypatch.undo()
        sync(articles, folder, config, encoder)
        verify_files(index_folder, files)

    monkeypatch.setattr(index_module, "verify_files", sync_first)
    opened = Index.open(folder, config, encoder)
    assert [summary.path for summary in opened.contents()] == [PATHS[0], PATHS[1], PATHS[3]]
    opened.close()


# Damage.


@pytest.fixture
def folder(index: Index, tmp_path: Path) -> Path:
    index.close()
    return tmp_path / "index"


def test_a_missing_index(tmp_path: Path, config: Config, encoder: HashedEncoder) -> None:
    with pytest.raises(IndexMissing, match=r"no index in .*nowhere. Build it with: python -m rag"):
        Index.open(tmp_path / "nowhere", config, encoder)
    Database(tmp_path, write=True).close()  # as a first build that was killed leaves it
    with pytest.raises(IndexMissing, match="was never finished"):
        Index.open(tmp_path, config, encoder)


def test_a_first_build_that_ends_at_once_leaves_no_damage(
    articles: Path,
    config: Config,
    encoder: HashedEncoder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ends(Database):
        left = 0  # statements

        def execute(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
            return super().execute(sql, values)

    folder = tmp_path / "index"
    for statement in range(1, 16):  # each of those that make the store
        with monkeypatch.context() as patched:
            patched.setattr("rag.index.sync.Database", Ends)
            Ends.left = statement
            with pytest.raises(KeyboardInterrupt):
                sync(articles, folder, config, encoder)
        with pytest.raises(IndexMissing, match="was never finished"):
            Index.open(folder, config, encoder)
        assert len(plan(articles, folder, config, encoder).added) == 4
        assert len(sync(articles, folder, config, encoder).added) == 4
        shutil.rmtree(folder)


def test_a_lost_store_is_damage_where_search_files_are(
    folder: Path, config: Config, encoder: HashedEncoder
) -> None:
    (folder / "store.sqlite").write_bytes(b"")
    with pytest.raises(IndexCorrupt, match="Repair it with"):
        Index.open(folder, config, encoder)


def positions(size: int, source: random.Random) -> set[int]:
    pages = [at for page in range(0, size, 4096) for at in (page, page + 3, page + 9) if at < size]
    return {
        0,
        18,
        28,
        size // 2,
        size - 1,
        *pages,
        *(source.randrange(size) for _ in range(24)),
    } & {*range(size)}


def test_a_flipped_byte_is_caught_or_harmless(folder: Path, config: Config) -> None:
    source = random.Random(13)
    wanted = read(folder, config)
    caught: dict[str, int] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name.endswith(".lock"):
            continue
        whole = path.read_bytes()
        for position in positions(len(whole), source):
            flipped = bytearray(whole)
            flipped[position] ^= source.choice([1, 4, 32, 128, 255])
            path.write_bytes(flipped)
            try:
                got = read(folder, config)
            except RagError:
                caught[path.name] = caught.get(path.name, 0) + 1
            else:
                assert got == wanted, (path, position)
                assert path.name == "store.sqlite", (path, position)
            for beside in folder.glob("store.sqlite-*"):
                beside.unlink()
        path.write_bytes(whole)
        assert caught[path.name] > 10
    assert len(caught) >= 5
    assert read(folder, config) == wanted


def test_a_truncated_or_missing_file_is_caught(folder: Path, config: Config) -> None:
    wanted = read(folder, config)
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name.endswith(".lock"):
            continue
        whole = path.read_bytes()
        for length in (0, 1, len(whole) // 3, len(whole) // 2, len(whole) - 1, None):
            if length is None:
                path.unlink()
            else:
                path.write_bytes(whole[:length])
            with pytest.raises((IndexCorrupt, IndexMissing), match="python -m rag index"):
                read(folder, config)
            for beside in folder.glob("store.sqlite-*"):
                beside.unlink()
        path.write_bytes(whole)
    assert read(folder, config) == wanted


def test_damage_after_opening_is_caught_when_it_is_read(folder: Path, config: Config) -> None:
    index = Index.open(folder, config, HashedEncoder())
    path = folder / "store.sqlite"
    data = path.read_bytes()
    damaged = data.replace(b"Snowy owls were", b"Snowy owls are ")
    assert damaged != data
    with path.open("r+b") as file:
        file.write(damaged)
    try:
        assert index.article("bridge.txt").path == "bridge.txt"
        with pytest.raises(IndexCorrupt, match=r"article row \d fails its checksum"):
            index.article("islands/owls.md")
        with pytest.raises(IndexCorrupt):
            index.contents()
    finally:
        index.close()


STATEMENTS = [
    ('UPDATE manifest SET value = replace(value, \'"sha256": "\', \'"sha256": "0\')', "manifest"),
    ("UPDATE manifest SET row_hash = ''", "manifest"),
    ("DELETE FROM manifest", "manifest"),
    ("DELETE FROM passages WHERE id = 3", "8 vectors for 7 passages"),
    ("UPDATE passages SET id = 0 WHERE id = 3", "passage row 0"),
    ("UPDATE passages SET spans = zeroblob(length(spans))", "passage row"),
    ("UPDATE passages SET vector = zeroblob(length(vector))", "passage row"),
    ("UPDATE passages SET sentence_vectors = CAST('x' AS BLOB)", "passage row"),
    ("UPDATE passages SET article = 3 - article WHERE article < 3", "passage row"),
    ("UPDATE articles SET id = -id", "article row"),
    ("UPDATE articles SET title = CAST(x'ff' AS TEXT)", "Could not decode"),
    ("UPDATE articles SET body_start = 0", "article row"),
    ("UPDATE articles SET sentences = 1", "article row"),
    ("DROP TABLE passages", "no such table"),
]


@pytest.mark.parametrize(("statement", "what"), STATEMENTS)
def test_a_changed_row_is_caught(folder: Path, config: Config, statement: str, what: str) -> None:
    connection = sqlite3.connect(folder / "store.sqlite")
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(IndexCorrupt, match=what):
        read(folder, config)


def test_passages_missing_from_an_article_are_noticed(folder: Path, config: Config) -> None:
    index = Index.open(folder, config, HashedEncoder())
    other = sqlite3.connect(folder / "store.sqlite")
    index._database.rollback()  # let it see what follows
    other.execute("UPDATE passages SET article = 77 WHERE id = 1")
    other.commit()
    other.close()
    with pytest.raises(IndexCorrupt, match="lacks passages"):
        index.sentences("bridge.txt")
    index.close()


def test_vectors_of_another_generation_are_refused(
    folder: Path, config: Config, articles: Path, encoder: HashedEncoder, tmp_path: Path
) -> None:
    shutil.copy(folder / "vectors-1.bin", tmp_path / "old.bin")
    (articles / "ferry.txt").unlink()
    sync(articles, folder, config, encoder)
    shutil.copy(tmp_path / "old.bin", folder / "vectors-2.bin")
    with pytest.raises(IndexCorrupt, match=r"vectors-2\.bin is damaged"):
        read(folder, config)


def test_a_file_that_the_checksums_accept_and_the_libraries_do_not(
    folder: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "verify_files", lambda *_: None)
    for name in ("vectors-1.bin", "lexical-1/meta.json"):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(IndexCorrupt, match="cannot be opened"):
            read(folder, config)
        (folder / name).write_bytes(whole)
    assert LexicalIndex.open(folder / "lexical-1").passages == 8
