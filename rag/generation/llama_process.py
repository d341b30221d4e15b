"""llama.cpp in a process of its own, reached over HTTP on a Unix socket.

xllamacpp always opens an HTTP listener and takes SIGINT for itself, its OpenMP reads its settings
only when it is loaded, and a damaged model or a lack of memory may end the whole process: good
reasons to keep it out of ours.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from rag.errors import ModelError
from rag.generation.openai_chat import POLL, ChatServer
from rag.models.child import Child

# By default OpenMP's waiting threads spin: one other busy process then makes decoding several times
# slower. Asleep at once, they lose a third of the speed of an idle machine. GNU's OpenMP can spin
# for a moment and then sleep, which keeps nearly all of both (benchmarks/web/threads.py).
WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "300"}
_SOCKET_BYTES = 100  # the path of a Unix socket may have 104 (macOS) or 108 (Linux)


class LlamaProcess(Child):
    """A running ``rag.generation.llama_server``. It loads the model in the background: ``wait``
    for it.
    """

    def __init__(
        self, model: Path, context_tokens: int, threads: int | None, prompts: Path
    ) -> None:
        self._model = model
        self._key = secrets.token_hex(16)
        folder = _socket_folder()
        super().__init__("rag.generation.llama_server", "llama.cpp", WAITING, folder)
        settings = {
            "model": str(model.resolve()),
            "context_tokens": context_tokens,
            "threads": threads or os.cpu_count() or 1,
            "prompts": str(prompts.resolve()),
            "api_key": self._key,  # over stdin, because anyone can read a command line
            "socket": str(folder / "llama.sock") if folder else None,
        }
        self._address: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._server: ChatServer | None = None
        threading.Thread(
            target=_introduce,
            args=(self.input, self.output, json.dumps(settings).encode(), self._address),
            name="llama",
            daemon=True,
        ).start()

    def wait(self, cancel: threading.Event) -> ChatServer | None:
        """Return the server once the model is loaded, None if ``cancel`` was set before.

        Raises ModelError if the child could not load it.
        """
        while self._server is None and not cancel.is_set():
            with suppress(queue.Empty):
                address = self._address.get(timeout=POLL).decode().strip()
                if not address:
                    raise self.failure("could not load the model")
                self._server = _server_at(address, self._key)
        return self._server

    def failure(self, what: str) -> ModelError:
        """Return the error for a child that has ended, with the cause that it logged."""
        return ModelError(f"{self.what} {what} ({self._model}): {self.cause()}")


def _introduce(
    to: IO[bytes], back: IO[bytes], settings: bytes, address: queue.SimpleQueue[bytes]
) -> None:
    """Give the child its settings and wait for its address: empty if it ends instead."""
    said = b""
    with suppress(OSError, ValueError):  # it has ended, or was closed by us
        to.write(settings + b"\n")
        to.flush()
        said = back.readline()
    address.put(said)


def _server_at(address: str, key: str) -> ChatServer:
    if address.startswith("unix://"):
        path = Path(address.removeprefix("unix://"))
        return ChatServer("http://localhost/v1", "llama.cpp", key, path)
    return ChatServer(f"{address}/v1", "llama.cpp", key)


def _socket_folder() -> Path | None:
    """A folder that only this user can open; None where a Unix socket is not possible."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    for parent in (None, "/tmp"):  # noqa: S108  # what mkdtemp makes there is private
        with suppress(OSError):
            folder = Path(tempfile.mkdtemp(prefix="footnote-", dir=parent))
            if len(os.fsencode(folder / "llama.sock")) < _SOCKET_BYTES:
                return folder
            folder.rmdir()
    return None
