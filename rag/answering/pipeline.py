"""The answering flow: question → evidence → draft → claims → checks → Answer.

Code picks the evidence and shows it at once; the language model only phrases it; every sentence of
its draft is checked against what it cites before it is shown.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Self

from rag.answering.cite import Citer
from rag.answering.clarify import asking_back
from rag.answering.collection import Intent, before, intent_of, reply
from rag.answering.confidence import least_confidence
from rag.answering.draft import draft_sentences, says_not_found
from rag.answering.refusal import why_not
from rag.answering.run import Found, Run
from rag.answering.supplement import supplement
from rag.config import Config
from rag.generation.generators import ExtractiveGenerator, load_generator
from rag.generation.generators import Generator as Writer
from rag.generation.queue import DraftQueue
from rag.index.index import Index, Library
from rag.index.manifest import default_index_dir
from rag.index.sync import sync
from rag.ingest.folder import check_folder
from rag.models.encoder import Encoder, load_encoder
from rag.retrieval.question import checked, has_parts
from rag.retrieval.scope import within
from rag.retrieval.search import find
from rag.text.language import stranger
from rag.types import (
    NO_ARTICLES,
    Answer,
    Event,
    Evidence,
    EvidenceFound,
    Progress,
    Scope,
    SearchResult,
    Turn,
    Waiting,
    silent,
)
from rag.verification.verifiers import load_verifier


class Rag(Library):
    """Answers questions about the articles of one index. Several threads may ask at once."""

    citer = Citer  # what makes claims of drafts

    def __init__(self, index: Index, config: Config, encoder: Encoder, generator: Writer) -> None:
        super().__init__(index, config, encoder)
        self._generator = generator
        self._drafts = DraftQueue(generator)
        self._verifier = load_verifier(config.verifier, config, encoder)
        self._reads = not isinstance(generator, ExtractiveGenerator)  # what it drafts from
        self._least = least_confidence(config, reads=self._reads)

    @classmethod
    def open(
        cls, index: Path, config: Config | None = None, *, generator: Writer | None = None,
        encoder: Encoder | None = None,
    ) -> Self:  # fmt: skip
        """Open an index that ``sync`` made.

        ``generator`` and ``encoder``: instead of those that the settings name.
        Raises IndexMissing, IndexMismatch, IndexCorrupt, ModelError or UnknownName.
        """
        config = config or Config()
        encoder = encoder or load_encoder(config.encoder, config.models_dir)
        return cls._opened(index, config, encoder, generator)

    @classmethod
    def for_articles(
        cls, articles: Path, config: Config | None = None, index: Path | None = None,
        progress: Progress = silent, embedding: Progress = silent, *,
        generator: Writer | None = None, encoder: Encoder | None = None, vectors: bool = True,
    ) -> Self:  # fmt: skip
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
        cls, folder: Path, config: Config, encoder: Encoder, generator: Writer | None
    ) -> Self:
        index = Index.open(folder, config, encoder)
        try:
            return cls(index, config, encoder, generator or load_generator(config))
        except BaseException:
            index.close()
            raise

    def search(
        self, question: str, k: int = 10, *, history: Sequence[Turn] | None = None,
        date: str | None = None, scope: Scope | None = None,
    ) -> SearchResult:  # fmt: skip
        """Return the best k passages and k evidence sentences, no language model involved.

        ``history``: earlier turns, to complete a follow-up. ``date`` (ISO): the day that "this
        week" is relative to. ``scope``: the only articles that are searched.
        """
        question = checked(question, self.config.question_characters)
        found = self._pinned(scope)._find(question, k, date, history or ())  # noqa: SLF001
        return SearchResult(question, found.confidence, found.passages[:k], found.evidence)

    def answer(
        self, question: str, *, history: Sequence[Turn] | None = None, date: str | None = None,
        scope: Scope | None = None,
    ) -> Answer:  # fmt: skip
        """Return the finished answer. Raises InputError or ModelError."""
        *_, last = self.stream(question, history=history, date=date, scope=scope)
        assert isinstance(last, Answer)
        return last

    def stream(
        self, question: str, *, history: Sequence[Turn] | None = None, date: str | None = None,
        cancel: threading.Event | None = None, scope: Scope | None = None,
    ) -> Iterator[Event]:  # fmt: skip
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
        run.found = self._find(run.question, self.config.evidence, date, history)
        run.mark("retrieve")
        run.mark("first_evidence")
        yield EvidenceFound(run.found.evidence, run.found.confidence)
        if asks := asking_back(
            run.question, history, run.found.passages, lambda p: self.index.article(p).title
        ):
            run.remarks = (asks,)
        if behind := self.behind():
            run.remarks = (*run.remarks, behind)
        if language := stranger(run.question, (e.quote for e in run.found.evidence)):
            yield run.decline(
                f"The question seems to be in {language}, and they are not. English questions "
                "about English articles are supported."
            )
            return
        if run.found.confidence < self._least:
            yield run.decline("Nothing in them comes near enough to the question.")
            return
        yield from self._draft(run, history, cancel)

    def _draft(self, run: Run, history: Sequence[Turn], cancel: threading.Event) -> Iterator[Event]:
        citer = self.citer(
            run.question, run.found.evidence, self._verifier, partial(before, self.index),
            repairs=not (run.found.unknown_names or run.found.strays),
            asked_before=run.found.asked_before,
        )  # fmt: skip
        refused = yield from self._claims(run, citer, history, cancel)
        if cancel.is_set():
            yield run.answer(citer)
            return
        # A draft that refuses and answers says nothing about the question.
        if self._reads and not (refused and citer.claims):
            run.drafted(answered=bool(citer.claims))
        if citer.claims:
            notes = yield from supplement(citer, self.index)
            yield run.answer(citer, notes=notes)
        else:
            found = run.found
            reason = why_not(run.question, found.evidence, found.unknown_names, refused=refused)
            yield run.decline(reason)

    def _claims(
        self, run: Run, citer: Citer, history: Sequence[Turn], cancel: threading.Event
    ) -> Generator[Event, None, bool]:
        """Yield the verified claims of the draft; return whether it says that it found none."""
        config = self.config
        in_parts = has_parts(run.question)
        most = config.prompt_sentences_of_parts if in_parts else config.prompt_sentences
        shown = run.found.evidence[:most]
        quotes = {" ".join(evidence.quote.split()) for evidence in shown}
        begun = time.perf_counter()
        verifying, draft, done, refused = 0.0, "", 0, False
        # Closed here: an error keeps the frames that it came through, and so the draft.
        with closing(self._drafts.draft(run.question, shown, history, cancel)) as pieces:
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
                ready = draft_sentences(draft, complete=piece is None, quotes=quotes)
                new, done = ready[done:], len(ready)
                refused = refused or any(says_not_found(sentence.text) for sentence in new)
                drafted = [sentence for sentence in new if not says_not_found(sentence.text)]
                claims = [claim for sentence in drafted if (claim := citer.add(sentence))]
                verifying += (
                    time.perf_counter() - since
                )  # without what the reader does with a claim
                yield from claims
        run.mark("generate", begun)
        run.timings["verify"] = round(1000 * verifying, 1)
        return refused

    def _find(
        self, question: str, k: int, date: str | None = None, history: Sequence[Turn] = ()
    ) -> Found:
        search = find(question, history, self.index, self._encoder, self.config, date)
        return Found.of(question, search, k)

    def _about_the_collection(self, run: Run, intent: Intent) -> Iterator[Event]:
        def best(text: str) -> Evidence | None:
            return next(iter(self._find(text, 1).evidence), None)

        said = reply(intent, run.question, self.index, best)
        run.found = Found(said.quotes, (), 1.0)
        run.mark("first_evidence")
        yield EvidenceFound(said.quotes, 1.0)
        if not said.known:
            yield run.decline(said.note)
            return
        citer = Citer(run.question, said.quotes, self._verifier, partial(before, self.index))
        for quote in said.quotes:
            if claim := citer.quote(quote):
                yield claim
        yield run.answer(citer, notes=(said.note,) if said.note else ())

    def _models(self) -> dict[str, str]:
        config = self.config
        return {
            "encoder": config.encoder, "generator": config.generator,
            "model": self._generator.model, "verifier": config.verifier,
        }  # fmt: skip

    def warm_up(self) -> None:
        """Load the models now. Raises ModelError."""
        self._encoder.encode_texts(["A first question takes longer."])
        self._generator.warm_up()

    def close(self) -> None:
        """Let go of the index and end the language model."""
        self._drafts.close()
        self._generator.close()
        self.index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
