"""The answering flow: question → evidence → draft → claims → checks → Answer.

Code picks the evidence and shows it at once; the language model only phrases it; every sentence of
its draft is checked against what it cites before it is shown. ``Rag._stream`` is the whole of it.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Self

from rag.answering.cite import Citer
from rag.answering.clarify import asking_back
from rag.answering.collection import Intent, intent_of, reply, sentences_before
from rag.answering.confidence import after_draft, confidence, least_confidence
from rag.answering.draft import draft_sentences, extract, says_not_found
from rag.answering.refusal import why_not
from rag.answering.supplement import supplement
from rag.config import Config
from rag.generation import prompts
from rag.generation.generators import Generator as DraftGenerator
from rag.generation.generators import load_generator
from rag.generation.queue import DraftQueue
from rag.index.index import Index, OpenIndex
from rag.index.manifest import default_index_dir
from rag.index.sync import sync
from rag.ingest.folder import check_folder
from rag.models.encoder import Encoder, load_encoder
from rag.retrieval.question import checked, has_parts
from rag.retrieval.ranking import evidence_of, passages_of, unknown_names
from rag.retrieval.scope import within
from rag.retrieval.search import find, is_off_topic
from rag.text.injection import set_aside
from rag.text.language import foreign_language
from rag.types import (
    NO_ARTICLES,
    Answer,
    Event,
    Evidence,
    EvidenceFound,
    Hit,
    Progress,
    Scope,
    SearchResult,
    Turn,
    Waiting,
    silent,
)
from rag.verification.verifiers import load_verifier

JUDGED = 10  # best sentences that confidence and unknown names are judged by
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


class Rag(OpenIndex):
    """Answers questions about the articles of one index. Several threads may ask at once."""

    def __init__(
        self,
        index: Index,
        config: Config,
        encoder: Encoder,
        generator: DraftGenerator | None,
        *,
        citer: type[Citer] = Citer,
    ) -> None:
        super().__init__(index, config, encoder)
        self._citer = citer  # what makes claims of drafts
        self._generator = generator  # None: drafts are the evidence's own sentences
        self._drafts = DraftQueue(generator) if generator else None
        self._verifier = load_verifier(config.verifier, config)
        self._least = least_confidence(config, reads=generator is not None)

    @classmethod
    def open(
        cls,
        index: Path,
        config: Config | None = None,
        *,
        generator: DraftGenerator | None = None,
        encoder: Encoder | None = None,
    ) -> Self:
        """Open an index that ``sync`` made.

        ``generator`` and ``encoder``: instead of those that the settings name.
        Raises IndexMissing, IndexMismatch, IndexCorrupt, ModelError or UnknownName.
        """
        config = config or Config()
        encoder = encoder or load_encoder(config.encoder, config.models_dir)
        return cls._opened(index, config, encoder, generator)

    @classmethod
    def for_articles(
        cls,
        articles: Path,
        config: Config | None = None,
        index: Path | None = None,
        progress: Progress = silent,
        embedding: Progress = silent,
        *,
        generator: DraftGenerator | None = None,
        encoder: Encoder | None = None,
        vectors: bool = True,
    ) -> Self:
        """Build or update the index of a folder, then open it; see ``rag.index.sync`` for the rest.

        Also raises ArticleError.
        """
        config = config or Config()
        check_folder(articles)  # before a model is loaded, or missed
        encoder = encoder or load_encoder(config.encoder, config.models_dir)
        folder = index or default_index_dir(articles)
        sync(articles, folder, config, encoder, progress, embedding, vectors=vectors)
        return cls._opened(folder, config, encoder, generator)

    @classmethod
    def _opened(
        cls, folder: Path, config: Config, encoder: Encoder, generator: DraftGenerator | None
    ) -> Self:
        index = Index.open(folder, config, encoder)
        try:
            return cls(index, config, encoder, generator or load_generator(config))
        except BaseException:
            index.close()
            raise

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
        scope: Scope | None = None,
    ) -> SearchResult:
        """Return the best k passages and k evidence sentences, no language model involved.

        ``history``: earlier turns, to complete a follow-up. ``date`` (ISO): the day that "this
        week" is relative to. ``scope``: the only articles that are searched.
        """
        question = checked(question, self.config.question_characters)
        retrieval = self._pinned(scope)._retrieve(question, k, date, history or ())  # noqa: SLF001
        return SearchResult(
            question, retrieval.confidence, retrieval.passages[:k], retrieval.evidence
        )

    def answer(
        self,
        question: str,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
        scope: Scope | None = None,
    ) -> Answer:
        """Return the finished answer. Raises InputError or ModelError."""
        *_, last = self.stream(question, history=history, date=date, scope=scope)
        assert isinstance(last, Answer)
        return last

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
        cancel: threading.Event | None = None,
        scope: Scope | None = None,
    ) -> Iterator[Event]:
        """Yield the evidence, Waiting while other drafts come first, each verified claim, then the
        Answer. When ``cancel`` is set, the answer ends with the claims that were verified by then.

        No other articles exist for it than those of the ``scope``. Raises InputError or ModelError.
        """
        cancel = cancel or threading.Event()
        return self._pinned(scope)._stream(question, history or (), date, cancel)  # noqa: SLF001

    def _pinned(self, scope: Scope | None) -> Self:
        pinned = copy.copy(self)  # one state of the index to the end, whatever refresh() does
        pinned.index = within(self.index, scope)
        return pinned

    def _stream(
        self, question: str, history: Sequence[Turn], date: str | None, cancel: threading.Event
    ) -> Iterator[Event]:
        run = Run(checked(question, self.config.question_characters), self._models())
        intent = intent_of(run.question)
        if self.index.empty and intent != "greeting":
            run.mark("first_evidence")
            yield EvidenceFound((), 0.0)
            yield run.answer(notes=(NO_ARTICLES,), reason=NO_ARTICLES)
            return
        if intent:
            yield from self._about_the_collection(run, intent)
            return
        # Evidence: shown at once.
        retrieval = self._retrieve(run.question, self.config.evidence, date, history)
        run.retrieval = retrieval
        run.mark("retrieve")
        run.mark("first_evidence")
        yield EvidenceFound(retrieval.evidence, retrieval.confidence)
        # Answered at all? Else declined before a draft is written.
        asks = asking_back(
            run.question, history, retrieval.passages, lambda path: self.index.article(path).title
        )
        run.remarks = tuple(remark for remark in (asks, self.behind()) if remark)
        if language := foreign_language(run.question, (e.quote for e in retrieval.evidence)):
            yield run.decline(
                f"The question seems to be in {language}, and they are not. English questions "
                "about English articles are supported."
            )
            return
        if retrieval.confidence < self._least:
            yield run.decline("Nothing in them comes near enough to the question.")
            return
        # Draft → claims, each verified before it is yielded.
        citer = self._citer(
            run.question,
            retrieval.evidence,
            self._verifier,
            partial(sentences_before, self.index),
            repairs=not (retrieval.unknown_names or retrieval.off_topic),
            previous=retrieval.previous,
        )
        refused = yield from self._claims(run, citer, history, cancel)
        if cancel.is_set():
            yield run.answer(citer)
            return
        # A draft that refuses and answers says nothing about the question.
        if self._drafts and not (refused and citer.claims):
            after = after_draft(retrieval.confidence, answered=bool(citer.claims))
            run.retrieval = replace(retrieval, confidence=after)
        # What other articles say instead, and corrections; or why there is no answer.
        if citer.claims:
            notes = yield from supplement(citer, self.index)
            yield run.answer(citer, notes=notes)
        else:
            evidence, unknown = retrieval.evidence, retrieval.unknown_names
            yield run.decline(why_not(run.question, evidence, unknown, refused=refused))

    def _retrieve(
        self, question: str, k: int, date: str | None = None, history: Sequence[Turn] = ()
    ) -> Retrieval:
        search = find(question, history, self.index, self._encoder, self.config, date)
        # Sentences that address a language model come after the others.
        best = set_aside(question, search.best, max(k, JUDGED))
        follows = bool(search.previous)
        return Retrieval(
            evidence=tuple(evidence_of(candidate) for candidate in best[:k]),
            passages=tuple(passages_of(search.best)),
            confidence=round(confidence(search.query, best), 4),
            unknown_names=unknown_names(search.query, best),
            previous=search.previous,
            off_topic=follows and is_off_topic(question, [c.terms for c in best]),
        )

    def _claims(
        self, run: Run, citer: Citer, history: Sequence[Turn], cancel: threading.Event
    ) -> Generator[Event, None, bool]:
        """Yield the verified claims of the draft; return whether it says that it found none."""
        config = self.config
        in_parts = has_parts(run.question)
        most = config.prompt_sentences_of_parts if in_parts else config.prompt_sentences
        evidence = run.retrieval.evidence[:most]
        quotes = {" ".join(e.quote.split()) for e in evidence}
        begun = time.perf_counter()
        verifying, draft, count, refused = 0.0, "", 0, False
        pieces: Generator[int | str] = extract(evidence)
        if self._drafts:
            messages = prompts.chat(run.question, evidence, history)
            pieces = self._drafts.draft(messages, config.answer_tokens, cancel)
        # Closed here: an error keeps the frames that it came through, and so the draft.
        with closing(pieces):
            for piece in chain(pieces, (None,)):
                if cancel.is_set():
                    break
                if isinstance(piece, int):
                    begun = begun if piece else run.mark("wait", begun)
                    yield Waiting(piece)
                    continue
                if piece is not None and not draft:
                    run.mark("first_token")
                draft += piece or ""
                since = time.perf_counter()
                sentences = draft_sentences(draft, complete=piece is None, quotes=quotes)
                new, count = sentences[count:], len(sentences)
                answers = [sentence for sentence in new if not says_not_found(sentence.text)]
                refused = refused or len(answers) < len(new)
                claims = [claim for sentence in answers if (claim := citer.add(sentence))]
                # Without what the reader does with a claim.
                verifying += time.perf_counter() - since
                yield from claims
        run.mark("generate", begun)
        run.timings["verify"] = round(1000 * verifying, 1)
        return refused

    def _about_the_collection(self, run: Run, intent: Intent) -> Iterator[Event]:
        def best(text: str) -> Evidence | None:
            return next(iter(self._retrieve(text, 1).evidence), None)

        answer = reply(intent, run.question, self.index, best)
        run.retrieval = Retrieval(answer.quotes, confidence=1.0)
        run.mark("first_evidence")
        yield EvidenceFound(answer.quotes, 1.0)
        if not answer.known:
            yield run.decline(answer.note)
            return
        before = partial(sentences_before, self.index)
        citer = Citer(run.question, answer.quotes, self._verifier, before)
        for quote in answer.quotes:
            if claim := citer.quote(quote):
                yield claim
        yield run.answer(citer, notes=(answer.note,) if answer.note else ())

    def _models(self) -> dict[str, str]:
        config = self.config
        return {
            "encoder": config.encoder,
            "generator": config.generator,
            "model": self._generator.model if self._generator else "extractive",
            "verifier": config.verifier,
        }

    def warm_up(self) -> None:
        """Load the models now. Raises ModelError."""
        self._encoder.encode_texts(["A first question takes longer."])
        if self._generator:
            self._generator.warm_up()

    def close(self) -> None:
        """Let go of the index and end the language model."""
        if self._drafts:
            self._drafts.close()
        self.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
