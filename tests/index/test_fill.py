"""New text is found by its words at once; its vectors follow, and are not lost on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import numpy as np
import pytest

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing
from rag.index import embedding as fill_module
from rag.index import sync as sync_module
from rag.index.embedding import Pace, about, fill
from rag.index.index import Index
from rag.index.sync import repair, sync
from rag.models.encoder import HashedEncoder, Spans
from rag.server.background import filling, watching
from rag.types import Vectors

QUESTION = "How much would the repairs of the bridge cost?"
BEHIND = "passages are not embedded yet"
HANGS = 120  # seconds after which a test that waits for another thread gives up


class Slow(HashedEncoder):
    """Remembers what it encoded; may be told to break off after so many calls."""

    def __init__(self, calls: int = 1_000) -> None:
        self.encoded: list[str] = []
        self.calls = calls

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        if not self.calls:
            raise KeyboardInterrupt
        self.calls -= 1
        self.encoded += texts
        return super().encode_passages(texts, spans)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a small folder everything counts as much, and each batch is published."""
    monkeypatch.setattr(sync_module, "FEW_PASSAGES", 0)
    monkeypatch.setattr(fill_module, "BATCH", 2)
    monkeypatch.setattr(fill_module, "STRETCH", 0.0)
    monkeypatch.setattr(fill_module, "SHARE", 0)


@pytest.fixture
def folder(tmp_path: Path, articles: Path, config: Config) -> Path:
    """An index without a vector."""
    sync(articles, tmp_path / "index", config, HashedEncoder(), vectors=False)
    return tmp_path / "index"


@pytest.fixture
def opened(folder: Path, config: Config) -> Iterator[Callable[[], Index]]:
    indexes: list[Index] = []

    def open_it() -> Index:
        indexes.append(Index.open(folder, config, HashedEncoder()))
        return indexes[-1]

    yield open_it
    for index in indexes:
        index.close()


def noting(rag: Rag, done: Queue[str | int]) -> Callable[[Callable[[], bool]], int]:
    """Return the filling in of an index; what is left at each end is put into the queue."""

    def fill_in(until: Callable[[], bool]) -> int:
        left = rag.fill(until)
        done.put(left)
        return left

    return fill_in


def until(last: str | int, done: Queue[str | int]) -> list[str | int]:
    """Wait for what comes out of a queue; return what came before it."""
    return list(iter(lambda: done.get(timeout=HANGS), last))


def everything(index: Index) -> list[tuple[str, int, bytes, bytes]]:
    keys, _ = index.vectors.search(HashedEncoder().encode_texts(["x"])[0], 1_000)
    return sorted(
        (
            index.article_at(of.article).path,
            of.passage.start,
            of.vector.tobytes(),
            of.sentence_vectors.tobytes(),
        )
        for of in index.passages(keys.tolist())
    )


def test_words_are_found_before_there_is_a_vector(folder: Path, config: Config) -> None:
    with Rag.open(folder, config) as rag:
        assert len(rag.index.vectors) == 0
        total = rag.index.unembedded
        assert total == rag.index.lexical.passages > 4
        before = rag.answer(QUESTION)
        assert "$4 million" in before.claims[0].text
        assert before.notes == (
            f"{total} of {total} passages are not embedded yet: "
            "for now they are found by their words alone.",
        )
        assert BEHIND in before.text
        assert fill(folder, config, HashedEncoder()) == 0
        assert rag.answer(QUESTION).notes == before.notes  # the state that it has opened
        assert rag.refresh()
        after = rag.answer(QUESTION)
        assert (after.notes, after.claims) == ((), before.claims)
        assert after.evidence[0] == before.evidence[0]


def test_vectors_made_while_searching_are_those_that_are_stored(
    opened: Callable[[], Index], folder: Path, config: Config
) -> None:
    before = opened()
    keys = [3, 1, 2, 3]
    meanwhile = before.passages(keys)
    assert before.passages(keys)[0].vector is meanwhile[0].vector  # made once
    fill(folder, config, HashedEncoder())
    for made, stored in zip(meanwhile, opened().passages(keys), strict=True):
        assert (made.key, made.passage) == (stored.key, stored.passage)
        assert np.array_equal(made.vector, stored.vector)
        assert np.array_equal(made.sentence_vectors, stored.sentence_vectors)


