"""What the page does with the articles, without Gradio: list, add, remove, limit a question."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from rag import texts
from rag.errors import InputError, RagError
from rag.ingest.folder import ADDED, beside
from rag.ingest.formats import file_in
from rag.ingest.uploads import Manager
from rag.server.background import Status, Updater
from rag.server.engine import Engine, refresh
from rag.types import ArticleSummary, Scope
from rag.web.articles_html import View, shelf
from rag.web.templating import render
from rag.web.uploads import FILES_AT_ONCE, Drop, LocalFile, SentFile, found_at, read_local

EVERY = 0.5  # seconds between two steps of progress


@dataclass(frozen=True, slots=True)
class Librarian:
    """The articles of one engine; without a manager they can only be read."""

    rag: Engine
    manager: Manager | None = None
    updater: Updater | None = None
    local: bool = False  # whether files of this computer can be named by their path

    @property
    def adds(self) -> bool:
        """Return whether files can be added and removed."""
        return self.manager is not None and self.updater is not None

    def for_programs(self) -> Programs | None:
        """Return who adds and removes files for programs, where somebody may."""
        if self.manager is None or self.updater is None:
            return None
        return Programs(self.manager, self.updater)

    def listed(self, wanted: object = None) -> str:
        """Return the list of articles; ``wanted`` comes from the browser and is not trusted."""
        try:
            contents, skipped, behind = self.rag.contents(), self.rag.skipped(), self.rag.behind()
        except RagError as error:
            return shelf((), notice=str(error))
        removable = ("" if self.manager.own else f"{ADDED}/",) if self.manager else ()
        return shelf(
            contents,
            View.of(wanted),
            skipped=skipped,
            removable=removable,
            adding=self.adds,
            behind=behind,
        )

    def scope(self, wanted: object) -> Scope | None:
        """Return what the page wants to limit questions to; None for nothing, or all."""
        asked: Mapping[Any, Any] = wanted if isinstance(wanted, dict) else {}
        contents = self._contents()
        known = {article.path for article in contents}
        paths = asked.get("paths")
        if isinstance(paths, list):
            chosen = frozenset(
                p for p in paths[:FILES_AT_ONCE] if isinstance(p, str) and p in known
            )
            return Scope(paths=chosen) if chosen else None
        view = View.of(asked)
        return view.scope(contents) if view.narrowed() and view.matching(contents) else None

    def _contents(self) -> Sequence[ArticleSummary]:
        with contextlib.suppress(RagError):
            return self.rag.contents()
        return ()

    def add(self, sent: object, uploaded: Path) -> Iterator[str]:
        """Keep the files that the browser has sent into the folder ``uploaded``, and yield how far
        the reading of them is, as HTML. What was sent, and what it says of it, is not trusted.
        """
        drop = Drop.of(sent, uploaded)
        outcome = Outcome(others=drop.others)
        for file in drop.files:
            outcome = self._added(outcome, file)
        outcome = replace(outcome, too_many=drop.too_many(len(outcome.kept)))
        if not outcome.kept or self.updater is None:
            yield status_html(Status(), outcome)
            return
        self.updater.request()
        yield from self.follow(outcome)

    def _added(self, outcome: Outcome, sent: SentFile) -> Outcome:
        try:
            if self.manager is None:
                raise InputError(texts.CANNOT_ADD.format(sent.name))
            most = max(self.manager.config.article_bytes, self.manager.config.collection_bytes)
            with sent.place.open("rb") as file:
                data = file.read(most + 1)
            return outcome.with_kept(self.manager.add(sent.name, data, sent.folder))
        except OSError as error:
            reason = error.strerror or error
            return outcome.with_refused(texts.NOT_ARRIVED.format(sent.name, reason))
        except InputError as error:
            return outcome.with_refused(str(error))
        finally:
            with contextlib.suppress(OSError):
                sent.place.unlink()

    def add_path(self, typed: object, *, here: bool) -> Iterator[str]:
        """Copy the files at a path of this computer to the articles, and yield how far that is, and
        then how far the reading of them is, as HTML.

        ``here``: whether it was typed on this computer; nothing is looked for otherwise.
        """
        if self.manager is None or self.updater is None or not (self.local and here):
            yield status_html(Status(error=texts.NOT_BY_PATH), Outcome())
            return
        try:
            text = typed if isinstance(typed, str) else ""
            found = found_at(text, self.manager.articles, self.manager.config)
        except InputError as error:
            yield status_html(Status(error=str(error)), Outcome())
            return
        outcome = Outcome(refused=found.refused, others=found.others, copying=found.name)
        try:
            for status, file in copying(found.files):
                if status:
                    yield status_html(status, outcome)
                outcome = self._copied(self.manager, outcome, file)
        finally:  # also when the page is closed meanwhile
            if outcome.kept:
                self.updater.request()
        outcome = replace(outcome, copying="")
        if outcome.kept:
            yield from self.follow(outcome)
        else:
            yield status_html(Status(), outcome)

    def _copied(self, manager: Manager, outcome: Outcome, file: LocalFile) -> Outcome:
        most = max(manager.config.article_bytes, manager.config.collection_bytes)
        try:
            data = read_local(file, most)
            return outcome.with_kept(manager.add(file.location.name, data, file.folder))
        except InputError as error:
            return outcome.with_refused(str(error))

    def remove(self, wanted: object) -> Iterator[str]:
        """Move a file out of the articles, and yield how far the index is, as HTML."""
        path = str(wanted.get("remove") or "") if isinstance(wanted, dict) else ""
        if self.manager is None or self.updater is None:
            yield status_html(Status(), Outcome().with_refused(texts.CANNOT_REMOVE))
            return
        try:
            moved = self.manager.remove(path)
        except InputError as error:
            yield status_html(Status(), Outcome().with_refused(str(error)))
            return
        self.updater.request()
        place = moved.relative_to(beside(self.manager.articles).parent).parent.as_posix()
        yield from self.follow(Outcome(removed=path, place=place))

    def follow(self, outcome: Outcome | None = None) -> Iterator[str]:
        """Yield how far a running update is; at its end, what it means for what was done."""
        if self.updater is None:
            return
        for status in self.updater.follow():
            if not status.running:
                refresh(self.rag)
            if status.running or outcome is not None:
                yield status_html(status, self._counted(outcome or Outcome()))
        if outcome is None:
            yield ""

    def _counted(self, outcome: Outcome) -> Outcome:
        """Return the outcome with the articles that can be asked about now, and those skipped."""
        if not outcome.kept:
            return outcome
        articles = sum(file_in(a.path) in outcome.kept for a in self._contents())
        skipped = [(p, why) for p, why in self.rag.skipped() if file_in(p) in outcome.kept]
        return outcome.with_articles(articles, skipped)


@dataclass(frozen=True, slots=True)
class Programs:
    """Adds and removes single files; the index follows soon after."""

    manager: Manager
    updater: Updater

    def add(self, name: str, data: bytes) -> str:
        """Keep a file and return its path among the articles. Raises InputError."""
        path = self.manager.add(name, data)
        self.updater.request()
        return path

    def remove(self, path: str) -> None:
        """Move a file to where it can be put back from. Raises InputError."""
        self.manager.remove(path)
        self.updater.request()


def copying(files: Sequence[LocalFile]) -> Iterator[tuple[Status | None, LocalFile]]:
    """Yield each file, now and then with how far the copying is before it."""
    begun = time.monotonic()
    told = -EVERY
    for done, file in enumerate(files):
        spent = time.monotonic() - begun
        if spent - told < EVERY:
            yield None, file
            continue
        told = spent
        left = spent / done * (len(files) - done) if done else None
        yield Status(running=True, done=done, all=len(files), seconds_left=left), file


# What adding and removing did, and how far the reading of the articles is, as HTML.

NAMED = 3  # files that are named before the rest is counted
REFUSED = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to the files of one drop, or to one that was removed."""

    kept: tuple[str, ...] = ()  # paths
    refused: tuple[str, ...] = ()  # sentences that name the file and the reason
    removed: str = ""  # path
    place: str = ""  # of what was removed
    copying: str = ""  # name of the folder whose files are being copied
    others: str = ""  # a sentence about the files that are left out of it
    too_many: str = ""  # a sentence about those that were more than can be added at once
    articles: int = 0  # in the index, of the kept files
    skipped: tuple[tuple[str, str], ...] = ()  # parts of the kept files, each with the reason

    def with_kept(self, path: str) -> Self:
        return replace(self, kept=(*self.kept, path))

    def with_refused(self, reason: str) -> Self:
        return replace(self, refused=(*self.refused, reason))

    def with_articles(self, articles: int, skipped: Sequence[tuple[str, str]]) -> Self:
        return replace(self, articles=articles, skipped=tuple(skipped))


def status_html(status: Status, outcome: Outcome) -> str:
    """Return both; what a screen reader reads out does not change with each step."""
    return render(
        "status.html",
        status=status,
        outcome=outcome,
        refused=[*outcome.refused, *(f"{path} {reason}." for path, reason in outcome.skipped)],
        most_named=NAMED,
        most_refused=REFUSED,
    )
