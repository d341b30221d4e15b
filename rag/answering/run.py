"""One question on its way to an answer: what was retrieved for it, how long each stage took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.answering.cite import Citer
from rag.answering.confidence import after_reading, confidence
from rag.config import Config
from rag.errors import ModelError
from rag.index.index import Index
from rag.models.encoder import Encoder
from rag.models.reader import Reader
from rag.retrieval.question import is_polar
from rag.retrieval.ranking import evidence_of, passages_of, unknown_names
from rag.retrieval.reading import read
from rag.retrieval.search import Findings, find, is_off_topic
from rag.text.injection import set_aside
from rag.types import Answer, Evidence, Hit, Turn

JUDGED = 10  # best sentences that confidence and unknown names are judged by
UNREAD = "The sentences were ranked by their words alone, without the reader."
NOT_ANSWERED = "The articles do not answer this."


@dataclass(frozen=True, slots=True)
class Retrieval:
    """What was retrieved for a question."""

    evidence: tuple[Evidence, ...] = ()
    passages: tuple[Hit, ...] = ()
    confidence: float = 0.0  # probability that the articles answer the question
    unknown_names: tuple[str, ...] = ()  # in the question, but in no article
    previous: str = ""  # the question that this one follows on
    off_topic: bool = False  # the sentences fit the previous question, and not this one
    is_read: bool = False  # by the reader
    remark: str = ""  # why it was not


@dataclass
class Run:
    """One question on its way to an answer."""

    question: str
    models: dict[str, str]
    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)  # milliseconds
    retrieval: Retrieval = Retrieval()
    remarks: tuple[str, ...] = ()  # a question back; what is not embedded yet

    def mark(self, stage: str, since: float | None = None) -> float:
        """Note the time of a stage since its start, or since that of the question."""
        now = time.perf_counter()
        begun = self.started if since is None else since
        self.timings[stage] = round(1000 * (now - begun), 1)
        return now

    def found(self, retrieval: Retrieval) -> None:
        """Take what was retrieved: at once, and again when it has been read."""
        self.retrieval = retrieval
        if "first_evidence" in self.timings:
            self.mark("read")
        else:
            self.mark("retrieve")
            self.mark("first_evidence")

    def judge(self, confidence: float) -> None:
        self.retrieval = replace(self.retrieval, confidence=confidence)

    def answer(
        self, citer: Citer | None = None, *, notes: tuple[str, ...] = (), reason: str | None = None
    ) -> Answer:
        """Return the answer; a ``reason`` makes it a refusal."""
        self.mark("total")
        return Answer(
            question=self.question,
            claims=tuple(citer.claims) if citer else (),
            citations=tuple(citer.citations.values()) if citer else (),
            evidence=self.retrieval.evidence,
            declined=reason is not None,
            reason=reason,
            confidence=self.retrieval.confidence,
            notes=(*notes, *self.remarks),
            timings_ms=self.timings,
            models=self.models,
        )

    def decline(self, reason: str) -> Answer:
        return self.answer(notes=(f"{NOT_ANSWERED} {reason}",), reason=reason)


def retrieve(
    question: str,
    k: int,
    date: str | None,
    history: Sequence[Turn],
    index: Index,
    encoder: Encoder,
    reader: Reader | None,
    config: Config,
) -> Iterator[Retrieval]:
    """Yield what is retrieved for a question, and once more when it has been read.

    A yes-or-no question is not, since no words of a sentence are its answer; nor is a follow-up,
    since the reader knows questions that stand alone.
    """
    findings = find(question, history, index, encoder, config, date)
    found = _retrieval(question, findings, k)
    yield found
    alone = not findings.previous and not is_polar(question)
    if reader is None or not findings.best or not alone:
        return
    try:
        best = read(question, findings.best, reader, index)
    except ModelError as error:
        yield replace(found, remark=f"{UNREAD} {error}")
    else:
        yield _retrieval(question, replace(findings, best=best), k, found.confidence)


def _retrieval(question: str, findings: Findings, k: int, unread: float | None = None) -> Retrieval:
    # Sentences that address a language model come after the others.
    best = set_aside(question, findings.best, max(k, JUDGED))
    follows = bool(findings.previous)
    reading = best[0].reading if best else None
    if unread is None or reading is None:
        probable = confidence(findings.query, best)
    else:
        probable = after_reading(unread, reading.score)
    return Retrieval(
        evidence=tuple(evidence_of(candidate) for candidate in best[:k]),
        passages=tuple(passages_of(findings.best)),
        confidence=round(probable, 4),
        unknown_names=unknown_names(findings.query, best),
        previous=findings.previous,
        is_read=reading is not None,
        off_topic=follows and is_off_topic(question, [c.terms for c in best]),
    )
