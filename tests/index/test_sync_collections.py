"""A file of several articles is synced row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import pytest

from rag.config import Config
from rag.index.index import Index
from rag.index.sync import sync
from rag.ingest.article import FilePart, sha256
from rag.ingest.formats import COLLECTIONS
from rag.ingest.loaders.text import load_text
from rag.models.encoder import HashedEncoder, Spans
from rag.types import Changes, Vectors

ROWS = [f"Row {word}\n\nThe {word} boat left the harbour." for word in "one two three four".split()]


class RecordingEncoder(HashedEncoder):
    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        self.encoded.extend(texts)
        return super().encode_passages(texts, spans)


def load_rows(path: str, data: bytes, _: Config) -> Iterable[FilePart]:
    for n, row in enumerate(data.split(b"\n--\n"), start=1):
        yield FilePart(f"{path}/{n}", sha256(row), partial(load_text, f"{path}/{n}", row))


@pytest.fixture(autouse=True)
def _rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COLLECTIONS, ".rows", load_rows)


def write(folder: Path, rows: Sequence[str], name: str = "boats.rows") -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n--\n".join(rows))


class Folder:
    """A folder of articles with its index."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.articles, self.index, self.config = folder / "articles", folder / "index", config
        self.encoder = RecordingEncoder()

    def write(self, rows: Sequence[str], name: str = "boats.rows") -> None:
        write(self.articles, rows, name)

    def sync(self) -> Changes:
        self.encoder.encoded.clear()
        changes = sync(self.articles, self.index, self.config, self.encoder)
        assert self.stored() == self.expected()
        return changes

    def stored(self) -> dict[str, str]:
        index = Index.open(self.index, self.config, self.encoder)
        found = {summary.path: index.article(summary.path).text for summary in index.contents()}
        for path in found:
            assert index.sentences(path)
        index.close()
        return found

    def expected(self) -> dict[str, str]:
        return {
            f"{file.name}/{n}": row
            for file in self.articles.glob("*.rows")
            for n, row in enumerate(file.read_text().split("\n--\n"), start=1)
            if row.strip()
        }


@pytest.fixture
def folder(tmp_path: Path, config: Config) -> Folder:
    """Four rows, indexed."""
    folder = Folder(tmp_path, config)
    folder.write(ROWS)
    assert len(folder.sync().added) == 4
    return folder


def paths(*numbers: int, name: str = "boats.rows") -> tuple[str, ...]:
    return tuple(f"{name}/{n}" for n in numbers)


def test_nothing_changed(folder: Folder) -> None:
    assert folder.sync() == Changes(unchanged=4)
    assert folder.encoder.encoded == []


def test_only_an_edited_row_is_encoded(folder: Folder) -> None:
    folder.write([ROWS[0], "Row new\n\nAnother boat came.", *ROWS[2:]])
    assert folder.sync() == Changes(edited=paths(2), unchanged=3)
    assert folder.encoder.encoded == ["Row new\nAnother boat came."]


def test_rows_that_move_are_not_encoded(folder: Folder) -> None:
    folder.write(["Row new\n\nAnother boat came.", *ROWS])
    assert folder.sync() == Changes(added=paths(1), renamed=paths(2, 3, 4, 5))
    assert len(folder.encoder.encoded) == 1
    folder.write(ROWS[1:])
    changes = folder.sync()
    assert (changes.renamed, len(changes.removed)) == (paths(1, 2, 3), 2)
    assert folder.encoder.encoded == []
    folder.write(ROWS[:0:-1])
    assert folder.sync() == Changes(renamed=paths(1, 3), unchanged=1)
    assert folder.encoder.encoded == []


def test_a_renamed_collection_is_not_encoded(folder: Folder) -> None:
    (folder.articles / "boats.rows").rename(folder.articles / "ships.rows")
    assert folder.sync() == Changes(renamed=paths(1, 2, 3, 4, name="ships.rows"))
    assert folder.encoder.encoded == []


def test_a_row_that_cannot_be_read_is_skipped_and_the_rest_go_in(folder: Folder) -> None:
    folder.write([ROWS[0], " ", *ROWS[2:]])
    expected = Changes(removed=paths(2), unchanged=3, skipped=(("boats.rows/2", "is empty"),))
    assert folder.sync() == expected
    assert folder.sync() == Changes(unchanged=3, skipped=(("boats.rows/2", "is empty"),))


def test_equal_rows_are_all_kept(folder: Folder) -> None:
    folder.write([ROWS[0], ROWS[0], ROWS[0]])
    changes = folder.sync()
    assert (changes.edited, changes.removed, changes.unchanged) == (paths(2, 3), paths(4), 1)
    folder.write([ROWS[0]])
    assert folder.sync() == Changes(removed=paths(2, 3), unchanged=1)


def test_a_removed_collection_leaves_nothing(folder: Folder) -> None:
    folder.write(["Row one\n\nOther words."], "other.rows")
    folder.sync()
    (folder.articles / "boats.rows").unlink()
    assert folder.sync().removed == paths(1, 2, 3, 4)


def test_a_row_may_move_to_another_collection(folder: Folder) -> None:
    folder.write(ROWS[:1], "a.rows")
    folder.write(ROWS[1:])
    folder.sync()
