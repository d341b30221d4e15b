"""The answering flow: question → evidence → draft → claims → checks → Answer.

Code picks the evidence and shows it at once; the language model only phrases it; every sentence of
its draft is checked against what it cites before it is shown. ``Rag._stream`` is the whole of it.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Self

from rag.answering.checking.text import check_claim, check_text
from rag.answering.cite import Citer
from rag.answering.clarify import asking_back
from rag.answering.collection import Intent, intent_of, reply, sentences_before
from rag.answering.confidence import after_draft, least_confidence
from rag.answering.draft import draft_sentences, extract, says_not_found
from rag.answering.refusal import why_not
from rag.answering.run import Retrieval, Run, retrieve
from rag.answering.supplement import supplement
from rag.config import Config
from rag.errors import ModelError
from rag.generation import prompts
from rag.generation.generators import Generator as DraftGenerator
from rag.generation.generators import load_generator
from rag.generation.queue import DraftQueue
from rag.index.index import Index, OpenIndex
from rag.index.manifest import default_index_dir
from rag.index.sync import sync
from rag.ingest.folder import check_folder
from rag.models.encoder import Encoder, load_encoder
from rag.models.reader import Reader, Window, load_reader
from rag.retrieval.question import checked, has_parts
from rag.retrieval.scope import within
from rag.text.language import foreign_language
from rag.types import (
    NO_ARTICLES,
    Answer,
    CheckedSentence,
    CheckedText,
    Event,
    Evidence,
    EvidenceFound,
    FirstAnswer,
    Progress,
    Scope,
    SearchResult,
    Turn,
    Waiting,
    silent,
)
from rag.verification.verifiers import load_verifier

SURE = 0.9  # confidence with which a sentence is quoted instead of worded, if that is faster
KEPT = 0.5  # confidence with which one is quoted though the draft found no answer


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
        reader: Reader | None = None,
    ) -> None:
        super().__init__(index, config, encoder)
        self._reader = reader
        self._citer = citer  # what makes claims of drafts
        self._generator = generator  # None: drafts are the evidence's own sentences
        self._drafts = DraftQueue(generator) if generator else None
        self._verifier = load_verifier(config.verifier, config)
        least = partial(least_confidence, config, reads=generator is not None)
        self._least = {is_read: least(is_read=is_read) for is_read in (False, True)}

    @classmethod
    def open(
        cls,
        index: Path,
        config: Config | None = None,
        *,
        generator: DraftGenerator | None = None,
        encoder: Encoder | None = None,
        reader: Reader | None = None,
    ) -> Self:
        """Open an index that ``sync`` made.

        ``generator``, ``encoder`` and ``reader``: instead of those that the settings name.
        Raises IndexMissing, IndexMismatch, IndexCorrupt, ModelError or UnknownName.
        """
        config = config or Config()
        encoder = encoder or load_encoder(config.encoder, config.models_dir)
        return cls._opened(index, config, encoder, generator, reader)

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
        reader: Reader | None = None,
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
        return cls._opened(folder, config, encoder, generator, reader)

    @classmethod
    def _opened(
        cls,
        folder: Path,
        config: Config,
        encoder: Encoder,
        generator: DraftGenerator | None,
        reader: Reader | None,
    ) -> Self:
        index = Index.open(folder, config, encoder)
        try:
            if config.phrase == "never":
                generator, config = None, replace(config, generator="extractive")
            generator = generator or load_generator(config)
            return cls(index, config, encoder, generator, reader=reader or load_reader(config))
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
        *_, retrieval = self._pinned(scope)._retrieve(question, k, date, history or ())  # noqa: SLF001
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

    def check(self, text: str) -> CheckedText:
        """Return what the articles say of each sentence of a person's own text."""
        return check_text(text, self.index, self._encoder, self.config, self._verifier)

    def check_claim(self, claim: str) -> CheckedSentence:
        """Return what the articles say of one claim, taken as a whole."""
        return check_claim(claim, self.index, self._encoder, self.config, self._verifier)

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
        # Evidence: shown at once, and again when it has been read.
        for retrieval in self._retrieve(run.question, self.config.evidence, date, history):
            run.found(retrieval)
            yield EvidenceFound(retrieval.evidence, retrieval.confidence)
        # Answered at all? Else declined before a draft is written.
        run.remarks = self._remarks(run, history)
        if reason := self._too_far(run):
            yield run.decline(reason)
            return
        # Draft → claims, each verified before it is yielded.
        citer = self._citer_of(run)
        refused = yield from self._claims(run, citer, history, cancel)
        if cancel.is_set():
            yield run.answer(citer)
            return
        # What other articles say instead, and corrections; or why there is no answer.
        if citer.claims:
            notes = yield from supplement(citer, self.index)
            yield run.answer(citer, notes=notes)
        else:
            evidence, unknown = run.retrieval.evidence, run.retrieval.unknown_names
            yield run.decline(why_not(run.question, evidence, unknown, refused=refused))

    def _remarks(self, run: Run, history: Sequence[Turn]) -> tuple[str, ...]:
        """Return what is said beside the answer: a question back, what was not read or embedded."""
        asks = asking_back(
            run.question,
            history,
            run.retrieval.passages,
            lambda path: self.index.article(path).title,
        )
        return tuple(filter(None, (asks, run.retrieval.remark, self.behind())))

    def _too_far(self, run: Run) -> str | None:
        """Return why no answer is tried, if that is so."""
        if language := foreign_language(run.question, (e.quote for e in run.retrieval.evidence)):
            return (
                f"The question seems to be in {language}, and they are not. English questions "
                "about English articles are supported."
            )
        if run.retrieval.confidence < self._least[run.retrieval.is_read]:
            return "Nothing in them comes near enough to the question."
        return None

    def _citer_of(self, run: Run) -> Citer:
        found = run.retrieval
        return self._citer(
            run.question,
            found.evidence,
            self._verifier,
            partial(sentences_before, self.index),
            repairs=not (found.unknown_names or found.off_topic),
            previous=found.previous,
        )

    def _retrieve(
        self, question: str, k: int, date: str | None = None, history: Sequence[Turn] = ()
    ) -> Iterator[Retrieval]:
        of = self.index, self._encoder, self._reader, self.config
        return retrieve(question, k, date, history, *of)

    def _claims(
        self, run: Run, citer: Citer, history: Sequence[Turn], cancel: threading.Event
    ) -> Generator[Event, None, bool]:
        """Yield the first answer and the verified claims; return whether the draft found none."""
        if said := citer.yes_or_no():
            yield said
            return False
        first = citer.first_answer()
        if self._drafts is None or self._is_quoted(run, self._drafts, sure=bool(first)):
            return (
                yield from self._verified(run, citer, extract(run.question, citer.evidence), cancel)
            )
        if first:
            yield FirstAnswer(first.claim, first.citations)
        config = self.config
        in_parts = has_parts(run.question)
        most = config.prompt_sentences_of_parts if in_parts else config.prompt_sentences
        messages = prompts.chat(run.question, citer.evidence[:most], history)
        pieces = self._drafts.draft(messages, config.answer_tokens, cancel)
        refused = yield from self._verified(run, citer, pieces, cancel)
        # A draft that refuses and answers says nothing about the question.
        if not cancel.is_set() and not (refused and citer.claims):
            run.judge(after_draft(run.retrieval.confidence, answered=bool(citer.claims)))
        if first and not citer.claims and run.retrieval.confidence >= KEPT:
            yield from filter(None, [citer.quote(citer.evidence[0])])
        return refused

    def _is_quoted(self, run: Run, drafts: DraftQueue, *, sure: bool) -> bool:
        """Return whether a sentence is quoted, and no language model asked to word it: where the
        reader is sure and that is wished, or others wait.
        """
        sure = sure and run.retrieval.confidence >= SURE and not has_parts(run.question)
        return sure and (self.config.phrase == "auto" or drafts.waiting > 0)

    def _verified(
        self, run: Run, citer: Citer, pieces: Generator[int | str], cancel: threading.Event
    ) -> Generator[Event, None, bool]:
        """Yield the verified claims of a draft; return whether it says that it found none."""
        quotes = {" ".join(e.quote.split()) for e in citer.evidence}
        begun = time.perf_counter()
        verifying, draft, count, refused = 0.0, "", 0, False
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
                claims = [claim for sentence in answers for claim in citer.add(sentence)]
                # Without what the reader does with a claim.
                verifying += time.perf_counter() - since
                yield from claims
        run.mark("generate", begun)
        run.timings["verify"] = round(1000 * verifying, 1)
        return refused

    def _about_the_collection(self, run: Run, intent: Intent) -> Iterator[Event]:
        def best(text: str) -> Evidence | None:
            return next(iter(next(self._retrieve(text, 1)).evidence), None)

        answer = reply(intent, run.question, self.index, best)
        run.retrieval = Retrieval(answer.quotes, confidence=1.0)
        run.mark("first_evidence")
        yield EvidenceFound(answer.quotes, 1.0)
        if not answer.known:
            yield run.decline(answer.note)
            return
        citer = self._citer_of(run)
        for quote in answer.quotes:
            if claim := citer.quote(quote):
                yield claim
        yield run.answer(citer, notes=(answer.note,) if answer.note else ())

    def _models(self) -> dict[str, str]:
        config = self.config
        return {
            "encoder": config.encoder,
            "reader": config.reader if self._reader else "none",
            "generator": config.generator,
            "model": self._generator.model if self._generator else "extractive",
            "verifier": config.verifier,
        }

    def warm_up(self) -> None:
        """Load the models now. Raises ModelError."""
        self._encoder.encode_texts(["A first question takes longer."])
        if self._reader:
            with suppress(ModelError):  # an answer will say so
                self._reader.read("A first question?", [Window("It takes longer.", ((0, 16),))])
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
