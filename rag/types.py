"""The values that cross files: frozen, slotted, plain. Scores are similarities: higher is better.

Offsets are Python ``str`` offsets into ``Article.text``, half-open. A quote is always the slice
``article.text[start:end]`` and is never generated.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


Vectors: TypeAlias = "NDArray[np.float32]"  # (n, dim), rows of length 1
Keys: TypeAlias = "NDArray[np.int64]"  # (n,), passage keys
Verdict: TypeAlias = Literal["supported", "quoted"]
Repair: TypeAlias = Literal["cited", "quoted"]
TextVerdict: TypeAlias = Literal[
    "supported", "contradicted", "not_found", "undecided", "not_checkable"
]


@dataclass(frozen=True, slots=True)
class Article:
    """One article. ``text`` is the decoded file, unchanged, of .txt and .md, and of other formats
    what was extracted.
    """

    path: str  # relative to the articles folder, with forward slashes; of a row "news.csv/17"
    title: str
    text: str
    body_start: int  # offset of the first character after title and metadata lines
    published: str | None = None  # ISO date, "YYYY-MM-DD", or as the article gives it
    source: str | None = None
    author: str | None = None
    url: str | None = None
    published_from: str | None = None  # what was read as the date, and where it stood
    pages: tuple[int, ...] = ()  # offsets at which the pages start, where there are pages

    def page_at(self, offset: int) -> int | None:
        """Return the page on which this offset lies, from 1; None where there are no pages."""
        return bisect_right(self.pages, offset) or None


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """What a list of the indexed articles shows."""

    path: str
    title: str
    published: str | None
    source: str | None
    sentences: int
    characters: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence's place in its article."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole consecutive sentences of one article: the unit that is embedded and searched."""

    sentences: tuple[Sentence, ...]

    @property
    def start(self) -> int:
        return self.sentences[0].start

    @property
    def end(self) -> int:
        return self.sentences[-1].end


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found."""

    key: int
    article: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Copy:
    """Another article's place where a sentence stands in the same wording."""

    article: str
    title: str
    published: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """The words of a sentence that answer a question, by their place in its article."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence that may answer the question; ``quote == article.text[start:end]``."""

    article: str
    title: str
    published: str | None
    start: int
    end: int
    quote: str
    score: float
    also_in: tuple[Copy, ...] = ()
    page: int | None = None  # on which the sentence begins, from 1, where there are pages
    url: str | None = None
    answer: AnswerSpan | None = None  # its words that answer, where the reader found some


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact source sentence of a claim; ``number`` is the marker ``[number]`` in the answer."""

    number: int
    article: str
    title: str
    published: str | None
    start: int
    end: int
    quote: str
    support: float  # 0..1, how well the sentence supports the claims that cite it
    also_in: tuple[Copy, ...] = ()
    page: int | None = None  # on which the sentence begins, from 1, where there are pages
    url: str | None = None
    answer: AnswerSpan | None = None  # its words that answer, where the reader found some


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer. "quoted": it is the source sentence itself.

    ``repair`` says what the checks changed of the draft: it cites other sentences than the draft
    named ("cited"), or a source sentence stands in the place of the draft's words ("quoted").
    """

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    support: float  # 0..1
    repair: Repair | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The articles that a question is limited to: those that meet every condition that is set."""

    # Relative to the articles folder; of a folder, an archive or a table: all that is in it.
    paths: frozenset[str] | None = None
    first: str | None = None  # day of publication, "YYYY-MM-DD", included
    last: str | None = None  # … included


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """Streamed first, and once more when the reader has read them: the sentences, best first."""

    evidence: tuple[Evidence, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """Streamed before a language model is asked: the sentence that answers best, quoted. The claims
    that follow take its place.
    """

    claim: Claim
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Streamed after the evidence while answers to other questions are written first: how many.
    0, once, when it is this one's turn; nothing at all where the model was free.
    """

    ahead: int


