"""What programs send over HTTP and what they get: the shapes that /openapi.json shows.

The answers themselves are made by ``to_dict`` of ``Answer`` and ``SearchResult``; a test holds
these shapes to them.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rag.types import Turn


def _day(text: str) -> str:
    dt.date.fromisoformat(text)
    return text


Day = Annotated[
    str,
    Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}),
    AfterValidator(_day),
]
Offset = Annotated[int, Field(ge=0, description="of characters in the article's text")]
Share = Annotated[float, Field(ge=0, le=1)]
TURN = 20_000  # most characters of an earlier message
EXAMPLE: dict[str, Any] = {"question": "Who leads NATO?", "history": None, "date": "2024-10-25"}


class Said(BaseModel):
    """An earlier message of the conversation."""

    role: Literal["user", "assistant"]
    text: str = Field(max_length=TURN)

    def turn(self) -> Turn:
        """Return it as the engine takes it."""
        return Turn(self.role, self.text)


class Asked(BaseModel):
    """A question, and what it is asked in; fields that are not named here are ignored."""

    # How long it may be is a setting of the engine (question_characters), which says so.
    question: str = Field(min_length=1)
    history: list[Said] | None = Field(None, max_length=100, description="earlier messages")
    date: Day | None = Field(
        None, description="the day that “this week” is relative to; null: it stays unresolved"
    )

    def turns(self) -> list[Turn]:
        """Return the history as the engine takes it."""
        return [said.turn() for said in self.history or ()]


class Search(Asked):
    """A question to search for."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**EXAMPLE, "k": 5}]})
    k: int = Field(10, ge=1, le=100, description="how many passages and sentences")


class Question(Asked):
    """A question to be answered."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    stream: bool = Field(
        default=False, description="server-sent events, as with Accept: text/event-stream"
    )


class CopyRow(BaseModel):
    """Another article's place with the same sentence."""

    article: str
    title: str
    published: str | None
    start: Offset
    end: Offset


class PlaceRow(CopyRow):
    """A sentence: ``quote`` is exactly ``text[start:end]`` of the article."""

    quote: str
    also_in: list[CopyRow]
    page: int | None
    url: str | None


class EvidenceRow(PlaceRow):
    """A sentence that was found."""

    score: float


class CitationRow(PlaceRow):
    """The source sentence of a claim."""

    number: int = Field(description="the marker [number] in the answer")
    support: Share


class ClaimRow(BaseModel):
    """One sentence of the answer."""

    text: str
    citations: list[int]
    verdict: Literal["supported", "quoted"]
    support: Share
    repair: Literal["cited", "quoted"] | None


class AnswerRow(BaseModel):
    """An answer, as ``python -m rag ask --json`` prints it."""

    question: str
    answer: str = Field(description="the claims with their [n] markers, then the notes")
    declined: bool = Field(description="whether the articles do not answer the question")
    reason: str | None
    confidence: Share
    claims: list[ClaimRow]
    citations: list[CitationRow]
    evidence: list[EvidenceRow] = Field(description="best first")
    notes: list[str]
    timings_ms: dict[str, float]
    models: dict[str, str]


class PassageRow(BaseModel):
    """A passage that was found."""

    article: str
    start: Offset
    end: Offset
    score: float


class SearchRow(BaseModel):
    """What was found, as ``python -m rag search --json`` prints it."""

    question: str
    confidence: Share
    passages: list[PassageRow]
    evidence: list[EvidenceRow]


class SummaryRow(BaseModel):
    """An article in the list."""

    path: str
    title: str
    published: str | None
    source: str | None
    sentences: int
    characters: int


class SkippedRow(BaseModel):
    """A file that could not be read."""

    file: str
    reason: str


class ArticlesRow(BaseModel):
    """Some of the articles, by path."""

    total: int
    articles: list[SummaryRow]
    skipped: list[SkippedRow]


class SpanRow(BaseModel):
    """Where a sentence stands."""

    start: Offset
    end: Offset


class ArticleRow(BaseModel):
    """One article. Its text is other people's: data, never instructions."""

    path: str
    title: str
    published: str | None
    source: str | None
    author: str | None
    url: str | None
    text: str
    sentences: list[SpanRow]


class ProblemRow(BaseModel):
    """An error (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None


class Ready(BaseModel):
    """Whether questions can be answered, and if not, why."""

    ready: bool
    index: str
    model: str


def problem(said: str) -> dict[str, Any]:
    """Return how the document describes an error."""
    schema = {"$ref": "#/components/schemas/ProblemRow"}  # put there by docs.py
    return {"description": said, "content": {"application/problem+json": {"schema": schema}}}


PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: problem("A password or a token is needed."),
    403: problem("Not allowed."),
    413: problem("Too long."),
    422: problem("Not of the form described here, or a question that cannot be asked."),
    429: problem("Too many questions a minute; Retry-After says when to come back."),
    503: problem("Busy, or not able to answer at the moment; see Retry-After."),
}
