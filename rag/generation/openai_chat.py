"""A language model behind an OpenAI-compatible server: generator, and client of its stream."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from rag.config import Config
from rag.errors import ModelError
from rag.generation.prompts import SAMPLING, Messages


class OpenAIGenerator:
    """Any server with OpenAI's chat completions: vLLM, llama-server, Ollama, a hosted one."""

    def __init__(self, config: Config) -> None:
        if not config.base_url:
            raise ModelError(
                "The generator 'openai' needs the address of its server: set OPENAI_BASE_URL, "
                "such as http://localhost:8000/v1."
            )
        key = config.api_key
        if key is not None and not (key.isascii() and key.isprintable()):
            # Also because the HTTP library would repeat the key in its error.
            raise ModelError("The API key (OPENAI_API_KEY) has a character that no key can have.")
        parts = urlsplit(config.base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ModelError("OPENAI_BASE_URL is not an address such as http://localhost:8000/v1.")
        place = parts.netloc.rpartition("@")[2] + parts.path  # a password before "@" stays secret
        name = f"The server at {parts.scheme}://{place} (OPENAI_BASE_URL)"
        self._server = ChatServer(config.base_url, name, key)
        self._config = config
        self._lock = threading.Lock()
        self.model = config.model or ""  # the server's first, asked for when it is needed

    def complete(self, messages: Messages, tokens: int, cancel: threading.Event) -> Iterator[str]:
        with turn(self._lock, cancel) as ours:
            if ours and self._find_model(cancel):
                request = {
                    "model": self.model,
                    "messages": messages,
                    "max_tokens": tokens,
                    **SAMPLING,
                }
                yield from stream_chat(self._server, request, cancel, self._config.answer_seconds)

    def warm_up(self) -> None:
        self._find_model(threading.Event())

    def close(self) -> None:
        pass  # each draft has its own connection

    def _find_model(self, cancel: threading.Event) -> bool:
        if not self.model:
            names = list_models(self._server, cancel, seconds=10.0)
            if not names and not cancel.is_set():
                raise ModelError(f"{self._server.name} offers no model.")
            self.model = names[0] if names else ""
        return bool(self.model)


# The client of a chat server: POST /chat/completions, answered as server-sent events.
#
# Reading happens in a thread with an event loop of its own, because there every wait (to connect,
# for the first byte, for the next one) can be broken off at once and the connection closed, which
# is what tells the server to stop. The caller may itself be inside an event loop.

POLL = 0.05  # seconds between two looks at ``cancel``
_CONNECT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class ChatServer:
    """Where a server listens, and what to call it in an error."""

    url: str  # such as http://localhost:8000/v1
    name: str  # starts a sentence: "The server at …"
    api_key: str | None = field(default=None, repr=False)
    socket: Path | None = None  # a Unix socket, instead of the URL's host and port


def stream_chat(
    server: ChatServer, request: Mapping[str, Any], cancel: threading.Event, seconds: float
) -> Iterator[str]:
    """Yield the text of the answer as it comes; end when ``cancel`` is set or the time is over.

    Raises ModelError, also if nothing at all was answered in ``seconds``.
    """
    return _in_background(_chat(server, request), server, cancel, seconds)


def list_models(server: ChatServer, cancel: threading.Event, seconds: float) -> list[str]:
    """Return the ids of the models that the server offers. Raises ModelError."""
    return [name for name in _in_background(_models(server), server, cancel, seconds) if name]


def use_slot(server: ChatServer, action: str, file: str, cancel: threading.Event) -> bool:
    """Have llama.cpp "save" or "restore" what it has read of a prompt; return whether it did."""
    try:
        return not cancel.is_set() and not list(
            _in_background(_slot(server, action, file), server, cancel, _CONNECT)
        )
    except ModelError:
        return False


def _in_background(
    source: AsyncIterator[str], server: ChatServer, cancel: threading.Event, seconds: float
) -> Iterator[str]:
    """Iterate over ``source`` in a thread. Its first item, "", says that the server answers."""
    arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()  # None: it is over
    outcome: Future[bool] = Future()  # whether it was cut short
    left = threading.Event()  # the consumer has gone
    deadline = time.monotonic() + seconds

    async def read() -> None:
        async for piece in source:
            arrived.put(piece)

    async def watch() -> bool:
        reading = asyncio.create_task(read())
        while not reading.done():
            await asyncio.wait({reading}, timeout=POLL)
            if cancel.is_set() or left.is_set() or time.monotonic() > deadline:
                reading.cancel()
        if reading.cancelled():
            return True
        reading.result()
        return False

    def run() -> None:
        try:
            outcome.set_result(asyncio.run(watch()))
        except ModelError as error:
            outcome.set_exception(error)
        except OSError as error:  # too many open files: not even an event loop
            outcome.set_exception(ModelError(f"{server.name} cannot be reached ({error})."))
        finally:
            arrived.put(None)

    # A daemon, so that an interpreter that exits in the middle of a draft does not wait for it.
    thread = threading.Thread(target=run, name="chat", daemon=True)
    thread.start()
    answered = False
    try:
        while (piece := arrived.get()) is not None:
            answered = True
            if cancel.is_set():
                return
            if piece:
                yield piece
        if outcome.result(timeout=0) and not answered and not cancel.is_set():
            raise ModelError(f"{server.name} did not answer within {seconds:g} seconds.")
    finally:
        left.set()
        thread.join()


async def _chat(server: ChatServer, request: Mapping[str, Any]) -> AsyncIterator[str]:
    body = {**request, "stream": True}
    complete = False
    async with _response(server, "POST", "/chat/completions", body) as response:
        yield ""
        async for line in response.aiter_lines():
            kind, _, data = line.partition(":")
            if kind not in {"data", "error"}:  # a comment that keeps the connection alive, …
                continue
            if data.strip() == "[DONE]":
                return
            text, finished = _parse(server, data)
            complete = complete or finished
            if text:
                yield text
    if not complete:
        raise ModelError(f"{server.name} ended its answer in the middle.")


async def _models(server: ChatServer) -> AsyncIterator[str]:
    async with _response(server, "GET", "/models") as response:
        yield ""
        body = await response.aread()
    try:
        names = [str(model["id"]) for model in json.loads(body)["data"]]
    except (ValueError, KeyError, TypeError) as error:
        raise _malformed(server) from error
    for name in names:
        yield name


async def _slot(server: ChatServer, action: str, file: str) -> AsyncIterator[str]:
    root = replace(server, url=server.url.removesuffix("/v1"))
    body = {"filename": file}
    async with _response(root, "POST", f"/slots/0?action={action}", body) as response:
        await response.aread()
        yield ""


@asynccontextmanager
async def _response(
    server: ChatServer, method: str, path: str, body: Mapping[str, Any] | None = None
) -> AsyncIterator[httpx.Response]:
    """The response once its status is known to be 200; what goes wrong becomes ModelError."""
    uds = str(server.socket) if server.socket else None
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    try:
        async with (
            # Proxies and passwords of the environment are not for this connection.
            httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(uds=uds, trust_env=False),
                headers=headers,
                timeout=httpx.Timeout(None, connect=_CONNECT),  # the caller limits the rest
                trust_env=False,
            ) as client,
            client.stream(method, server.url.rstrip("/") + path, json=body) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise _refusal(server, response.status_code, await response.aread())
            yield response
    except httpx.ConnectError as error:
        raise ModelError(f"{server.name} cannot be reached ({_line(error)}). Is it on?") from error
    except httpx.ConnectTimeout as error:
        raise ModelError(f"{server.name} cannot be reached: no answer in time.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ModelError(f"{server.name} broke the connection off ({_line(error)}).") from error


def _parse(server: ChatServer, data: str) -> tuple[str, bool]:
    """Return the text that one event adds, and whether it says that the answer is complete."""
    try:
        event = json.loads(data)
        if "error" in event or "choices" not in event:
            raise ModelError(f"{server.name} reports an error: {_message(event)}.")
        if not event["choices"]:  # an event with the usage only
            return "", False
        choice = event["choices"][0]
        text = choice.get("delta", {}).get("content") or ""
        if not isinstance(text, str):
            raise _malformed(server)
        return text, bool(choice.get("finish_reason"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _malformed(server) from error


def _refusal(server: ChatServer, status: int, body: bytes) -> ModelError:
    if status in {401, 403}:  # the body may repeat the key
        return ModelError(f"{server.name} does not accept the API key (HTTP {status}).")
    try:
        message = _message(json.loads(body))
    except ValueError:
        message = "no reason given"
    if status == httpx.codes.BAD_REQUEST and "context" in message:
        return ModelError(
            f"The prompt is longer than the model's context ({message}): "
            "raise context_tokens, or lower prompt_sentences."
        )
    return ModelError(f"{server.name} answered HTTP {status} ({message}).")


def _message(event: Any) -> str:
    """The message in an error body, whose shapes differ from server to server."""
    inner = event.get("error", event) if isinstance(event, dict) else event
    message = inner.get("message", inner) if isinstance(inner, dict) else inner
    return " ".join(str(message).split()).rstrip(".")[:200]


def _malformed(server: ChatServer) -> ModelError:
    return ModelError(f"{server.name} sent something that is not a chat completion.")


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


@contextmanager
def turn(lock: threading.Lock, cancel: threading.Event) -> Iterator[bool]:
    """Hold the lock; False, without it, if ``cancel`` was set first."""
    while not cancel.is_set():
        if lock.acquire(timeout=POLL):
            try:
                yield True
            finally:
                lock.release()
            return
    yield False
