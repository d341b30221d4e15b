"""SEAM Generator: the messages of prompts.py → the draft of an answer, piece by piece.

A newcomer adds a generator by writing one class and one row in GENERATORS. What it writes is only
a draft: ``answering/cite.py`` finds the sentence behind each claim and drops what none supports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from rag.config import Config
from rag.errors import UnknownName
from rag.generation.llama_cpp import LlamaCppGenerator
from rag.generation.openai_chat import OpenAIGenerator
from rag.generation.prompts import Messages
from rag.generation.transformers_lm import TransformersGenerator


class Generator(Protocol):
    """A language model. It writes one text at a time; a second caller waits."""

    model: str  # what Answer.models says

    def complete(self, messages: Messages, tokens: int, cancel: threading.Event) -> Iterator[str]:
        """Yield what follows the messages, at most so many tokens, in pieces as they come.

        Ends within a second after ``cancel`` is set, and in the middle when it takes longer than
        ``Config.answer_seconds``. Raises ModelError.
        """

    def warm_up(self) -> None:
        """Load the model and read the fixed part of the prompt. Raises ModelError."""

    def close(self) -> None:
        """Free what the generator holds; a text in progress ends."""


GENERATORS: dict[str, Callable[[Config], Generator | None]] = {
    "llamacpp": LlamaCppGenerator,
    "transformers": TransformersGenerator,
    "openai": OpenAIGenerator,
    "extractive": lambda _config: None,
}


def load_generator(config: Config) -> Generator | None:
    """Return the generator that the settings name, which loads its model for the first draft; None
    for "extractive", whose drafts are the evidence's own sentences.

    Raises UnknownName, and ModelError if the model is not on this machine.
    """
    if config.generator not in GENERATORS:
        raise UnknownName("generator", config.generator, sorted(GENERATORS))
    return GENERATORS[config.generator](config)
