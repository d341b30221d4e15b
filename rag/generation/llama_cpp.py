"""The default generator: a GGUF model through llama.cpp, in a process of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from rag.config import Config
from rag.errors import ModelError
from rag.generation import prompts
from rag.generation.llama_process import LlamaProcess
from rag.generation.openai_chat import ChatServer, stream_chat, turn, use_slot
from rag.generation.prompt_cache import PromptCache
from rag.generation.prompts import Messages
from rag.models import files


class LlamaCppGenerator:
    """A GGUF model through llama.cpp, on this machine's processor."""

    def __init__(self, config: Config) -> None:
        name = config.model or "qwen2.5-coder-1.5b-instruct"
        self._path = files.locate(name, config.models_dir)
        if not self._path.is_file():
            raise ModelError(
                f"{self._path} is a folder, and llama.cpp reads a .gguf file: "
                "choose another model, or the generator 'transformers'."
            )
        self.model = files.short_name(name)
        self._config = config
        self._lock = threading.Lock()
        self._process: LlamaProcess | None = None
        # What every prompt for a draft begins with. An empty question follows it because not every
        # chat template takes a conversation that ends with the assistant.
        self._fixed = prompts.chat("", (), ())
        self._cache = PromptCache.of(
            config.models_dir, self._path, config.context_tokens, self._fixed
        )

    def complete(self, messages: Messages, tokens: int, cancel: threading.Event) -> Iterator[str]:
        with turn(self._lock, cancel) as ours:
            if not ours:
                return
            process, server = self._running(), None
            try:
                if server := process.wait(cancel):
                    if messages[:-1] == self._fixed[:-1]:
                        self._begin(server, cancel)
                    if tokens and not cancel.is_set():
                        request = self._request(messages, tokens)
                        yield from stream_chat(server, request, cancel, self._config.answer_seconds)
            except ModelError as error:
                if process is not self._process:  # closed in the meantime
                    return
                if server and process.ended(within=1.0):
                    raise process.failure("ended while it wrote an answer") from error
                raise

    def warm_up(self) -> None:
        for _ in self.complete(self._fixed, 0, threading.Event()):
            pass

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()

    def _begin(self, server: ChatServer, cancel: threading.Event) -> None:
        """Leave the model where it has read the fixed part of the prompt, and nothing else."""
        if self._cache.intact() and use_slot(server, "restore", self._cache.name, cancel):
            return
        request = self._request(self._fixed, 1)
        for _ in stream_chat(server, request, cancel, self._config.answer_seconds):
            pass
        if self._cache.prepare() and use_slot(server, "save", self._cache.draft, cancel):
            self._cache.publish()

    def _request(self, messages: Messages, tokens: int) -> dict[str, Any]:
        return {
            **prompts.SAMPLING,
            "messages": messages,
            "max_tokens": tokens,
            "top_k": 1,
            "cache_prompt": True,
            "return_progress": True,  # an event per batch: notices sooner that we have gone
        }

    def _running(self) -> LlamaProcess:
        """The process; a new one if there is none yet or it has died since the last draft."""
        if self._process is None or self._process.ended():
            self.close()
            config = self._config
            self._process = LlamaProcess(
                self._path, config.context_tokens, config.threads, self._cache.folder
            )
        return self._process
