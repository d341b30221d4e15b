"""What a visitor does with conversations that are kept, without Gradio: come back to one, list,
open, rename and delete them, and rate an answer.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rag import texts
from rag.errors import InputError, RagError
from rag.history.conversation import Exchange, Rating, reopened
from rag.history.feedback import NOTE, Feedback
from rag.history.rows import Header
from rag.history.storage import CONVERSATIONS, TITLE_CHARACTERS, Store, default_folder, user_in
from rag.server.engine import Engine
from rag.web.session import with_contexts
from rag.web.templating import render

_RATINGS: Final[dict[str, Rating]] = {"up": "up", "down": "down"}


@dataclass(frozen=True, slots=True)
class Done:
    """What changes on the page; None: it stays."""

    exchanges: tuple[Exchange, ...] | None = None
    identity: str | None = None
    pane: str | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """The conversations and ratings of one server. What comes from the browser is not trusted."""

    rag: Engine
    store: Store
    feedback: Feedback

    def reopen(self, visitor: str, identity: str) -> tuple[Exchange, ...]:
        """Return a kept conversation over the articles as they are now; () when there is none."""
        kept = self.store.get(visitor, identity)
        if kept is None:
            return ()
        exchanges = reopened(kept.exchanges, self.rag.article)
        return tuple(with_contexts(self.rag, exchange) for exchange in exchanges)

    def keep(self, visitor: str, identity: str, exchanges: Sequence[Exchange]) -> Done:
        """Keep the conversation as it is; where that fails, the notice says so."""
        try:
            return Done(identity=self.store.put(visitor, identity, exchanges))
        except InputError as error:
            logging.getLogger(__name__).warning("%s", error)
            return Done(identity=identity, notice=str(error))

    def act(
        self, visitor: str, identity: str, exchanges: Sequence[Exchange], wanted: object
    ) -> Done:
        """Do what was clicked."""
        asked = wanted if isinstance(wanted, dict) else {}
        named = _text(asked.get("conversation"))
        match _text(asked.get("act")):
            case "list":
                return self._listed(visitor, identity)
            case "open":
                if found := self.reopen(visitor, named):
                    return Done(exchanges=found, identity=named, pane=None)
                return self._listed(visitor, identity, texts.GONE)
            case "rename":
                return self._renamed(visitor, identity, named, _text(asked.get("title")))
            case "delete":
                return self._deleted(visitor, identity, named)
            case "rate":
                return self._rated(visitor, identity, exchanges, asked)
        return Done()

    def changes(self, wanted: object) -> bool:
        """Return whether a click changes the conversation: not while an answer is written."""
        return not (isinstance(wanted, dict) and wanted.get("act") in {"list", "rename"})

    def _listed(self, visitor: str, identity: str, notice: str = "") -> Done:
        return Done(pane=kept_list(self.store.listed(visitor), identity, notice, user_in(visitor)))

    def _renamed(self, visitor: str, identity: str, named: str, title: str) -> Done:
        try:
            self.store.rename(visitor, named, title)
        except InputError as error:
            return self._listed(visitor, identity, str(error))
        return self._listed(visitor, identity, texts.RENAMED)

    def _deleted(self, visitor: str, identity: str, named: str) -> Done:
        try:
            self.store.delete(visitor, named)
        except InputError as error:
            return self._listed(visitor, identity, str(error))
        if named != identity:
            return self._listed(visitor, identity, texts.DELETED)
        return replace(self._listed(visitor, "", texts.DELETED), exchanges=(), identity="")

    def _rated(
        self, visitor: str, identity: str, exchanges: Sequence[Exchange], asked: dict[str, object]
    ) -> Done:
        number, rating = _text(asked.get("exchange")), _RATINGS.get(_text(asked.get("rating")))
        place = next((n for n, e in enumerate(exchanges) if str(e.number) == number), None)
        if place is None or rating is None:
            return Done()
        exchange = exchanges[place]
        if exchange.state != "answered":
            return Done()
        note = _text(asked["note"])[:NOTE] if "note" in asked else exchange.note
        again = exchange.rating == rating and "note" not in asked  # pressed again: taken back
        kind = None if again else rating
        rated = replace(exchange, rating=kind, note="" if again else note)
        try:
            self.feedback.rate(identity, rated, exchanges[:place], self.rag.article)
        except RagError as error:
            return Done(notice=str(error))
        changed = (*exchanges[:place], rated, *exchanges[place + 1 :])
        return replace(self.keep(visitor, identity, changed), exchanges=changed)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def keeping_for(rag: Engine, index: Path) -> Keeping:
    """Keep conversations over an index in the user's data directory."""
    store = Store(default_folder(index, "conversations"))
    return Keeping(rag, store, Feedback(default_folder(index, "ratings")))


def remembered(identity: str) -> str:
    """Return what tells the page which conversation to come back to."""
    return render("remembered.html", identity=identity)


def kept_list(
    headers: Sequence[Header], current: str = "", notice: str = "", user: str | None = None
) -> str:
    """Return the pane with the visitor's conversations; ``current`` is the one on the page.

    ``user``: the name that the visitor has logged in with, if that is how the visitor is known.
    """
    return render(
        "conversations.html",
        headers=headers,
        current=current,
        notice=notice,
        user=user,
        most=CONVERSATIONS,
        longest_title=TITLE_CHARACTERS,
    )
