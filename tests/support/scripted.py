"""A generator that replays drafts and remembers what it was asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.pipeline import Rag
from rag.types import Evidence, Turn

Draft = str | Sequence[str] | Exception


@dataclass(frozen=True, slots=True)
class Call:
    question: str
    evidence: tuple[Evidence, ...]
    history: tuple[Turn, ...]


Messages = list[dict[str, str]]


class ScriptedGenerator:
    """Each call takes the next draft: a text, its pieces, or an error to raise.

    A queue that runs out is a mistake in the test and raises IndexError.
    """

    model = "scripted"

    def __init__(self, *drafts: Draft) -> None:
        self.drafts = deque(drafts)
        self.calls: list[Call] = []
        self.prompts: list[tuple[Messages, int]] = []
        self.warm = False
        self.closed = False

    def draft(
        self,
        question: str,
        evidence: Sequence[Evidence],
        history: Sequence[Turn],
        cancel: threading.Event,
    ) -> Iterator[str]:
        self.calls.append(Call(question, tuple(evidence), tuple(history)))
        yield from self._replay(cancel)

    def complete(self, messages: Messages, tokens: int, cancel: threading.Event) -> Iterator[str]:
        self.prompts.append((messages, tokens))
        yield from self._replay(cancel)

    def _replay(self, cancel: threading.Event) -> Iterator[str]:
        draft = self.drafts.popleft()
        if isinstance(draft, Exception):
            raise draft
        for piece in [draft] if isinstance(draft, str) else draft:
            if cancel.is_set():
                return
            yield piece

    def warm_up(self) -> None:
        self.warm = True

    def close(self) -> None:
        self.closed = True


Drafting = Callable[..., tuple[Rag, ScriptedGenerator]]  # by the drafts that it will give
