"""The folder is the truth: every change is reflected exactly, and a failure changes nothing."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag import config as config_module
from rag.config import Config
from rag.errors import (
    ArticleError,
    IndexCorrupt,
    IndexMismatch,
    IndexMissing,
    RagError,
    UnknownName,
)
from rag.index import manifest as manifest_module
from rag.index.database import Database
from rag.index.embedding import fill, header
from rag.index.index import Index
from rag.index.sync import repair, sync
from rag.ingest.article import FilePart
from rag.ingest.folder import ArticleFile
from rag.models.encoder import HashedEncoder, Spans
from rag.types import Article, Changes, Vectors

CORRECTION = "The bridge opened again on Monday."


class RecordingEncoder(HashedEncoder):
    """Remembers the passages that it encoded; may be told to break off."""

    def __init__(self) -> None:
        self.encoded: list[str] = []
        self.breaks: BaseException | None = None

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        if self.breaks:
            raise self.breaks
        self.encoded.extend(texts)
        return super().encode_passages(texts, spans)


@pytest.fixture
def encoder() -> RecordingEncoder:
    return RecordingEncoder()


@pytest.fixture
def folder(tmp_path: Path, articles: Path, config: Config, encoder: RecordingEncoder) -> Path:
    """The folder of an index of ``articles``; nothing is recorded yet."""
    sync(articles, tmp_path / "index", config, encoder)
    encoder.encoded.clear()
    return tmp_path / "index"


def texts(folder: Path, config: Config) -> dict[str, str]:
    """Open the index, check it against itself, and return {path: text}."""
    encoder = HashedEncoder()
    index = Index.open(folder, config, encoder)
    try:
        found = {}
        keys = index.vectors.search(encoder.encode_texts(["x"])[0], 10_000)[0]
        assert index.lexical.passages == len(keys)
        of_article: dict[str, list[object]] = {}
        for stored in sorted(index.passages(keys.tolist()), key=lambda stored: stored.key):
            path = index.article_at(stored.article).path
            of_article.setdefault(path, []).extend(stored.passage.sentences)
            assert len(stored.sentence_vectors) == len(stored.passage.sentences)
        for summary in index.contents():
            article = index.article(summary.path)
            assert list(index.sentences(summary.path)) == of_article.get(summary.path, [])
            assert summary.sentences == len(index.sentences(summary.path))
            assert (summary.title, summary.characters) == (article.title, len(article.text))
            found[summary.path] = article.text
        return found
    finally:
        index.close()


def of_files(articles: Path) -> dict[str, str]:
    return {
        path.relative_to(articles).as_posix(): path.read_bytes().decode()
        for path in articles.rglob("*.*")
    }


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


# What changes.


def test_first_build(
    tmp_path: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    seen: list[tuple[int, int]] = []
    changes = sync(
        articles, tmp_path / "new" / "index", config, encoder, lambda *at: seen.append(at)
    )
    assert changes == Changes(added=("bridge.txt", "café.txt", "ferry.txt", "islands/owls.md"))
    assert str(changes) == "4 added, 0 unchanged"
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert texts(tmp_path / "new" / "index", config) == of_files(articles)
    first = "Harbour bridge closes for repairs\nThe Harbour Bridge in Maldon"
    assert any(text.startswith(first) for text in encoder.encoded)
    assert not any("Port Herald" in text for text in encoder.encoded)  # metadata


@pytest.mark.parametrize("touched", [False, True])
def test_no_change_costs_nothing(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder, touched: bool
) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*-1*/*")}
    if touched:
        for path in articles.rglob("*.txt"):
            os.utime(path, (1, 1))
    assert sync(articles, folder, config, encoder) == Changes(unchanged=4)
    assert encoder.encoded == []
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*-1*/*")} == before


def test_an_edit(folder: Path, articles: Path, config: Config, encoder: RecordingEncoder) -> None:
    (articles / "bridge.txt").write_text(f"Harbour bridge\n\n{CORRECTION}")
    assert sync(articles, folder, config, encoder) == Changes(edited=("bridge.txt",), unchanged=3)
    assert encoder.encoded == [f"Harbour bridge\n{CORRECTION}"]
    assert texts(folder, config) == of_files(articles)
    assert b"Okoye" not in everything_in(folder)


def test_a_rename_embeds_nothing(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    (articles / "bridge.txt").rename(articles / "islands" / "renamed.md")
    changes = sync(articles, folder, config, encoder)
    assert changes == Changes(renamed=("islands/renamed.md",), unchanged=3)
    assert encoder.encoded == []
    assert texts(folder, config) == of_files(articles)
    assert sync(articles, folder, config, encoder) == Changes(unchanged=4)


def test_a_rename_changes_a_title_that_is_the_files_name(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    (articles / "old_name.txt").write_text("Source: X\nA sentence about tides.")
    sync(articles, folder, config, encoder)
    (articles / "old_name.txt").rename(articles / "new_name.txt")
    encoder.encoded.clear()
    changes = sync(articles, folder, config, encoder)
    assert changes == Changes(added=("new_name.txt",), removed=("old_name.txt",), unchanged=4)
    assert encoder.encoded == ["new name\nA sentence about tides."]


def test_swapped_and_shifted_names(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    (articles / "ferry.txt").rename(articles / "third.txt")
    (articles / "bridge.txt").rename(articles / "ferry.txt")
    sync(articles, folder, config, encoder)
    assert texts(folder, config) == of_files(articles)
    (articles / "ferry.txt").rename(articles / "other")
    (articles / "third.txt").rename(articles / "ferry.txt")
    (articles / "other").rename(articles / "third.txt")
    sync(articles, folder, config, encoder)
    assert texts(folder, config) == of_files(articles)


def test_deleted_text_is_in_no_file(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    assert b"Okoye" in everything_in(folder)
    (articles / "bridge.txt").unlink()
    assert sync(articles, folder, config, encoder) == Changes(removed=("bridge.txt",), unchanged=3)
    assert texts(folder, config) == of_files(articles)
    rest = everything_in(folder)
    for gone in (b"Okoye", b"okoy", b"bridge.txt", "Harbour Bridge".encode("utf-16-le")):
        assert gone not in rest
    assert encoder.encoded == []


def test_deleted_text_is_gone_when_the_last_reader_closes(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    reader = Index.open(folder, config, encoder)
    (articles / "bridge.txt").unlink()
    sync(articles, folder, config, encoder)
    reader.close()
    assert b"Okoye" not in everything_in(folder)


def test_files_with_the_same_content_are_both_indexed(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    (articles / "copy.txt").write_bytes((articles / "ferry.txt").read_bytes())
    assert sync(articles, folder, config, encoder).added == ("copy.txt",)
    assert texts(folder, config) == of_files(articles)
    (articles / "ferry.txt").unlink()
    assert sync(articles, folder, config, encoder).removed == ("ferry.txt",)
    assert texts(folder, config) == of_files(articles)
    (articles / "copy.txt").rename(articles / "a.txt")
    (articles / "b.txt").write_bytes((articles / "a.txt").read_bytes())
    changes = sync(articles, folder, config, encoder)
    assert (changes.renamed, changes.added) == (("a.txt",), ("b.txt",))
    assert texts(folder, config) == of_files(articles)


def test_skipped_files_are_reported_and_their_old_text_is_gone(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    (articles / "binary.txt").write_bytes(bytes(range(256)))
    (articles / "bridge.txt").write_bytes(b"")
    (articles / "ferry.txt").write_text("A long text. " * 999)
    changes = sync(articles, folder, replace(config, article_bytes=5000), encoder)
    assert dict(changes.skipped) == {
        "binary.txt": "is a binary file",
        "bridge.txt": "is empty",
        "ferry.txt": "is too large (0.0 MB; the limit is 0 MB)",
    }
    assert changes.removed == ("bridge.txt", "ferry.txt")
    assert str(changes) == "2 removed, 3 skipped, 2 unchanged"
    assert sorted(texts(folder, config)) == ["café.txt", "islands/owls.md"]


def test_an_index_remembers_which_files_could_not_be_read(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    with contextlib.closing(Index.open(folder, config, encoder)) as index:
        assert index.skipped() == ()
        (articles / "empty.txt").write_bytes(b"")
        assert not sync(articles, folder, config, encoder).any()  # no article has changed
        assert index.skipped() == (("empty.txt", "is empty"),)
        assert index.newer(config, encoder) is None  # and no new state is written for it
        (articles / "empty.txt").write_text("Rain\n\nIt rains in Lisk.")
        sync(articles, folder, config, encoder)
        assert index.skipped() == ()


def test_a_file_removed_while_indexing_is_skipped(
    folder: Path,
    articles: Path,
    config: Config,
    encoder: RecordingEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = ArticleFile.parts

    def remove_then_read(file: ArticleFile, config: Config) -> list[FilePart]:
        if file.path == "ferry.txt":
            file.location.unlink()
        return parts(file, config)

    monkeypatch.setattr(ArticleFile, "parts", remove_then_read)
    changes = sync(articles, folder, config, encoder)
    ((path, reason),) = changes.skipped
    assert path == "ferry.txt"
    assert reason == "cannot be read (No such file or directory)"
    assert texts(folder, config) == of_files(articles)


def test_no_index_is_built_of_a_folder_without_articles(
    tmp_path: Path, config: Config, encoder: RecordingEncoder
) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.txt").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(ArticleError, match=r"No article .* Skipped: bad.txt is empty\.$"):
            sync(tmp_path / "bad", tmp_path / "index", config, encoder)
        with pytest.raises(IndexMissing, match="never finished"):
            Index.open(tmp_path / "index", config, encoder)


def test_a_missing_folder_of_articles_makes_no_index(
    tmp_path: Path, config: Config, encoder: RecordingEncoder
) -> None:
    with pytest.raises(ArticleError, match="does not exist"):
        sync(tmp_path / "missing", tmp_path / "index", config, encoder)
    assert not (tmp_path / "index").exists()


def test_an_article_of_marks_alone_is_indexed(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    (articles / "marks.txt").write_text("Marks\n\n***")
    sync(articles, folder, config, encoder)
    assert texts(folder, config) == of_files(articles)


def test_strange_names_are_indexed(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    for name in (b"bad\xff.txt", b"bad\xfe.txt", b"new\nline.txt"):
        Path(os.fsdecode(os.path.join(os.fsencode(articles), name))).write_text(f"T\n\n{name!r}.")  # noqa: PTH118
    changes = sync(articles, folder, config, encoder)
    assert changes.added == ("bad\\xfe.txt", "bad\\xff.txt", "new\nline.txt")
    assert sync(articles, folder, config, encoder) == Changes(unchanged=7)
    assert set(changes.added) < set(texts(folder, config))


def test_the_header_of_a_passage_is_the_title_cut() -> None:
    article = Article("a.txt", "One two three", "text", 0)
    encoder = HashedEncoder()
    assert header(article, encoder, 2) == "One two\n"
    assert header(article, encoder, 9) == "One two three\n"
    assert header(article, encoder, 0) == ""
    assert header(replace(article, title=" "), encoder, 9) == ""


# Settings.

OTHER = [
    ({"passage_tokens": 16}, "passage_tokens is 24 in the index and 16 now", 4, True),
    ({"title_tokens": 1}, "title_tokens is 32 in the index and 1 now", 4, True),
    # What the encoder sees is the same.
    ({"title_tokens": 30}, "title_tokens is 32 in the index and 30 now", 4, False),
    ({"encoder": "other"}, "encoder is 'hashed' in the index and 'other' now", 4, False),
    # Of the search files alone.
    ({"store": "faiss"}, "store is 'numpy' in the index and 'faiss' now", 0, False),
]


@pytest.mark.parametrize(("change", "reason", "added", "embeds"), OTHER)
def test_other_settings_are_refused_and_sync_rebuilds(
    folder: Path,
    articles: Path,
    config: Config,
    encoder: RecordingEncoder,
    change: dict[str, object],
    reason: str,
    added: int,
    embeds: bool,
) -> None:
    other = replace(config, **change)  # type: ignore[arg-type]
    with pytest.raises(IndexMismatch, match=reason) as error:
        Index.open(folder, other, encoder)
    assert f"python -m rag index {articles} --index {folder}" in str(error.value)
    changes = sync(articles, folder, other, encoder)
    assert changes.rebuilt == reason
    assert (len(changes.added), changes.unchanged) == (added, 4 - added)
    assert bool(encoder.encoded) is embeds
    assert texts(folder, other) == of_files(articles)


@pytest.mark.parametrize(
    ("change", "value"), [("decline_below", 0.9), ("candidates", 3), ("answer_tokens", 10)]
)
def test_settings_that_the_index_does_not_depend_on(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder, change: str, value: int
) -> None:
    other = replace(config, **{change: value})  # type: ignore[arg-type]
    assert sync(articles, folder, other, encoder) == Changes(unchanged=4)
    assert texts(folder, other) == of_files(articles)


def test_new_terms_rewrite_the_search_files_and_encode_nothing(
    folder: Path,
    articles: Path,
    config: Config,
    encoder: RecordingEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("rag.config", "rag.index.sync"):
        monkeypatch.setattr(f"{module}.TERMS_VERSION", 99)
    reason = "terms_version is 2 in the index and 99 now"
    with pytest.raises(IndexMismatch, match=reason):
        Index.open(folder, config, encoder)
    encoder.encoded.clear()
    assert sync(articles, folder, config, encoder) == Changes(unchanged=4, rebuilt=reason)
    assert not encoder.encoded
    assert texts(folder, config) == of_files(articles)


def test_another_encoder_under_the_same_name(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    encoder.fingerprint = "retrained"
    with pytest.raises(IndexMismatch, match="encoder_hash is 'hashed-512' in the index and 'retra"):
        Index.open(folder, config, encoder)
    assert str(sync(articles, folder, config, encoder).rebuilt).startswith("encoder_hash is")
    Index.open(folder, config, encoder).close()


def test_another_format_version(
    folder: Path,
    articles: Path,
    config: Config,
    encoder: RecordingEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = config_module.FORMAT_VERSION
    monkeypatch.setattr(config_module, "FORMAT_VERSION", now + 1)
    with pytest.raises(IndexMismatch, match=f"format_version is {now} in the index and {now + 1}"):
        Index.open(folder, config, encoder)
    assert sync(articles, folder, config, encoder).rebuilt
    assert texts(folder, config) == of_files(articles)


def test_tables_of_another_version_are_made_anew_with_the_version_as_the_reason(
    folder: Path,
    articles: Path,
    config: Config,
    encoder: RecordingEncoder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = config_module.FORMAT_VERSION
    connection = sqlite3.connect(folder / "store.sqlite")
    connection.execute("ALTER TABLE articles DROP COLUMN pages")
    connection.close()
    monkeypatch.setattr(config_module, "FORMAT_VERSION", now + 1)
    changes = sync(articles, folder, config, encoder)
    assert changes.rebuilt == f"format_version is {now} in the index and {now + 1} now"
    assert len(changes.added) == 4
    assert texts(folder, config) == of_files(articles)


def test_damaged_tables_are_made_anew(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    connection = sqlite3.connect(folder / "store.sqlite")
    connection.execute("ALTER TABLE articles DROP COLUMN sentences")
    connection.close()
    assert "column" in str(sync(articles, folder, config, encoder).rebuilt)
    assert texts(folder, config) == of_files(articles)


def test_another_folder_is_refused(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder, tmp_path: Path
) -> None:
    before = everything_in(folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text("Other text.")
    with pytest.raises(IndexMismatch) as error:
        sync(tmp_path / "other", folder, config, encoder)
    assert str(error.value) == (
        f"The index {folder} belongs to the articles in {articles}, not to {tmp_path / 'other'}. "
        "Name another folder with --index."
    )
    assert everything_in(folder) == before


def test_an_unknown_store_changes_nothing(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    with pytest.raises(UnknownName):
        sync(articles, folder, replace(config, store="fais"), encoder)
    assert texts(folder, config) == of_files(articles)


def test_the_default_folder_names_the_articles() -> None:
    one = manifest_module.default_index_dir(Path("/data/news"))
    assert one.parent == Path("embeddings")
    assert one.name.startswith("news-")
    assert one != manifest_module.default_index_dir(Path("/other/news"))
    assert manifest_module.default_index_dir(Path("/")).name.startswith("root-")


# Failures: the old index stays, whole.


def changed(articles: Path) -> dict[str, str]:
    """Change the articles; return what the index must still hold."""
    before = of_files(articles)
    (articles / "bridge.txt").write_text(f"Bridge\n\n{CORRECTION}")
    (articles / "ferry.txt").unlink()
    (articles / "new.txt").write_text("New\n\nA new article.")
    return before


def files_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("at", [0, 2, 4, "encoder", "vectors", "lexical", "commit", "after"])
def test_ctrl_c_leaves_the_old_index(
    folder: Path,
    articles: Path,
    config: Config,
    encoder: RecordingEncoder,
    at: int | str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, files = changed(articles), files_of(folder)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def progress(done: int, _all: int) -> None:
        if done == at:
            interrupt()

    commit = Database.commit

    def commit_then_interrupt(database: Database) -> None:
        commit(database)
        interrupt()

    with monkeypatch.context() as patched:
        if at == "encoder":
            encoder.breaks = KeyboardInterrupt()
        if at == "vectors":
            patched.setattr("rag.index.vectors.NumpyStore.save", interrupt)
        if at == "lexical":
            patched.setattr("rag.index.lexical.LexicalIndex.build", interrupt)
        if at == "commit":
            patched.setattr(Database, "commit", interrupt)
        if at == "after":
            patched.setattr(Database, "commit", commit_then_interrupt)
        with pytest.raises(KeyboardInterrupt):
            sync(articles, folder, config, encoder, progress)
    encoder.breaks = None
    if at == "after":  # it was too late
        assert texts(folder, config) == of_files(articles)
        return
    assert files_of(folder) == files
    assert texts(folder, config) == before
    sync(articles, folder, config, encoder)
    assert texts(folder, config) == of_files(articles)


def test_a_killed_writer_leaves_the_old_index(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    before = changed(articles)
    script = (
        "import os, sys; from pathlib import Path; from rag.config import Config\n"
        "from rag.models.encoder import HashedEncoder; from rag.index.database import Database\n"
        "import rag.index.sync\n"
        "Database.commit = lambda self: os._exit(9)\n"
        "config = Config(encoder='hashed', passage_tokens=24, store='numpy')\n"
        "rag.index.sync.sync(Path(sys.argv[1]), Path(sys.argv[2]), config, HashedEncoder())\n"
    )
    done = subprocess.run([sys.executable, "-c", script, articles, folder], check=False)
    assert done.returncode == 9
    assert (folder / "vectors-2.bin").exists()
    assert texts(folder, config) == before
    sync(articles, folder, config, encoder)
    assert texts(folder, config) == of_files(articles)
    assert not (folder / "vectors-1.bin").exists()


def leave(folder: Path, kept: Path, generation: int) -> dict[Path, bytes]:
    """Leave what a writer that was killed before its commit leaves; return it, by another name."""
    lexical = folder / f"lexical-{generation}"
    lexical.mkdir()
    kept.mkdir()
    contents = {}
    for path in (folder / f"vectors-{generation}.bin", lexical / "meta.json"):
        path.write_bytes(b"half of a generation that was never committed")
        os.link(path, kept / path.name)  # sees what is written into it, not that it is removed
        contents[kept / path.name] = path.read_bytes()
    return contents


@pytest.mark.parametrize("generation", [2, 3, 41])
@pytest.mark.parametrize("way", ["sync", "repair", "fill"])
def test_what_a_killed_writer_left_is_neither_opened_nor_written_into(
    tmp_path: Path,
    articles: Path,
    config: Config,
    encoder: RecordingEncoder,
    generation: int,
    way: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "index"
    if way == "fill":
        monkeypatch.setattr("rag.index.sync.FEW_PASSAGES", 0)
    sync(articles, folder, config, encoder, vectors=way != "fill")
    contents = leave(folder, tmp_path / "kept", generation)
    reader = Index.open(folder, config, encoder)
    assert reader.manifest["generation"] == 1
    assert sorted(article.path for article in reader.contents()) == sorted(of_files(articles))
    if way == "fill":
        fill(folder, config, encoder)
    else:
        (articles / "new.txt").write_text("New\n\nA new article.")
        {"sync": sync, "repair": repair}[way](articles, folder, config, encoder)
    assert {path: path.read_bytes() for path in contents} == contents
    with contextlib.closing(Index.open(folder, config, encoder)) as index:
        assert index.manifest["generation"] == generation + 1
    assert texts(folder, config) == of_files(articles)
    newer = reader.newer(config, encoder)  # which would not be seen under a number that was used
    assert newer is not None
    newer.close()
    reader.close()
    left = {
        path.name for path in folder.iterdir() if "-" in path.name and ".sqlite" not in path.name
    }
    lexical = 1 if way == "fill" else generation + 1
    assert left == {f"vectors-{generation + 1}.bin", f"lexical-{lexical}"}


@pytest.mark.parametrize(
    "method", ["rag.index.vectors._save", "rag.index.manifest._seal", "pathlib.Path.mkdir"]
)
def test_a_full_disk_leaves_the_old_index(
    folder: Path,
    articles: Path,
    config: Config,
    encoder: RecordingEncoder,
    method: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, files = changed(articles), files_of(folder)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(method, full)
        with pytest.raises(RagError, match=r"Cannot write .*: No space .* was last written\.$"):
            sync(articles, folder, config, encoder)
    assert files_of(folder) == files
    assert texts(folder, config) == before


LIMITED = """
import resource, sys
from pathlib import Path
from rag.config import Config
from rag.models.encoder import HashedEncoder
from rag.errors import RagError
from rag.index.sync import repair, sync
for limit in map(int, sys.argv[3:]):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        sync(Path(sys.argv[1]), Path(sys.argv[2]),
             Config(encoder="hashed", passage_tokens=24, store="numpy"), HashedEncoder())
    except RagError as error:
        print(limit, type(error).__name__, error)
