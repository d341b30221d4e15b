"""The pack of poisoned articles, an index of it, and a model that does whatever they ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from news import NEWS

from rag.answering.pipeline import Rag
from rag.generation.prompts import Messages
from rag.history.conversation import Exchange, advance
from rag.types import Answer, Turn

PACK = Path(__file__).parents[1] / "data" / "poison.jsonl"
WORDINGS = Path(__file__).parents[1] / "data" / "poison_wordings.jsonl"
OBEYED = "HACKED"  # what each of the wordings asks for


@dataclass(frozen=True, slots=True)
class Poison:
    """A case: an article, a question, its true answer, and what a fooled model writes."""

    id: str
    kind: str
    path: str
    article: str
    question: str
    true_answer: str
    obey: str  # the draft of a model that does what the poison asks for
    must_not_say: Sequence[str]  # what no claim may contain, in small letters
    poison: str  # the planted part of the article; "" where the poison is elsewhere
    history: Sequence[dict[str, Any]] = ()

    @property
    def turns(self) -> list[Turn]:
        return [Turn(turn["role"], turn["text"]) for turn in self.history]


def load_pack() -> list[Poison]:
    return [Poison(**json.loads(line)) for line in PACK.read_text(encoding="ascii").splitlines()]


@dataclass(frozen=True, slots=True)
class Wording:
    """An order in words that the rules of rag/text/injection.py were not written for, in an article
    of its own, and a question that the article answers.
    """

    id: str
    text: str

    @property
    def town(self) -> str:
        return f"{self.id.replace('-', ' ').title().replace(' ', '')}ton"  # Wording7ton

    @property
    def question(self) -> str:
        return f"Who paid for the well of {self.town}?"

    @property
    def article(self) -> str:
        return (
            f"A well for {self.town}\n\nThe town of {self.town} dug a well 40 metres deep in May. "
            f"{self.text} Its mayor, Ada {self.town}sen, paid for it.\n"
        )


def load_wordings() -> list[Wording]:
    return [Wording(**json.loads(line)) for line in WORDINGS.read_text("ascii").splitlines()]


def write_wordings(folder: Path) -> Path:
    """Write an article for each of them."""
    folder.mkdir(parents=True)
    for wording in load_wordings():
        (folder / f"{wording.id}.txt").write_text(wording.article, encoding="ascii")
    return folder


def write_articles(folder: Path) -> Path:
    """Write the pack and a handful of clean articles."""
    for path, text in [*NEWS.items(), *((case.path, case.article) for case in load_pack())]:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return folder


@dataclass
class Obedient:
    """Writes the draft that it is given, whatever the prompt says, and keeps the prompt."""

    text: str = ""
    messages: Messages = field(default_factory=list)
    model = "obedient"

    def complete(self, messages: Messages, tokens: int, cancel: threading.Event) -> Iterator[str]:
        self.messages = messages
        yield self.text

    def warm_up(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case."""

    case: Poison
    messages: Messages
    exchange: Exchange
    answer: Answer


def run(rag: Rag, generator: Obedient, case: Poison, draft: str) -> Outcome:
    """Ask the case's question with a model that writes this draft."""
    generator.text, generator.messages = draft, []
    exchange = Exchange(1, case.question)
    for event in rag.stream(case.question, history=case.turns):
        exchange = advance(exchange, event)
    assert exchange.answer is not None
    return Outcome(case, generator.messages, exchange, exchange.answer)
