"""A generator that holds the model until it is told to go on, and notes whose turn it was; and
articles about eight towns, one for each of eight visitors.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from scripted import Call

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.generation.prompts import Messages

TOWNS = ("Arvel", "Brone", "Castra", "Dunmor", "Elsin", "Fardal", "Gorlan", "Hestry")


def question(town: str) -> str:
    return f"How many people live in {town}?"


def open_towns(place: Path, config: Config, model: GatedGenerator) -> Rag:
    """An article for each town; the n-th has n,n00 people."""
    folder = place / "towns"
    folder.mkdir()
    for n, town in enumerate(TOWNS, start=1):
        text = f"A day in {town}\n\n{town} has {n},{n}00 people. Its mayor is {town} Okoye.\n"
        (folder / f"{town}.txt").write_text(text, encoding="utf-8")
    settings = replace(config, decline_below=0.0)
    return Rag.for_articles(folder, settings, place / "index", generator=model)


class GatedGenerator:
    """Repeats the best sentence it is given, once the gate is open.

    "slow" in a question: it waits until it is cancelled. "broken": it raises ``error``.
    ``single``: the gate closes behind each draft.
    """

    model = "gated"

    def __init__(self, *, open_at_once: bool = True, seconds: float = 0.0) -> None:
        self.gate = threading.Event()
        if open_at_once:
            self.gate.set()
        self.single = False
        self.seconds = seconds  # that each draft takes
        self.error: Exception = RuntimeError("no error was set")
        self.begun: list[str] = []  # questions, in the order of their drafts
        self.before: dict[str, list[str]] = {}  # what each of them was told of the conversation
        self.ended: dict[str, float] = {}  # when, by question
        self.most_at_once = 0
        self._writing = 0
        self._changed = threading.Condition()

    def until(self, *begun: str) -> None:
        """Return when these drafts, and no others, were begun, in this order."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.begun == [*begun], 30), self.begun

    def complete(self, messages: Messages, tokens: int, cancel: threading.Event) -> Iterator[str]:
        call = Call(messages, tokens)
        question = call.question
        with self._changed:
            self.begun.append(question)
            self.before[question] = call.before
            self._writing += 1
            self.most_at_once = max(self.most_at_once, self._writing)
            self._changed.notify_all()
        try:
            while not self.gate.wait(0.01):
                if cancel.is_set():
                    return
            if self.single:
                self.gate.clear()
            if "broken" in question:
                raise self.error
            time.sleep(self.seconds)
            for word in f"{call.quotes[0]} [1]".split(" "):
                yield f"{word} "
            if "slow" in question:
                yield "\nThat"  # so that the sentence before is known to be complete
                cancel.wait(30)
        finally:
            with self._changed:
                self._writing -= 1
                self.ended[question] = time.monotonic()

    def warm_up(self) -> None:
        pass

    def close(self) -> None:
        pass
