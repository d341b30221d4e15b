"""Serving the chat and the interfaces for programs: one process, one port."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
import webbrowser
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from rag.api.asking import SearchEngine
from rag.api.routes import Warming
from rag.app import Options, application
from rag.command import command
from rag.errors import InputError, RagError
from rag.server.engine import Running
from rag.server.headers import is_loopback
from rag.server.logs import log_to_stderr

STARTS = 30.0  # seconds that the server has for coming up
ENDS = 3.0  # seconds that answers in progress have for handing over what has been verified


@dataclass
class Served:
    """A server that is running in the background."""

    url: str
    running: Running
    server: uvicorn.Server
    thread: threading.Thread
    blocks: Any
    warming: Warming = field(default_factory=Warming)

    def close(self, **_: object) -> None:
        """End the answers in progress, which hand over what has been verified, then the server."""
        self.running.stop_all()
        deadline = time.monotonic() + ENDS
        while self.running.any() and time.monotonic() < deadline:
            time.sleep(0.05)
        log = logging.getLogger("uvicorn.error")  # would report that open pages were cut off
        log.disabled = True
        self.server.should_exit = True
        self.blocks.close(verbose=False)
        self.thread.join(timeout=5)
        log.disabled = False


def check_reachable(host: str, port: int, options: Options) -> None:
    """Raise InputError where there is no such port, or others could read what is served."""
    if not 0 < port < 2**16:
        raise InputError(f"There is no port {port}; give --port a number from 1 to 65535.")
    if not options.access.needed and (options.hosts or not is_loopback(host)):
        where = options.hosts[0] if options.hosts else host
        raise InputError(
            f"Anyone who can reach {where} could read the articles. Set a password or a token "
            f"first ({command()} password --help says how), or listen on 127.0.0.1."
        )


def launch(
    rag: SearchEngine, running: Running, *, host: str, port: int, open_browser: bool = False,
    options: Options | None = None,
) -> Served:  # fmt: skip
    """Serve in the background; ``close()`` on the result ends it. Raises InputError."""
    options, warming = options or Options(), Warming()
    check_reachable(host, port, options)
    app, blocks = application(rag, running, host, options, warming)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"Cannot serve on {host} port {port}: it is in use, or not allowed. "
            "Stop the other program or choose another with --port."
        ) from error
    # asyncio sends at once (TCP_NODELAY) only through sockets that name their protocol.
    listening = socket.socket(
        family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listening.detach()
    )
    server = uvicorn.Server(
        uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=1,
            # By itself it would believe what anybody on this machine says of the client.
            proxy_headers=bool(options.proxies), forwarded_allow_ips=[*options.proxies],
        )
    )  # fmt: skip
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listening]}, name="server", daemon=True
    )
    thread.start()
    deadline = time.monotonic() + STARTS
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    if not server.started:
        server.should_exit = True
        blocks.close(verbose=False)
        thread.join(timeout=5)
        listening.close()
        raise InputError("The server did not start; its output says why.")
    named = "localhost" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host  # noqa: S104
    served = Served(f"http://{named}:{port}/", running, server, thread, blocks, warming)
    if open_browser:
        webbrowser.open(served.url)
    return served


def serve(
    rag: SearchEngine, *, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = False,
    options: Options | None = None, log: str = "quiet",
) -> None:  # fmt: skip
    """Serve the chat until Ctrl+C. Raises InputError if it cannot be served there."""
    log_to_stderr(log)
    served = launch(
        rag, Running(), host=host, port=port, open_browser=open_browser, options=options
    )
    try:
        print(f"Footnote is at {served.url} (Ctrl+C ends it)", flush=True)
        threading.Thread(
            target=_warm_up, args=[rag, served.warming], name="warm-up", daemon=True
        ).start()
        _until_interrupted()
    except (KeyboardInterrupt, SystemExit):  # Ctrl+C, SIGTERM
        print("Footnote ends.", flush=True)
    finally:
        served.close()


def _until_interrupted() -> None:
    while True:
        time.sleep(1)


def _warm_up(rag: SearchEngine, warming: Warming) -> None:
    """Load the models while the page can be used already; a question that needs them will wait."""
    warming.model = "loading"
    try:
        rag.warm_up()
    except RagError as error:  # each question will say so too
        warming.model = "cannot be loaded; the server's log says why"
        print(f"Not ready to answer: {error}", file=sys.stderr, flush=True)
    else:
        warming.model, warming.loaded = "loaded", True
