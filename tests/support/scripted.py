"""A generator that replays drafts and remembers what it was asked."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rag.answering.pipeline import Rag
from rag.generation.prompts import Messages

Draft = str | Sequence[str] | Exception


@dataclass(frozen=True, slots=True)
class Call:
    """What a generator was asked, and what the prompt of a draft says."""

    messages: Messages
    tokens: int

    @property
    def lines(self) -> list[str]:
        return self.messages[-1]["content"].split("\n")

    @property
    def question(self) -> str:
        return self.lines[-1].removeprefix("Question: ")

    @property
    def before(self) -> list[str]:  # the last question before, if there was one
        start = "Question before: "
        return [line.removeprefix(start) for line in self.lines if line.startswith(start)]

    @property
    def quotes(self) -> list[str]:
        return [line.partition(" ")[2] for line in self.lines if line.startswith("[")]


class ScriptedGenerator:
    """Each call takes the next draft: a text, its pieces, or an error to raise.

    A queue that runs out is a mistake in the test and raises IndexError.
    """

    model = "scripted"

    def __init__(self, *drafts: Draft) -> None:
        self.drafts = deque(drafts)
        self.calls: list[Call] = []
        self.warm = False
        self.closed = False

    def complete(self, messages: Messages, tokens: int, cancel: threading.Event) -> Iterator[str]:
        self.calls.append(Call(messages, tokens))
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
