"""A language model behind an OpenAI-compatible server: generator, and client of its stream."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from rag.config import Config
from rag.errors import ModelError
from rag.generation import prompts
from rag.generation.chat_client import ChatServer, list_models, stream_chat, turn
from rag.types import Evidence, Turn


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

    def draft(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[Turn],
        cancel: threading.Event,
    ) -> Iterator[str]:
        messages = prompts.chat(question, evidence, history)
        yield from self.complete(messages, self._config.answer_tokens, cancel)

    def complete(
        self, messages: list[dict[str, str]], tokens: int, cancel: threading.Event
    ) -> Iterator[str]:
        with turn(self._lock, cancel) as ours:
            if ours and self._find_model(cancel):
                request = {
                    "model": self.model,
                    "messages": messages,
                    "max_tokens": tokens,
                    **prompts.SAMPLING,
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
