"""SEAM Generator: a question and its evidence → the draft of an answer, piece by piece.

A newcomer adds a generator by writing one class and one row in GENERATORS. What it writes is only
a draft: ``answering/cite.py`` finds the sentence behind each claim and drops what none supports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, runtime_checkable

from rag.config import Config
from rag.errors import UnknownName
from rag.generation.llama_cpp import LlamaCppGenerator
from rag.generation.openai_chat import OpenAIGenerator
from rag.generation.transformers_lm import TransformersGenerator
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
