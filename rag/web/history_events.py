"""The part of the page's wiring that concerns kept conversations: which one a tab shows, coming
back to it after a reload, and the clicks in their list. What they do is in history.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rag import texts
from rag.history.conversation import Exchange
from rag.history.storage import new_id, user_in
from rag.history.visitors import visitor_of
from rag.server.engine import Running
from rag.web.answer_html import conversation, hint_html
from rag.web.gradio_setup import gr
from rag.web.history import Keeping, remembered

ACTS = "kept.acts(element, trigger);"
REMEMBERS = "watch('value', () => kept.remember(element));"
RELOADED = "() => [kept.remembered()]"

Updates: TypeAlias = dict[Any, Any]  # component → its new value
Conversation: TypeAlias = tuple[Exchange, ...]
Shown: TypeAlias = tuple[str, str]  # whose the conversation on the page is, and its name


@dataclass(frozen=True, slots=True)
class Page:
    """The components that what happens on the page reads and changes."""

    exchanges: Any  # state: the conversation
    asked: Any  # state: the question that is being answered
    button: Any  # opens the list of conversations
    new: Any
    past: Any  # exchanges but the last
    current: Any  # the last one
    question: Any
    ask: Any
    stop: Any
    hint: Any
    tab: Any  # what the tab remembers
    pane: Any  # the article


@dataclass(eq=False)
class Talks:
    """What the page needs of kept conversations; without ``keeping``, nothing is kept."""

    running: Running
    keeping: Keeping | None
    begin: Callable[[], tuple[str, str]]  # what a new conversation shows, and the pane beside it
    identity: Any = field(default_factory=lambda: gr.State(("", "")))  # Shown
    wanted: Any = field(default_factory=lambda: gr.Textbox(visible=False))  # … before a reload

    def drawn(self, exchanges: Conversation) -> str:
        return conversation(exchanges, ratable=self.keeping is not None)

    def keeper(
        self, request: gr.Request, shown: Shown, earlier: Conversation
    ) -> Callable[[Exchange], tuple[Shown, str, str]]:
        """Return what keeps the answer in progress at each of its steps that matters; it returns
        whose conversation it is and which, what the tab remembers of it, and the hint.
        """
        known, hint, visitor = (True, -1), "", visitor_of(request)
        name, foreign = shown[1], _of_another(shown, visitor)

        def keep(exchange: Exchange) -> tuple[Shown, str, str]:
            nonlocal known, name, hint
            if foreign and self.keeping is not None:
                return shown, remembered(name), hint_html(texts.NOT_YOURS)
            if self.keeping is not None and known != (exchange.working, len(exchange.claims)):
                known = (exchange.working, len(exchange.claims))
                done = self.keeping.keep(visitor, name or new_id(), (*earlier, exchange))
                name = done.identity or name
                hint = hint_html(done.notice) if done.notice else hint
            return (visitor, name), remembered(name), hint

        return keep

    def connect(self, blocks: gr.Blocks, page: Page, answers: Any, options: dict[str, Any]) -> None:
        """Attach the handlers of loading, a new conversation, and what is clicked."""
        past, current, pane, hint = page.past, page.current, page.pane, page.hint

        def shown(visitor: str, found: Conversation, name: str) -> Updates:
            facts: Updates = {page.exchanges: found, self.identity: (visitor, name)}
            facts[page.tab] = remembered(name)
            return {**facts, past: self.drawn(found[:-1]), current: self.drawn(found[-1:])}

        def fresh(request: gr.Request) -> Updates:
            begun = dict(zip((current, pane), self.begin(), strict=True))
            return {**shown(visitor_of(request), (), ""), **begun}

        def on_new(request: gr.Request) -> Updates:
            if self.running.busy(str(request.session_hash)):  # it would come back into the new one
                return {hint: hint_html(texts.STILL_WRITING)}
            return {hint: "", **fresh(request)}

        def on_load(name: str, request: gr.Request) -> Updates:
            if self.keeping is None:
                return fresh(request)
            visitor = visitor_of(request)
            found = self.keeping.reopen(visitor, name)
            return {**fresh(request), **(shown(visitor, found, name) if found else {})}

        def on_act(
            earlier: Conversation, before: Shown, event: gr.EventData, request: gr.Request
        ) -> Updates:
            if self.keeping is None:
                return {hint: ""}
            clicked = event._data  # noqa: SLF001 - it has no public whole
            if self.keeping.changes(clicked) and self.running.busy(str(request.session_hash)):
                return {hint: hint_html(texts.STILL_WRITING)}
            visitor, name = visitor_of(request), before[1]
            if _of_another(before, visitor):
                earlier, name = (), ""
            done = self.keeping.act(visitor, name, earlier, clicked)
            updates: Updates = {hint: hint_html(done.notice or "")}
            if done.exchanges is not None:
                name = name if done.identity is None else done.identity
                updates |= shown(visitor, done.exchanges, name)
            if done.exchanges == ():
                updates[current] = self.begin()[0]
            return {**updates, **({} if done.pane is None else {pane: done.pane})}

        whole = [page.exchanges, self.identity, page.tab, past, current, pane]
        blocks.load(on_load, [self.wanted], whole, js=RELOADED, **options)
        # The end of an answer that is still under way to the page would bring it back into the new
        # conversation.
        page.new.click(on_new, None, [*whole, hint], cancels=[answers], **options)
        for clickable in (page.button, past, current, pane):
            inputs = [page.exchanges, self.identity]
            clickable.submit(on_act, inputs, [*whole, hint], **options)


def _of_another(shown: Shown, visitor: str) -> bool:
    """Return whether a user has logged in, or out, since the page has shown a conversation."""
    owner, _ = shown
    users = user_in(owner) is not None or user_in(visitor) is not None
    return users and owner not in {"", visitor}
