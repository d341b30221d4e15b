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
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import IO

from rag.chat_client import POLL, ChatServer
from rag.errors import ModelError

# By default OpenMP's waiting threads spin: one other busy process then makes decoding several times
# slower. Asleep at once, they lose a third of the speed of an idle machine. GNU's OpenMP can spin
# for a moment and then sleep, which keeps nearly all of both (benchmarks/threads.py).
WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "300"}
_SOCKET_BYTES = 100  # the path of a Unix socket may have 104 (macOS) or 108 (Linux)


class LlamaProcess:
    """A running ``rag.llama_server``. It loads the model in the background: ``wait`` for it."""

    def __init__(
        self, model: Path, context_tokens: int, threads: int | None, prompts: Path
    ) -> None:
        self._model = model
        self._key = secrets.token_hex(16)
        folder = _socket_folder()
        # A file, not a pipe: nobody needs to read it along, and it matters only after a failure.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = _start(self._log)
        self._finalizer = weakref.finalize(self, _end, self._process, self._log, folder)
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
            args=(self._process, json.dumps(settings).encode(), self._address),
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

    def ended(self, within: float = 0.0) -> bool:
        """Whether the child is gone, or is so ``within`` seconds: its connections close first."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=within)
        return self._process.returncode is not None

    def failure(self, what: str) -> ModelError:
        """Return the error for a child that has ended, with the cause that it logged."""
        code = self._process.returncode if self.ended(within=2.0) else 0
        if code < 0:
            why = f"it was ended by signal {-code}. Is there enough memory?"
        else:
            why = self._logged() or f"exit code {code}."
        return ModelError(f"llama.cpp {what} ({self._model}): {why}")

    def close(self) -> None:
        """End the child and remove its socket; happens by itself at exit."""
        self._finalizer()

    def _logged(self) -> str:
        """The first error in llama.cpp's log, as what follows is its consequence; or any line."""
        if self._log.closed:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        causes = [line.partition(" E ")[2] for line in lines if " E " in line]
        return " ".join((causes or lines[-1:] or [""])[0].split())[:300]


def _start(log: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "rag.llama_server"],
            cwd=Path(__file__).resolve().parents[1],  # the same rag as ours, installed or not
            env={**os.environ, **WAITING},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            bufsize=0,
            start_new_session=True,  # Ctrl-C in the terminal is meant for us
        )
    except OSError as error:
        raise ModelError(f"llama.cpp cannot be started: {error}.") from error


def _introduce(
    process: subprocess.Popen[bytes], settings: bytes, address: queue.SimpleQueue[bytes]
) -> None:
    """Give the child its settings and wait for its address: empty if it ends instead."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError
    with suppress(BrokenPipeError):  # it has ended, and so has its output
        process.stdin.write(settings + b"\n")
    address.put(process.stdout.readline())


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


def _end(process: subprocess.Popen[bytes], log: IO[bytes], folder: Path | None) -> None:
    process.kill()  # it has nothing to save
    process.wait()
    for file in (process.stdin, process.stdout, log):
        if file is not None:
            file.close()
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