def test_filling_makes_what_a_sync_at_once_makes(
    opened: Callable[[], Index], folder: Path, articles: Path, config: Config, tmp_path: Path
) -> None:
    seen: list[tuple[int, int]] = []
    fill(folder, config, HashedEncoder(), lambda done, total: seen.append((done, total)))
    total = opened().lexical.passages
    assert seen == [(min(2 * n, total), total) for n in range(total // 2 + 1 + total % 2)]
    sync(articles, tmp_path / "other", config, HashedEncoder())
    other = Index.open(tmp_path / "other", config, HashedEncoder())
    assert everything(opened()) == everything(other)
    other.close()


def test_what_was_embedded_before_an_interruption_is_kept(
    opened: Callable[[], Index], folder: Path, articles: Path, config: Config
) -> None:
    total = opened().lexical.passages
    breaking = Slow(calls=2)
    with pytest.raises(KeyboardInterrupt):
        fill(folder, config, breaking)
    assert len(opened().vectors) == len(breaking.encoded) == 4
    rest = Slow()
    assert not sync(articles, folder, config, rest).any()
    assert len(rest.encoded) == total - 4
    assert not {*rest.encoded} & {*breaking.encoded}
    assert opened().unembedded == 0


def test_it_ends_when_it_is_told_to_and_says_what_is_left(
    opened: Callable[[], Index], folder: Path, config: Config
) -> None:
    total = opened().lexical.passages
    assert fill(folder, config, HashedEncoder(), until=lambda: True) == total - 2
    assert opened().unembedded == total - 2
    assert fill(folder, config, HashedEncoder()) == 0
    encoder = Slow()
    assert fill(folder, config, encoder) == 0
    assert encoder.encoded == []


def test_a_few_new_passages_are_embedded_with_their_text(
    opened: Callable[[], Index],
    folder: Path,
    articles: Path,
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(folder, config, HashedEncoder())
    generation = opened().manifest["generation"]
    monkeypatch.setattr(sync_module, "FEW_PASSAGES", 32)
    (articles / "new.txt").write_text("A museum\n\nA museum was opened in Lisk. It is small.\n")
    sync(articles, folder, config, HashedEncoder(), vectors=False)
    assert (opened().unembedded, opened().manifest["generation"]) == (0, generation + 1)


def test_equal_text_is_embedded_once(articles: Path, config: Config, tmp_path: Path) -> None:
    (articles / "copy.txt").write_bytes((articles / "ferry.txt").read_bytes())
    encoder = Slow()
    sync(articles, tmp_path / "new", config, encoder)
    index = Index.open(tmp_path / "new", config, encoder)
    assert index.unembedded == 0
    in_batches = len(encoder.encoded)
    index.close()
    assert in_batches <= len({*encoder.encoded}) + 2  # copies in two batches


def test_what_is_deleted_is_not_embedded(
    opened: Callable[[], Index], folder: Path, articles: Path, config: Config
) -> None:
    (articles / "ferry.txt").unlink()
    encoder = Slow()
    sync(articles, folder, config, encoder)
    assert encoder.encoded
    assert not any("Lisk leaves" in text for text in encoder.encoded)
    assert opened().unembedded == 0


def test_other_settings_and_no_index_are_refused(
    folder: Path, config: Config, tmp_path: Path
) -> None:
    class Other(HashedEncoder):
        fingerprint = "another"

    with pytest.raises(IndexMismatch, match="encoder_hash"):
        fill(folder, config, Other())
    with pytest.raises(IndexMissing, match="There is no index in"):
        fill(tmp_path / "nowhere", config, HashedEncoder())
    assert not (tmp_path / "nowhere").exists()


def test_damage_to_the_words_is_not_sealed_by_filling(
    opened: Callable[[], Index], folder: Path, articles: Path, config: Config
) -> None:
    path = next(path for path in (folder / "lexical-1").iterdir() if path.suffix == ".term")
    path.write_bytes(path.read_bytes()[::-1])
    fill(folder, config, HashedEncoder())
    with pytest.raises(IndexCorrupt, match="is damaged"):
        opened()
    repair(articles, folder, config, HashedEncoder())
    assert opened().unembedded == 0


def test_a_new_file_does_not_wait_for_the_vectors_of_others(
    articles: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, released = threading.Event(), threading.Event()

    class Waiting(Slow):
        def encode_passages(
            self, texts: Sequence[str], spans: Sequence[Spans]
        ) -> tuple[Vectors, list[Vectors]]:
            if threading.current_thread().name == "watch":
                asked.set()
                assert released.wait(HANGS)
            return super().encode_passages(texts, spans)

    monkeypatch.setattr("rag.answering.pipeline.load_encoder", lambda *_: Waiting())
    with Rag.for_articles(articles, config, tmp_path / "index", vectors=False) as rag:
        done: Queue[str | int] = Queue()
        with watching(
            articles, lambda: rag.sync(articles, vectors=False), done.put, 0.05, noting(rag, done)
        ):
            assert asked.wait(HANGS)
            (articles / "new.txt").write_text("A museum\n\nA museum was opened in Lisk.\n")
            released.set()
            before = until("Articles: 1 added, 4 unchanged.", done)
            assert all(isinstance(left, int) and left for left in before)  # told to end
            until(0, done)
            assert rag.refresh()
            assert rag.behind() == ""
            assert "museum" in rag.search("What was opened in Lisk?").evidence[0].quote


def test_the_chat_fills_in_behind(folder: Path, config: Config) -> None:
    done: Queue[str | int] = Queue()
    with Rag.open(folder, config) as rag, filling(noting(rag, done)):
        until(0, done)
        assert rag.refresh()
        assert rag.behind() == ""


def test_a_failure_behind_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()

    def fails(_until: object) -> int:
        done.set()
        raise IndexCorrupt("The disk is full.")

    with filling(fails):
        assert done.wait(HANGS)
        for thread in threading.enumerate():
            if thread.name == "watch":
                thread.join(HANGS)
    assert caplog.messages == ["Not all passages are embedded: The disk is full."]


def test_the_time_left_is_told_from_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((0.0, 5.0, 50.0))
    # Not the clock of all: servers of other tests may still be running.
    clock = SimpleNamespace(monotonic=lambda: next(times))
    monkeypatch.setattr("rag.index.embedding.time", clock)
    pace, left = Pace(), []
    for done in (10, 20, 100):
        pace(done, 100)
        left.append(pace.seconds)
    assert left == [None, 40.0, None]
    assert [about(s) for s in (1, 42, 200, 8_000)] == [
        "about 5 seconds",
        "about 40 seconds",
        "about 3 minutes",
        "about 2 hours",
    ]
