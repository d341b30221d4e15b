"""The articles' part of the page: Gradio's components and handlers for it. What is drawn is in
articles_html.py, what is done in articles.py.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rag import texts
from rag.answering.suggestions import Examples
from rag.errors import RagError
from rag.ingest.formats import COLLECTIONS, LOADERS
from rag.server.engine import Engine
from rag.server.headers import typed_here
from rag.texts import period_in_words
from rag.types import Scope
from rag.web.answer_html import suggestions, welcome
from rag.web.articles import Librarian
from rag.web.gradio_setup import AT_ONCE, QUIET, gr
from rag.web.templating import render
from rag.web.uploads import FILES_AT_ONCE as FILES
from rag.web.uploads import PATH_CHARACTERS

SUFFIXES = " ".join((*LOADERS, *COLLECTIONS))
PATIENCE, LATER = 1.0, 20.0  # seconds to wait for questions that are still being made
MANY = 8  # visitors whose files are read at the same time
IN_QUEUE: dict[str, Any] = {**QUIET, "concurrency_limit": MANY, "trigger_mode": "multiple"}


class Shelf:
    """The list of articles beside the chat, and the chip that says what a question is limited to.

    To be made inside the page's blocks, then drawn where each part belongs, then connected.
    """

    def __init__(self, librarian: Librarian) -> None:
        self._librarian = librarian
        self.examples = Examples(librarian.rag)
        self.examples.prepare()
        self.scope = gr.State(None)  # of this visitor: Scope | None

    def draw(self, opens: str) -> None:
        """Draw the list; ``opens`` is the script that lets its entries open articles."""
        manager = self._librarian.manager
        most = max(manager.config.article_bytes, manager.config.collection_bytes) if manager else 0
        head = render(
            "articles_head.html",
            adds=self._librarian.adds,
            by_path=self._librarian.local,
            most_bytes=most,
            at_once=FILES,
            suffixes=SUFFIXES,
            longest_path=PATH_CHARACTERS,
        )
        adds = "footnoteShelf.adds(element, trigger, upload); footnotePath.adds(element, trigger);"
        self._head = _html(head, adds)
        self._status = _html("", "footnoteShelf.says(element, watch);")
        self.list = _html("", f"{opens} footnoteShelf.lists(element, trigger, watch);", "shelf")
        self._picked = _html(render("picked.html"), "footnoteShelf.picks(element, trigger);")
        self._better = _html("", "footnote.suggests(element, watch);", "better")

    def draw_chip(self) -> None:
        """Draw the place of the chip."""
        self._chip = _html("", "footnoteShelf.chips(element, trigger);", "chip")

    def connect(self, blocks: gr.Blocks, current: Any, exchanges: Any) -> None:
        """Let the parts do something. ``current`` shows the welcome while there is no exchange."""
        librarian = self._librarian

        def on_list(event: gr.EventData) -> str:
            return librarian.listed(event._data)  # noqa: SLF001 - it has no public whole

        def on_scope(event: gr.EventData) -> tuple[Scope | None, str]:
            scope = librarian.scope(event._data)  # noqa: SLF001
            return scope, chip(scope, librarian.rag)

        def on_add(
            earlier: object, event: gr.EventData, request: gr.Request
        ) -> Iterator[dict[Any, Any]]:
            sent = event._data if isinstance(event._data, dict) else {}  # noqa: SLF001
            if "typed" in sent:  # a "path" would be a file to Gradio
                steps = librarian.add_path(sent["typed"], here=typed_here(request))
            else:
                steps = librarian.add(sent, self._sent_to())
            yield from self._shown(steps, current, earlier)

        def on_remove(earlier: object, event: gr.EventData) -> Iterator[dict[Any, Any]]:
            yield from self._shown(librarian.remove(event._data), current, earlier)  # noqa: SLF001

        self.list.input(on_list, None, [self.list], **AT_ONCE)
        for asks in (self.list, self._picked):
            asks.submit(on_scope, None, [self.scope, self._chip], **AT_ONCE)
        self._chip.clear(lambda: (None, ""), None, [self.scope, self._chip], **AT_ONCE)
        both = [self._status, current]
        self._head.upload(on_add, [exchanges], both, **IN_QUEUE)
        self._head.delete(on_remove, [exchanges], both, **IN_QUEUE)
        blocks.load(lambda: librarian.listed(None), None, [self.list], **AT_ONCE)
        blocks.load(self._later, None, [self._better], **IN_QUEUE)
        if librarian.adds:
            blocks.load(librarian.follow, None, [self._status], **IN_QUEUE)

    def _shown(
        self, steps: Iterator[str], current: Any, earlier: object
    ) -> Iterator[dict[Any, Any]]:
        for step in steps:
            yield {self._status: step}
        if not earlier:  # the welcome may have had nothing to ask about
            contents = self._librarian.rag.contents()
            yield {current: welcome(contents, self.examples.of(contents, PATIENCE))}

    def _later(self) -> str:
        """Return better questions than the page could begin with, once there are some."""
        with contextlib.suppress(RagError):
            return suggestions(self.examples.of(self._librarian.rag.contents(), LATER))
        return ""

    def _sent_to(self) -> Path:
        return Path(self._head.GRADIO_CACHE)


def chip(scope: Scope | None, rag: Engine) -> str:
    """Return what says that questions are limited, with the way out of it."""
    return "" if scope is None else render("chip.html", limit=in_words(scope, rag))


def in_words(scope: Scope | None, rag: Engine) -> str:
    """Return what a question is limited to; "" when it is not."""
    if scope is None:
        return ""
    parts = []
    if scope.paths is not None:
        titles = [a.title for a in rag.contents() if a.path in scope.paths]
        count = texts.articles(len(scope.paths))
        parts.append(f"“{titles[0]}”" if len(titles) == 1 else count)
    if scope.first or scope.last:
        parts.append(period_in_words(scope.first or "", scope.last or ""))
    return ", ".join(parts)


def _html(value: str, js: str, elem_id: str | None = None) -> Any:
    return gr.HTML(
        value, js_on_load=js, elem_id=elem_id, elem_classes="shelf-part", apply_default_css=False
    )
