"""One writer at a time across processes; who waits is told for whom."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock

from rag.config import Config
from rag.errors import RagError
from rag.index import publish
from rag.index.index import Index
from rag.index.publish import writing
from rag.index.sync import sync
from rag.models.encoder import HashedEncoder

HOLD = """
import sys
from pathlib import Path
from rag.index.publish import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.communicate()
    process.wait()


def test_a_second_writer_is_told_who_writes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, waits, acquire = [0.0], [], FileLock.acquire

    def waited(held: FileLock, timeout: float) -> object:
        waits.append(timeout)
        clock[0] += timeout
        return acquire(held, 0)

    monkeypatch.setattr(FileLock, "acquire", waited)
    monkeypatch.setattr(publish, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    other = holder(folder)
    try:
        with pytest.raises(RagError) as error, writing(folder, wait=0):
            pass
        assert waits == [0]
        start, _, rest = str(error.value).partition(", since 20")
        assert start == f"Process {other.pid} on {socket.gethostname()}"
        assert rest.endswith(f", is writing the index {folder}. Try again when it is done.")
        with pytest.raises(RagError, match=r"still after 9 s\. Try again"), writing(folder, wait=9):
            pass
        assert waits == [0, *([publish.LOOK] * 9)]
    finally:
        end(other)
    with writing(folder, wait=0):
        pass
    assert [path.name for path in folder.iterdir()] == [publish.LOCK]


def test_a_second_writer_waits_for_the_first(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = holder(folder)
    acquire = FileLock.acquire
    seen = []

    def acquire_and_end(held: FileLock, timeout: float) -> object:
        seen.append(timeout)
        if len(seen) == 5:
            end(other)
        return acquire(held, 0)

    monkeypatch.setattr(FileLock, "acquire", acquire_and_end)
    with caplog.at_level(logging.WARNING), writing(folder):
        assert len(seen) >= 5
    first, last = (record.getMessage() for record in caplog.records)
    assert first.startswith(f"Process {other.pid} on ")
    assert first.endswith(f"is writing the index {folder}; waiting for it.")
    assert last.startswith("Waited ")


def test_a_lock_ends_with_its_process(folder: Path) -> None:
    other = holder(folder)
    other.kill()
    end(other)
    assert (folder / publish.HOLDER).exists()  # it could not tidy up
    with writing(folder, wait=0):
        assert str(os.getpid()) in (folder / publish.HOLDER).read_text()


def test_a_note_that_cannot_be_read_is_no_matter(folder: Path) -> None:
    other = holder(folder)
    try:
        for note in ("", "[1]", '{"pid": "x", "host": 1, "since": 2}'):
            (folder / publish.HOLDER).write_text(note)
            with pytest.raises(RagError, match="Another process is writing"):
                writing(folder, wait=0).__enter__()
    finally:
        end(other)


def test_readers_wait_for_nobody(
    articles: Path, config: Config, encoder: HashedEncoder, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    sync(articles, folder, config, encoder)
    (articles / "new.txt").write_text("New\n\nA new article.")
    with writing(folder), pytest.raises(RagError, match="is writing the index"):
        sync(articles, folder, config, encoder, wait=0)
    seen = []

    def meanwhile(done: int, _all: int) -> None:
        index = Index.open(folder, config, encoder)
        seen.append(len(index.contents()))
        index.close()

    sync(articles, folder, config, encoder, meanwhile)
    assert seen == [4] * 6
    index = Index.open(folder, config, encoder)
    assert len(index.contents()) == 5
    index.close()
