"""A language model run by transformers: the generator, and its own loop of decoding."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from rag.config import Config
from rag.errors import ModelError
from rag.generation import prompts
from rag.generation.causal_lm import CausalLM
from rag.generation.chat_client import POLL, turn
from rag.models import files
from rag.types import Evidence, Turn


class TransformersGenerator:
    """A model from the Hugging Face hub or a local folder, on a GPU if there is one."""

    def __init__(self, config: Config) -> None:
        name = config.model or "Qwen/Qwen2.5-1.5B-Instruct"
        self._folder = files.locate(name, config.models_dir)
        if not self._folder.is_dir():
            raise ModelError(
                f"{self._folder} is a file, and transformers reads a folder: "
                "choose another model, or the generator 'llamacpp'."
            )
        self.model = files.short_name(name)
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