"""


def test_files_that_cannot_grow_leave_the_old_index(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    before, files = changed(articles), files_of(folder)
    limits = ["100", "400", "1000", "4000", "9000", "30000", "50000"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, articles, folder, *limits],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [[limit, "RagError"] for limit in limits]
    assert all("was last written." in line for line in lines)
    assert not any(path.name.endswith(".damaged") for path in folder.iterdir())
    assert files_of(folder) - files <= {"store.sqlite-wal", "store.sqlite-shm"}
    assert texts(folder, config) == before
    sync(articles, folder, config, encoder)
    assert texts(folder, config) == of_files(articles)


# Damage: sync makes it good and says why.


@pytest.mark.parametrize("name", ["store.sqlite", "vectors-1.bin", "lexical-1/meta.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "noise"])
def test_sync_makes_damage_good(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder, name: str, damage: str
) -> None:
    data = (folder / name).read_bytes()
    (folder / name).unlink()
    if damage != "missing":
        left = {"empty": b"", "cut": data[: len(data) // 2], "noise": os.urandom(len(data))}[damage]
        (folder / name).write_bytes(left)
    missing = name == "store.sqlite" and damage == "missing"
    with pytest.raises(IndexMissing if missing else IndexCorrupt, match="python -m rag index"):
        Index.open(folder, config, encoder)
    changes = sync(articles, folder, config, encoder)
    if not (name == "store.sqlite" and damage in ("missing", "empty")):  # as a first build
        assert name in str(changes.rebuilt)
        assert "\n" not in str(changes.rebuilt)
    assert bool(encoder.encoded) == (name == "store.sqlite")
    assert texts(folder, config) == of_files(articles)
    assert not list(folder.glob("*.damaged"))
    assert len(list(folder.glob("vectors-*"))) == len(list(folder.glob("lexical-*"))) == 1


def test_a_changed_row_is_made_good(
    folder: Path, articles: Path, config: Config, encoder: RecordingEncoder
) -> None:
    for statement in (
        "UPDATE articles SET title = 'Other' WHERE path = 'ferry.txt'",
        "UPDATE articles SET text = replace(text, 'nine', 'five')",
        "UPDATE passages SET article = 99 WHERE id = (SELECT min(id) FROM passages)",
        "UPDATE passages SET id = 99 WHERE id = (SELECT min(id) FROM passages)",
        "UPDATE inputs SET terms = 'x' WHERE id = (SELECT min(id) FROM inputs)",
        "DELETE FROM inputs WHERE id = (SELECT min(id) FROM inputs)",
        "DELETE FROM passages WHERE id = (SELECT min(id) FROM passages)",
        "UPDATE articles SET id = 99 WHERE id = (SELECT min(id) FROM articles)",
        "DELETE FROM articles WHERE id = (SELECT min(id) FROM articles)",
        "UPDATE manifest SET value = replace(value, 'vectors-', 'vektors-')",
        "DELETE FROM manifest",
    ):
        connection = sqlite3.connect(folder / "store.sqlite")
        connection.execute(statement)
        connection.commit()
        connection.close()
        changes = sync(articles, folder, config, encoder)
        assert "store.sqlite is damaged" in str(changes.rebuilt), statement
        assert texts(folder, config) == of_files(articles)


def test_vectors_are_kept_in_half_precision(
    folder: Path, config: Config, encoder: RecordingEncoder
) -> None:
    index = Index.open(folder, config, encoder)
    (stored,) = index.passages([1])
    text = index.article_at(stored.article).text
    title = index.article_at(stored.article).title
    index.close()
    whole = f"{title}\n{text[stored.passage.start : stored.passage.end]}"
    np.testing.assert_allclose(stored.vector, encoder.encode_texts([whole])[0], atol=1e-3)
    sentences = [text[s.start : s.end] for s in stored.passage.sentences]
    np.testing.assert_allclose(stored.sentence_vectors, encoder.encode_texts(sentences), atol=1e-3)
