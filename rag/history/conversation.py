"""What one visitor's conversation looks like at a moment: values and pure steps, no HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, TypeVar

from rag.errors import RagError
from rag.types import (
    Answer,
    Article,
    Citation,
    Claim,
    ClaimVerified,
    Event,
    Evidence,
    EvidenceFound,
    FirstAnswer,
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
    provisional: bool = False  # what it says is the first answer; claims take its place
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
    if isinstance(event, FirstAnswer):
        return replace(exchange, claims=(event.claim,), citations=event.citations, provisional=True)
    if isinstance(event, ClaimVerified):
        claims, citations = exchange.claims, exchange.citations
        if exchange.provisional:
            claims, citations = (), ()
        return replace(
            exchange,
            claims=(*claims, event.claim),
            citations=(*citations, *event.citations),
            provisional=False,
        )
    return replace(
        exchange,
        state="answered",
        evidence=event.evidence,
        claims=event.claims,
        citations=event.citations,
        answer=event,
        provisional=False,
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


# A kept conversation over the articles as they are now: where each quoted sentence stands.

Read = Callable[[str], Article]  # path → the article; raises RagError
Quoted = TypeVar("Quoted", Citation, Evidence)


def reopened(exchanges: Sequence[Exchange], read: Read) -> tuple[Exchange, ...]:
    """Return the exchanges with each sentence at its present place.

    A sentence that stands elsewhere in its article now, once and word for word, has moved. Another
    one that is not where it was is among the exchange's ``changed``.
    """
    articles: dict[str, Article | None] = {}
    return tuple(_reopened(exchange, read, articles) for exchange in exchanges)


def _reopened(exchange: Exchange, read: Read, articles: dict[str, Article | None]) -> Exchange:
    for place in exchange.places():
        if place.article not in articles:
            articles[place.article] = _read(read, place.article)
    citations = tuple(_present(c, articles[c.article]) for c in exchange.citations)
    evidence = tuple(_present(e, articles[e.article]) for e in exchange.evidence)
    found = replace(exchange, citations=citations, evidence=evidence)
    changed = frozenset(
        (place.article, place.start, place.end)
        for place in found.places()
        if not stands(place, articles[place.article])
    )
    return replace(found, changed=changed)


def _read(read: Read, path: str) -> Article | None:
    try:
        return read(path)
    except RagError:  # deleted, renamed, or damaged
        return None


def stands(place: Citation | Evidence, article: Article | None) -> bool:
    """Return whether the quote is the slice of the article that it says it is."""
    return article is not None and article.text[place.start : place.end] == place.quote


def _present(place: Quoted, article: Article | None) -> Quoted:
    if article is None or not place.quote or stands(place, article):
        return place
    start = article.text.find(place.quote)
    if start < 0 or article.text.find(place.quote, start + 1) >= 0:
        return place
    return replace(place, start=start, end=start + len(place.quote), page=article.page_at(start))
