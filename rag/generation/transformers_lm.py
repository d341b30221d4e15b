"""A language model run by transformers: the generator, and its own loop of decoding."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from rag.config import Config
from rag.errors import ModelError
from rag.generation.openai_chat import POLL, turn
from rag.generation.prompts import Messages
from rag.models import files


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

    def complete(self, messages: Messages, tokens: int, cancel: threading.Event) -> Iterator[str]:
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


# A causal language model through transformers, decoded greedily.
#
# A loop of our own instead of ``generate``: it reads the prompt in pieces and hands control back
# after each, so that a draft can be cancelled while a processor still works on the prompt.

_STEP = {"cpu": 32, "cuda": 512}  # prompt tokens between two chances to cancel


class CausalLM:
    """A model from a local folder, on the GPU if there is one. Raises ModelError."""

    def __init__(self, folder: Path, context_tokens: int, threads: int | None) -> None:
        import torch
        import transformers
        from safetensors import SafetensorError

        transformers.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        self._threads = threads
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        where = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **where)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype="auto", **where
            )
            self._model = model.to(self._device).eval()
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelError(f"Cannot load the model in {folder}: {_line(error)}.") from error
        own = getattr(self._model.config, "max_position_embeddings", None)
        self._context = min(context_tokens, own or context_tokens)
        ends = self._model.generation_config.eos_token_id
        self._ends = {*(ends if isinstance(ends, list) else [ends]), self._tokenizer.eos_token_id}

    def stream(self, messages: Messages, tokens: int) -> Iterator[str]:
        """Yield an answer of at most ``tokens`` tokens, up to a blank line; "" while it reads.

        Raises ModelError if the prompt is too long, or the memory too small.
        """
        import torch

        if self._threads:
            torch.set_num_threads(self._threads)  # of this thread
        prompt = self._encode(messages)  # (n,)
        if len(prompt) + tokens > self._context:
            raise ModelError(
                f"The prompt ({len(prompt)} tokens) and its answer ({tokens}) are longer than the "
                f"model's context ({self._context}): lower prompt_sentences."
            )
        step = _STEP[self._device]
        chunks = [prompt[at : at + step] for at in range(0, len(prompt), step)]
        answer: list[int] = []
        given = ""
        cache = None
        while chunks:
            ids = torch.tensor([chunks.pop(0)], device=self._device)  # (1, ≤ step)
            try:
                with torch.inference_mode():
                    out = self._model(input_ids=ids, cache=cache, use_cache=True)
            except RuntimeError as error:  # torch's way to say that memory ran out
                raise ModelError(f"The language model failed: {_line(error)}.") from error
            cache = out.cache
            if chunks:
                yield ""
                continue
            best = int(out.logits[0, -1].argmax())
            if best in self._ends:
                return
            answer.append(best)
            text = self._tokenizer.decode(answer, skip_special_tokens=True).lstrip()
            text, blank, _ = text.partition("\n\n")
            if not text.endswith("\ufffd"):  # half a character: the next token completes it
                yield text[len(given) :]
                given = text
            if blank:
                return
            if len(answer) < tokens:
                chunks.append([best])

    def _encode(self, messages: Messages) -> list[int]:
        from jinja2 import TemplateError

        try:
            if self._tokenizer.chat_template is None:
                text = "\n".join(message["content"] for message in messages) + "\n"
                encoded = self._tokenizer(text, verbose=False)
            else:
                encoded = self._tokenizer.apply_chat_template(
                    messages, add_generation_prompt=True, return_dict=True
                )
        except TemplateError as error:  # such as "System role not supported"
            raise ModelError(f"The model's chat template fails: {_line(error)}.") from error
        return list(encoded["input_ids"])


def _line(error: Exception) -> str:
    return str(error).splitlines()[0][:200].rstrip(".") if str(error) else type(error).__name__
