"""The answering flow: question → evidence → draft → claims → checks → Answer.

Code picks the evidence and shows it at once; the language model only phrases it; every sentence of
its draft is checked against what it cites before it is shown.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rag.cite import Citer, DraftSentence, draft_sentences, says_not_found
from rag.config import Config
from rag.confidence import confidence
from rag.encoder import Encoder, load_encoder
from rag.errors import InputError
from rag.generate import Generator, load_generator
from rag.index import Index
from rag.manifest import default_index_dir
from rag.retrieve import (
    Candidate,
    evidence_of,
    find_candidates,
    looks_like_heading,
    make_query,
    passages_of,
    ranked,
)
from rag.smalltalk import GREETING, Intent, describe_contents, describe_origin, intent_of
from rag.sync import Progress, sync
from rag.types import (
    Answer,
    Article,
    ArticleSummary,
    Event,
    Evidence,
    EvidenceFound,
    Hit,
    SearchResult,
    Sentence,
    Turn,
)
from rag.verify import load_verifier, names

LEAD = 3  # sentences of a summary
NOT_ANSWERED = "The articles do not answer this."


@dataclass(frozen=True, slots=True)
class _Found:
    """What retrieval found for a question."""

    evidence: tuple[Evidence, ...]
    passages: tuple[Hit, ...]
    confidence: float


@dataclass
class _Run:
    """One question on its way to an answer."""

    question: str
    models: dict[str, str]
    started: float = field(default_factory=time.perf_counter)
    timings: dict[str, float] = field(default_factory=dict)  # milliseconds
    found: _Found = _Found((), (), 0.0)

    def mark(self, stage: str, since: float | None = None) -> float:
        """Note the time of a stage since its start, or since that of the question."""
        now = time.perf_counter()
        begun = self.started if since is None else since
        self.timings[stage] = round(1000 * (now - begun), 1)
        return now

    def answer(self, **parts: Any) -> Answer:
        self.mark("total")
        whole: dict[str, Any] = {
            "claims": (), "citations": (), "declined": False, "reason": None,
            "evidence": self.found.evidence, "confidence": self.found.confidence,
        }  # fmt: skip
        whole |= parts
        return Answer(self.question, timings_ms=self.timings, models=self.models, **whole)

    def decline(self, reason: str, **parts: Any) -> Answer:
        note = f"{NOT_ANSWERED} {reason}"
        return self.answer(declined=True, reason=reason, notes=(note,), **parts)


class Rag:
    """Answers questions about the articles of one index. Safe to use from several threads; one
    draft is written at a time.
    """

    def __init__(
        self, index: Index, config: Config, encoder: Encoder, generator: Generator
    ) -> None:
        self.index = index
        self.config = config
        self._encoder = encoder
        self._generator = generator
        self._verifier = load_verifier(config.verifier)

    @classmethod
    def open(
        cls, index: Path, config: Config = Config(), *, generator: Generator | None = None
    ) -> Self:
        """Open an index that ``sync`` made.

        Raises IndexMissing, IndexMismatch, IndexCorrupt, ModelError or UnknownName.
        """
        encoder = load_encoder(config.encoder, config.models_dir)
        return cls._opened(index, config, encoder, generator)

    @classmethod
    def for_articles(
        cls, articles: Path, config: Config = Config(), index: Path | None = None,
        progress: Progress = lambda _done, _all: None, *, generator: Generator | None = None,
    ) -> Self:  # fmt: skip
        """Build or update the index of a folder, then open it. Also raises ArticleError."""
        encoder = load_encoder(config.encoder, config.models_dir)
        folder = index or default_index_dir(articles)
        sync(articles, folder, config, encoder, progress)
        return cls._opened(folder, config, encoder, generator)

    @classmethod
    def _opened(
        cls, folder: Path, config: Config, encoder: Encoder, generator: Generator | None
    ) -> Self:
        index = Index.open(folder, config, encoder)
        try:
            return cls(index, config, encoder, generator or load_generator(config))
        except BaseException:
            index.close()
            raise

    def search(self, question: str, k: int = 10) -> SearchResult:
        """Return the best k passages and k evidence sentences, no language model involved."""
        question = checked(question, self.config)
        found = self._find(question, k)
        return SearchResult(question, found.confidence, found.passages[:k], found.evidence)

    def answer(
        self, question: str, *, history: Sequence[Turn] | None = None, date: str | None = None
    ) -> Answer:
        """Return the finished answer. Raises InputError or ModelError."""
        *_, last = self.stream(question, history=history, date=date)
        assert isinstance(last, Answer)
        return last

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,  # noqa: ARG002 - relative dates come with issue 4
        cancel: threading.Event | None = None,
    ) -> Iterator[Event]:
        """Yield the evidence, each verified claim, then the Answer.

        When ``cancel`` is set, the answer ends with the claims that were verified by then. Raises
        InputError or ModelError.
        """
        run = _Run(checked(question, self.config), self._models())
        cancel = cancel or threading.Event()
        if intent := intent_of(run.question):
            yield from self._about_the_collection(run, intent)
            return
        run.found = self._find(with_history(run.question, history or ()), self.config.evidence)
        run.timings["retrieve"] = round(1000 * (time.perf_counter() - run.started), 1)
        run.mark("first_evidence")
        yield EvidenceFound(run.found.evidence, run.found.confidence)
        if run.found.confidence < self.config.decline_below:
            yield run.decline("Nothing in them comes near enough to the question.")
            return
        yield from self._draft(run, history or (), cancel)

    def _draft(
        self, run: _Run, history: Sequence[Turn], cancel: threading.Event
    ) -> Iterator[Event]:
        citer = Citer(run.found.evidence, self._verifier, self._before)
        shown = run.found.evidence[: self.config.prompt_sentences]
        begun = time.perf_counter()
        verifying, draft, done, refused = 0.0, "", 0, False
        pieces = self._generator.draft(run.question, shown, history, cancel)
        for piece in _with_end(pieces):
            if piece is not None and "first_token" not in run.timings:
                run.mark("first_token")
            draft += piece or ""
            if cancel.is_set() and piece is None:
                break
            since = time.perf_counter()
            ready = draft_sentences(draft, complete=piece is None)
            for sentence in ready[done:]:
                if says_not_found(sentence.text):
                    refused = True
                elif claim := citer.add(sentence):
                    yield claim
            done = len(ready)
            verifying += time.perf_counter() - since
        run.mark("generate", begun)
        run.timings["verify"] = round(1000 * verifying, 1)
        parts = {"claims": tuple(citer.claims), "citations": tuple(citer.citations.values())}
        if citer.claims or cancel.is_set():
            yield run.answer(**parts)
        elif refused:
            yield run.decline("The sentences that come nearest do not say it.")
        else:
            yield run.decline("No answer could be verified against the sentences found.")

    def _find(self, question: str, k: int) -> _Found:
        query = make_query(question, self.index, self._encoder)
        best = ranked(find_candidates(query, self.index, self.config))
        return _Found(
            evidence=tuple(evidence_of(candidate) for candidate in best[:k]),
            passages=tuple(passages_of(best)),
            confidence=round(confidence(query, best), 4),
        )

    def _before(self, evidence: Evidence) -> list[Evidence]:
        """Return the sentences before one in its article, the nearest first."""
        article = self.index.article(evidence.article)
        return [
            _evidence(article, sentence)
            for sentence in reversed(self.index.sentences(evidence.article))
            if sentence.end <= evidence.start
        ]

    def _about_the_collection(self, run: _Run, intent: Intent) -> Iterator[Event]:
        contents = self.index.contents()
        run.mark("first_evidence")
        yield EvidenceFound((), 1.0)
        certain = {"confidence": 1.0}
        if intent in {"greeting", "thanks"}:
            yield run.answer(notes=(GREETING,), **certain)
        elif intent == "contents":
            yield run.answer(notes=(describe_contents(contents),), **certain)
        elif intent == "summary":
            yield from self._summarise(run, contents)
        elif len(contents) > 1 and not (path := self._article_meant(run.question)):
            yield run.answer(notes=("Which article do you mean?", describe_contents(contents)))
        else:
            article = self.index.article(path if len(contents) > 1 else contents[0].path)
            text, known = describe_origin(article, intent)
            if known:
                yield run.answer(notes=(text,), **certain)
            else:
                yield run.decline(text, **certain)

    def _article_meant(self, question: str) -> str | None:
        about = re.search(r"\b(?:about|on|of) (?!(?:this|it|that|the article)\b)(.+)", question)
        if not about:
            return None
        found = self._find(about[1], 1)
        return found.evidence[0].article if found.evidence else None

    def _summarise(self, run: _Run, contents: Sequence[ArticleSummary]) -> Iterator[Event]:
        meant = self._article_meant(run.question) if len(contents) > 1 else contents[0].path
        paths = [meant] if meant else [summary.path for summary in contents[:5]]
        leads = [
            _evidence(article, sentence)
            for path in paths
            if (article := self.index.article(path))
            for sentence in _lead(article, self.index.sentences(path), LEAD if meant else 1)
        ]
        citer = Citer(leads, self._verifier, self._before)
        for lead in leads:
            if claim := citer.add(DraftSentence(lead.quote, ())):
                yield claim
        yield run.answer(
            claims=tuple(citer.claims), citations=tuple(citer.citations.values()),
            evidence=tuple(leads), confidence=1.0,
        )  # fmt: skip

    def _models(self) -> dict[str, str]:
        config = self.config
        return {
            "encoder": config.encoder, "generator": config.generator,
            "model": self._generator.model, "verifier": config.verifier,
        }  # fmt: skip

    def article(self, path: str) -> Article:
        """Return an article. Raises ArticleError when there is none of that path."""
        return self.index.article(path)

    def sentences(self, path: str) -> tuple[Sentence, ...]:
        """Return the sentences of an article, in order."""
        return self.index.sentences(path)

    def contents(self) -> tuple[ArticleSummary, ...]:
        """Return what is indexed, by path."""
        return self.index.contents()

    def warm_up(self) -> None:
        """Load the language model now. Raises ModelError."""
        self._generator.warm_up()

    def close(self) -> None:
        """Let go of the index and end the language model."""
        self._generator.close()
        self.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()


def checked(question: str, config: Config) -> str:
    """Return a question without characters that cannot be encoded. Raises InputError."""
    clean = question.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").strip()
    if not clean:
        raise InputError("The question is empty.")
    if len(clean) > config.question_characters:
        raise InputError(
            f"The question is too long ({len(clean):,} characters; the limit is "
            f"{config.question_characters:,}). Shorten it."
        )
    return clean


LEANS = re.compile(
    r"^(?:and|but|so|why|how so|what about|how about)\b|\b(?:he|she|it|they|him|her|them|his|its|"
    r"their|that|this|those|these|there|then)\b",
    re.IGNORECASE,
)


def with_history(question: str, history: Sequence[Turn]) -> str:
    """Return what to search for: a question that leans on the one before, together with it."""
    before = [turn.text for turn in history if turn.role == "user"]
    if before and LEANS.search(question) and not names(question):
        return f"{before[-1]} {question}"
    return question


def _with_end(pieces: Iterator[str]) -> Iterator[str | None]:
    yield from pieces
    yield None


def _evidence(article: Article, sentence: Sentence) -> Evidence:
    quote = article.text[sentence.start : sentence.end]
    return Evidence(
        article.path, article.title, article.published, sentence.start, sentence.end, quote, 1.0
    )


def _lead(article: Article, sentences: Sequence[Sentence], count: int) -> list[Sentence]:
    texts = [s for s in sentences if not looks_like_heading(article.text[s.start : s.end])]
    return (texts or list(sentences))[:count]

