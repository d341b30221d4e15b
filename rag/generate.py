"""SEAM Generator: a question and its evidence → the draft of an answer, piece by piece.

A newcomer adds a generator by writing one class and one row in GENERATORS. What it writes is only
a draft: ``cite.py`` finds the sentence behind each claim and drops what none supports.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from rag import models, prompts
from rag.causal_lm import CausalLM
from rag.chat_client import POLL, ChatServer, list_models, stream_chat, turn
from rag.config import Config
from rag.errors import ModelError, UnknownName
from rag.llama_cpp import LlamaCppGenerator
from rag.types import Evidence, Turn

_ALSO = 0.97  # "extractive" adds the second sentence if it scores at least this much of the first


class Generator(Protocol):
    """Writes one draft at a time; a second caller waits."""

    model: str  # what Answer.models says

    def draft(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[Turn],
        cancel: threading.Event,
    ) -> Iterator[str]:
        """Yield the draft in pieces as they come; end within a second after ``cancel`` is set.

        A draft that takes longer than ``Config.answer_seconds`` just ends. Raises ModelError.
        """

    def warm_up(self) -> None:
        """Load the model and read the fixed part of the prompt. Raises ModelError."""

    def close(self) -> None:
        """Free what the generator holds; a draft in progress ends."""


@runtime_checkable
class LanguageModel(Protocol):
    """What a generator with a language model does besides: write on from any messages."""

    def complete(
        self, messages: list[dict[str, str]], tokens: int, cancel: threading.Event
    ) -> Iterator[str]:
        """Yield at most so many tokens, as ``Generator.draft`` does. Raises ModelError."""


class ExtractiveGenerator:
    """No model: the best evidence sentence, and the second if it is nearly as good."""

    model = "extractive"

    def __init__(self, config: Config) -> None:
        """Every generator is made from the settings; this one needs none."""

    def draft(
        self,
        question: str,  # noqa: ARG002
        evidence: Sequence[Evidence],
        history: Sequence[Turn],  # noqa: ARG002
        cancel: threading.Event,
    ) -> Iterator[str]:
        for n, sentence in enumerate(evidence[:2]):
            if cancel.is_set() or (n and sentence.score < _ALSO * evidence[0].score):
                return
            yield "\n" * n + " ".join(sentence.quote.split())

    def warm_up(self) -> None:
        pass

    def close(self) -> None:
        pass


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


class TransformersGenerator:
    """A model from the Hugging Face hub or a local folder, on a GPU if there is one."""

    def __init__(self, config: Config) -> None:
        name = config.model or "Qwen/Qwen2.5-1.5B-Instruct"
        self._folder = models.locate(name, config.models_dir)
        if not self._folder.is_dir():
            raise ModelError(
                f"{self._folder} is a file, and transformers reads a folder: "
                "choose another model, or the generator 'llamacpp'."
            )
        self.model = models.short_name(name)
        self._config = config
        self._lock = threading.Lock()
        self._loading: Future[CausalLM] | None = None

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
            if not ours or (model := self._load(cancel)) is None:
                return
            pieces = model.stream(messages, tokens)
            deadline = time.monotonic() + self._config.answer_seconds
            for piece in pieces:
                if cancel.is_set() or time.monotonic() > deadline:
                    return
                if piece:
                    yield piece

    def warm_up(self) -> None:
        self._load(threading.Event())

    def close(self) -> None:
        self._loading = None

    def _load(self, cancel: threading.Event) -> CausalLM | None:
        """The model, loaded in a thread because that takes longer than a cancel may; or None."""
        loading = self._loading
        if loading is None:
            settings = self._folder, self._config.context_tokens, self._config.threads
            pool = ThreadPoolExecutor(max_workers=1)
            loading = self._loading = pool.submit(CausalLM, *settings)
            pool.shutdown(wait=False)  # its thread ends with this one task
        while not cancel.is_set():
            with suppress(TimeoutError):
                return loading.result(timeout=POLL)
        return None


GENERATORS: dict[str, Callable[[Config], Generator]] = {
    "llamacpp": LlamaCppGenerator,
    "transformers": TransformersGenerator,
    "openai": OpenAIGenerator,
    "extractive": ExtractiveGenerator,
}


def load_generator(config: Config) -> Generator:
    """Return the generator that the settings name; its model is loaded by the first draft.

    Raises UnknownName, and ModelError if the model is not on this machine.
    """
    if config.generator not in GENERATORS:
        raise UnknownName("generator", config.generator, sorted(GENERATORS))
    return GENERATORS[config.generator](config)
