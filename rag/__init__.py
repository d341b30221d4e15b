"""Footnote: cited answers over your own articles, on your own machine.

    from rag import answer
    print(answer("Where were the troops sent?", articles="seeds").text)

Asking     answer(), Rag (stream, answer, search), Scope, Config
Results    Answer, Claim, Citation, Evidence, SearchResult, Hit, Turn,
           and what Rag.stream() yields: EvidenceFound, FirstAnswer, Waiting,
           ClaimVerified, Answer
Articles   Article, ArticleSummary, Sentence, Passage
Errors     RagError and its kinds, drawn as a tree in rag/errors.py

Heavy libraries load only when an index is opened.

The package is made of rooms, in the order of the data; each imports only those before it:

text/          sentences, terms, numbers, dates, names, negation; what is done to untrusted text
ingest/        a folder of files → articles → passages; loaders/ has one file a format
models/        model files on disk, the encoder and the reader
index/         the store: SQLite, vectors, BM25; its sync; an opened index
retrieval/     question → candidates → ranked evidence
generation/    question and evidence → a draft
verification/  does a sentence say the claim?
answering/     Rag: search → decline? → draft → cite → verify → Answer
evaluation/    cases × system → metrics, report, comparison
server/        what page and interfaces share: settings, access, limits, background updates
history/       conversations that are kept
web/           the page
api/           HTTP, OpenAI-compatible, MCP
cli/           one file a command
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.config import Config
from rag.errors import (
    ArticleError,
    IndexCorrupt,
    IndexMismatch,
    IndexMissing,
    InputError,
    ModelError,
    RagError,
    UnknownName,
)
from rag.types import (
    Answer,
    Article,
    ArticleSummary,
    CheckedSentence,
    CheckedText,
    Citation,
    Claim,
    ClaimVerified,
    Evidence,
    EvidenceFound,
    FirstAnswer,
    Hit,
    Passage,
    Scope,
    SearchResult,
    Sentence,
    Turn,
    Waiting,
)

if TYPE_CHECKING:
    from rag.answering.pipeline import Rag

__version__ = "0.3.0"
__all__ = [
    "Answer",
    "Article",
    "ArticleError",
    "ArticleSummary",
    "CheckedSentence",
    "CheckedText",
    "Citation",
    "Claim",
    "ClaimVerified",
    "Config",
    "Evidence",
    "EvidenceFound",
    "FirstAnswer",
    "Hit",
    "IndexCorrupt",
    "IndexMismatch",
    "IndexMissing",
    "InputError",
    "ModelError",
    "Passage",
    "Rag",
    "RagError",
    "Scope",
    "SearchResult",
    "Sentence",
    "Turn",
    "UnknownName",
    "Waiting",
    "answer",
    "check",
]


def answer(
    question: str,
    articles: str | Path = "seeds",
    *,
    history: Sequence[Turn | Mapping[str, Any]] | None = None,
    date: str | None = None,
    index: str | Path | None = None,
    config: Config | None = None,
) -> Answer:
    """Answer one question about a folder of articles, with the exact sentence for every claim.

    Builds or updates the folder's index first: by default in the repository's ``embeddings/``, or
    with the user's data where Footnote is installed. Keep a ``Rag`` for several questions: it
    loads its models once. ``history`` are earlier turns, as ``Turn`` or
    as ``{"role": "user" or "assistant", "text": …}``; ``date`` is "YYYY-MM-DD", the day on which
    the question is asked; without it "this week" stays unresolved.
    Raises a ``RagError``: ArticleError, IndexMismatch, ModelError, InputError …
    """
    from rag.answering.pipeline import Rag

    turns = [t if isinstance(t, Turn) else Turn(t["role"], t["text"]) for t in history or ()]
    place = Path(index) if index is not None else None
    with Rag.for_articles(Path(articles), config or Config(), place) as opened:
        return opened.answer(question, history=turns, date=date)


def check(
    text: str,
    articles: str | Path = "seeds",
    *,
    index: str | Path | None = None,
    config: Config | None = None,
) -> CheckedText:
    """Say of each sentence of a text whether a folder of articles says it; see ``answer``."""
    from rag.answering.pipeline import Rag

    settings = replace(config or Config(), generator="extractive")
    place = Path(index) if index is not None else None
    with Rag.for_articles(Path(articles), settings, place) as opened:
        return opened.check(text)


def __getattr__(name: str) -> Any:
    if name == "Rag":
        from rag.answering.pipeline import Rag

        return Rag
    raise AttributeError(f"module 'rag' has no attribute {name!r}")
