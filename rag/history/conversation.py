"""What one visitor's conversation looks like at a moment: values and pure steps, no HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from rag.types import (
    Answer,
    Citation,
    Claim,
    ClaimVerified,
    Event,
    Evidence,
    EvidenceFound,
    Turn,
    Waiting,
)

Place: TypeAlias = tuple[str, int, int]  # article path, start, end
Context: TypeAlias = tuple[str, str]  # the sentences before and after a quote; "" where none is
State: TypeAlias = Literal["searching", "reading", "answered", "stopped", "failed"]
Rating: TypeAlias = Literal["up", "down"]


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: an Answer cannot be hashed
class Exchange:
    """One question and what is known of its answer so far."""

    number: int  # from 1, within the conversation
    question: str
    state: State = "searching"
    evidence: tuple[Evidence, ...] = ()
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    answer: Answer | None = None
    error: str | None = None
    contexts: Mapping[Place, Context] = field(default_factory=dict)
    ahead: int = 0  # answers to other questions that are written before this one
    limited: str = ""  # in words, the articles that it was asked of, if not of all
    asked: str | None = None  # ISO date
    rating: Rating | None = None  # the visitor's, of the answer
    note: str = ""  # beside the rating
    changed: frozenset[Place] = frozenset()  # sentences that their articles no longer have

    @property
    def working(self) -> bool:
        return self.state in {"searching", "reading"}

    @property
    def declined(self) -> bool:
        """True if the engine declined; a stopped answer was cut short, which is something else."""
        return self.state == "answered" and self.answer is not None and self.answer.declined

    def places(self) -> Iterator[Citation | Evidence]:
        """Every sentence that this exchange shows, the cited ones first."""
        yield from self.citations
        yield from self.evidence


def advance(exchange: Exchange, event: Event) -> Exchange:
    """Return the exchange as it is after one event of the engine."""
    if isinstance(event, EvidenceFound):
        return replace(exchange, state="reading", evidence=event.evidence)
    if isinstance(event, Waiting):
        return replace(exchange, ahead=event.ahead)
    if isinstance(event, ClaimVerified):
        return replace(
            exchange,
            claims=(*exchange.claims, event.claim),
            citations=(*exchange.citations, *event.citations),
        )
    return replace(
        exchange,
        state="answered",
        evidence=event.evidence,
        claims=event.claims,
        citations=event.citations,
        answer=event,
    )


def turns(exchanges: Iterable[Exchange]) -> list[Turn]:
    """Return the conversation as plain text, without markers: what the engine is given."""
    found: list[Turn] = []
    for exchange in exchanges:
        said = " ".join(claim.text for claim in exchange.claims)
        if exchange.declined and exchange.answer is not None:
            said = said or exchange.answer.reason or "The articles do not say."
        if said:
            found += [Turn("user", exchange.question), Turn("assistant", said)]
    return found
