"""The server in this process, over a real or a scripted engine."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from rag.server.engine import Engine, Running

if TYPE_CHECKING:
    from rag.app import Options


@dataclass
class Server:
    rag: Any
    port: int
    http: httpx.Client
    running: Running

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def problem(self, *args: Any, **options: Any) -> dict[str, Any]:
        """Return the problem that a request is answered with."""
        response = self.http.request(*args, **options)
        assert response.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = response.json()
        assert problem["status"] == response.status_code
        assert problem["request_id"] == response.headers["x-request-id"]
        return problem


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    rag: Engine, options: Options | None = None, running: Running | None = None
) -> Iterator[Server]:
    from rag.app import launch

    port, running = free_port(), running or Running()
    served = launch(rag, running, host="127.0.0.1", port=port, options=options)
    served.warming.loaded, served.warming.model = True, "loaded"
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for path in ("/", "/favicon.ico"):
            # The server imports some modules at its first request, and pytest rewrites their
            # asserts. In Python 3.11 that fails if this thread imports too, so let it finish.
            client.get(path)
        yield Server(rag, port, client, running)
    served.close()


def wait_until(holds: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
