"""One question on its way to an answer: what was found for it, and when."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Self

from rag.answering.cite import Citer
from rag.answering.confidence import after_draft, confidence
from rag.retrieval.ranking import evidence_of, passages_of, unknown_names
from rag.retrieval.search import Search, strays
from rag.text.injection import set_aside
from rag.types import Answer, Evidence, Hit

LOOKED_AT = 10  # best sentences that confidence and unknown names are judged by
NOT_ANSWERED = "The articles do not answer this."


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval found for a question."""

    evidence: tuple[Evidence, ...]
    passages: tuple[Hit, ...]
    confidence: float
    unknown_names: tuple[str, ...] = ()  # in the question, but in no article
    asked_before: str = ""  # the question that this one follows on
    strays: bool = False  # it does not: it has words of its own, and what was found none of them

    @classmethod
    def of(cls, question: str, search: Search, k: int) -> Self:
        """Return the best k sentences of a search, and what all that it found says."""
        best = set_aside(question, search.best, max(k, LOOKED_AT))
        return cls(
            evidence=tuple(evidence_of(candidate) for candidate in best[:k]),
            passages=tuple(passages_of(search.best)),
            confidence=round(confidence(search.query, best), 4),
            unknown_names=unknown_names(search.query, best),
            asked_before=search.asked_before,
            strays=bool(search.asked_before) and strays(question, [c.terms for c in best]),
        )


@dataclass
class Run:
    """One question on its way to an answer."""

    question: str
    models: dict[str, str]
    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)  # milliseconds
    found: Found = Found((), (), 0.0)
    remarks: tuple[str, ...] = ()  # a question back; what is not embedded yet

    def mark(self, stage: str, since: float | None = None) -> float:
        """Note the time of a stage since its start, or since that of the question."""
        now = time.perf_counter()
        begun = self.started if since is None else since
        self.timings[stage] = round(1000 * (now - begun), 1)
        return now

    def drafted(self, *, answered: bool) -> None:
        """Note what the draft says about the question."""
        after = after_draft(self.found.confidence, answered=answered)
        self.found = replace(self.found, confidence=after)

    def answer(
        self, citer: Citer | None = None, *, notes: tuple[str, ...] = (), reason: str | None = None
    ) -> Answer:
        """Return the answer; a ``reason`` makes it a refusal."""
        self.mark("total")
        return Answer(
            question=self.question,
            claims=tuple(citer.claims) if citer else (),
            citations=tuple(citer.citations.values()) if citer else (),
            evidence=self.found.evidence,
            declined=reason is not None,
            reason=reason,
            confidence=self.found.confidence,
            notes=(*notes, *self.remarks),
            timings_ms=self.timings,
            models=self.models,
        )

    def decline(self, reason: str) -> Answer:
        return self.answer(notes=(f"{NOT_ANSWERED} {reason}",), reason=reason)