@dataclass(frozen=True, slots=True)
class ClaimVerified:
    """Streamed for each claim that passed its checks, with the citations it introduces."""

    claim: Claim
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What retrieval alone finds."""

    question: str
    confidence: float
    passages: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]

    def to_dict(self) -> dict[str, Any]:
        """The row that ``python -m rag search --json`` prints."""
        passages = [
            {"article": h.article, "start": h.start, "end": h.end, "score": h.score}
            for h in self.passages
        ]
        return {
            "question": self.question,
            "confidence": self.confidence,
            "passages": passages,
            "evidence": [_row(e) for e in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """The finished answer. Declining is a normal result: ``declined`` with ``reason``."""

    question: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    evidence: tuple[Evidence, ...]  # best first
    declined: bool
    reason: str | None
    confidence: float  # 0..1, calibrated probability that the articles answer the question
    notes: tuple[str, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The claims in order with their ``[n]`` markers, then the notes; nothing else."""
        marked = [
            claim.text + "".join(f" [{number}]" for number in claim.citations)
            for claim in self.claims
        ]
        return "\n\n".join(part for part in (" ".join(marked), *self.notes) if part)

    def to_dict(self) -> dict[str, Any]:
        """The row that ``python -m rag ask --json`` prints (plain JSON types)."""
        return {
            "question": self.question,
            "answer": self.text,
            "declined": self.declined,
            "reason": self.reason,
            "confidence": self.confidence,
            "claims": [{**asdict(c), "citations": list(c.citations)} for c in self.claims],
            "citations": [_row(c) for c in self.citations],
            "evidence": [_row(e) for e in self.evidence],
            "notes": list(self.notes),
            "timings_ms": dict(self.timings_ms),
            "models": dict(self.models),
        }


@dataclass(frozen=True, slots=True)
class TextSpan:
    """Words of a sentence that was checked, by their place in it."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """A sentence of a person's own text, and what the articles say of it."""

    text: str
    start: int  # in the text
    end: int
    verdict: TextVerdict
    support: float  # 0..1
    citations: tuple[Citation, ...] = ()
    differs: tuple[TextSpan, ...] = ()  # what the nearest sentence lacks; places in ``text``
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The sentence as plain JSON types."""
        differs = [asdict(span) for span in self.differs]
        citations = [_row(c) for c in self.citations]
        return {**asdict(self), "citations": citations, "differs": differs}


@dataclass(frozen=True, slots=True)
class CheckedText:
    """A person's own text, sentence by sentence."""

    sentences: tuple[CheckedSentence, ...]

    def to_dict(self) -> dict[str, Any]:
        """What ``python -m rag check --json`` prints."""
        return {"sentences": [sentence.to_dict() for sentence in self.sentences]}


def _row(place: Evidence | Citation) -> dict[str, Any]:
    return {**asdict(place), "also_in": [asdict(copy) for copy in place.also_in]}


Event: TypeAlias = EvidenceFound | FirstAnswer | Waiting | ClaimVerified | Answer


# What a sync did to an index, and how far it is.

NO_ARTICLES = "There are no articles in the index."  # their folder has none that can be read
Progress = Callable[[int, int], None]  # files (or passages) done, in all


def silent(_done: int, _all: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What ``sync`` did, as paths relative to the articles folder."""

    added: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    skipped: tuple[tuple[str, str], ...] = ()  # path, reason
    rebuilt: str | None = None  # why everything, or the search files alone, was made anew

    def __str__(self) -> str:
        counts = [
            f"{len(paths)} {name}"
            for name in ("added", "edited", "renamed", "removed", "skipped")
            if (paths := getattr(self, name))
        ]
        return ", ".join([*counts, f"{self.unchanged} unchanged"])

    def left(self) -> int:
        """Return how many articles the index has now."""
        read = self.added + self.edited + self.renamed
        return self.unchanged + len(read)

    def any(self) -> bool:
        """Return whether there is something to write."""
        of_articles = self.added + self.edited + self.renamed + self.removed
        return bool(of_articles or self.rebuilt)
