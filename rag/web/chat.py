"""The web chat: Gradio's layout and the handlers. What is drawn is in answer_html.py and
reader_html.py, what a conversation is in history/conversation.py, how it is served in app.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

from fastapi import FastAPI

from rag import texts
from rag.errors import Overloaded
from rag.server.engine import Engine, Running
from rag.types import Scope
from rag.web.answer_html import hint_html
from rag.web.articles import Librarian
from rag.web.articles_events import Shelf, in_words
from rag.web.gradio_setup import AT_ONCE, QUIET, gr
from rag.web.history import Keeping, remembered
from rag.web.history_events import ACTS, REMEMBERS, Conversation, Page, Shown, Talks
from rag.web.session import answering, begun, opened
from rag.web.templating import render

STATIC = files("rag.web") / "static"
# Later ones overrule earlier ones.
CSS = "\n".join(
    (STATIC / f"{name}.css").read_text("utf-8")
    for name in ("page", "account", "history", "articles", "typed_path")
)
JAVASCRIPT = "\n".join(
    (STATIC / f"{name}.js").read_text("utf-8")
    for name in ("page", "account", "history", "keys", "articles", "uploads", "typed_path")
)
SCRIPT_TEXTS = f"window.footnoteTexts = {json.dumps(texts.IN_SCRIPTS)};"
STYLE_TEXTS = "".join(
    f"--text-{name}: {json.dumps(text, ensure_ascii=False)}; "
    for name, text in texts.IN_STYLES.items()
)
OPENS = f"footnote.opens(element, trigger); {ACTS}"
LEFTOVERS = (3600, 86_400)  # every hour, what was sent and not added a day ago is deleted (seconds)
PAGES = 100  # opened ones that the server remembers, about 1 MB each; the longest unused one goes


def build(
    rag: Engine,
    running: Running,
    librarian: Librarian | None = None,
    keeping: Keeping | None = None,
    *,
    logs_out: bool = False,
) -> gr.Blocks:
    """Return the page, not yet served.

    Without a librarian the articles can only be read; without ``keeping`` a reload forgets the
    conversation. ``logs_out``: it is for those who have logged in, and lets them log out.
    """
    blocks = gr.Blocks(
        title=texts.NAME, analytics_enabled=False, fill_width=True, delete_cache=LEFTOVERS
    )
    with blocks:
        shelf = Shelf(librarian or Librarian(rag))
        talks = Talks(running, keeping, lambda: begun(rag, shelf.examples.of))
        page = _drawn(shelf, keeping=keeping is not None, logs_out=logs_out)

        def on_stop(request: gr.Request) -> Any:
            running.stop(str(request.session_hash))
            return gr.update(interactive=False, value=texts.STOPPING)

        def on_open(earlier: Conversation, event: gr.EventData) -> str:
            return opened(rag, earlier, event._data)  # noqa: SLF001 - it has no public whole

        def on_unload(request: gr.Request) -> None:
            running.stop(str(request.session_hash))

        # Gradio's usual "once" drops a question without a word while an event is still pending.
        taken = gr.on(
            [page.question.submit, page.ask.click],
            _taking(running),
            [page.question],
            [page.asked, page.question, page.hint, page.stop],
            trigger_mode="multiple",
            **AT_ONCE,
        )
        answers = taken.then(
            _answers(rag, running, talks),
            [page.asked, page.exchanges, shelf.scope, talks.identity],
            [page.past, page.current, page.exchanges, talks.identity, page.tab, page.hint],
            concurrency_limit=None,  # the limit is that of ``running``, which says so
            trigger_mode="multiple",
            **QUIET,
        )
        page.stop.click(on_stop, None, [page.stop], **AT_ONCE)
        for clickable in (page.past, page.current, page.pane, shelf.list):
            clickable.select(on_open, [page.exchanges], [page.pane], **AT_ONCE)
        talks.connect(blocks, page, answers, AT_ONCE)
        shelf.connect(blocks, page.current, page.exchanges)
        blocks.unload(on_unload)
    return blocks


def _drawn(shelf: Shelf, *, keeping: bool, logs_out: bool) -> Page:
    """Draw the page."""
    # The conversation, kept by the server for this visitor alone.
    exchanges, asked = gr.State(()), gr.State("")
    with gr.Row(elem_id="bar"):
        _html(render("masthead.html"), js="footnote.layOut();")
        button = _html(render("history_button.html") if keeping else "", js=ACTS, elem_id="talks")
        new = _ends_of_bar(logs_out)
    with gr.Row(elem_id="desk"):
        with gr.Column(elem_id="chat"):
            with gr.Column(elem_id="thread"):
                past = _html("", js=OPENS)
                current = _html("", js=OPENS + "footnote.follows(element, watch);")
            with gr.Column(elem_id="composer"):
                shelf.draw_chip()
                question, ask, stop = _composer()
                hint = _html("", elem_id="hint")
                tab = _html("", js=REMEMBERS)
        with gr.Column(elem_id="side"):
            shelf.draw(OPENS)
            pane = _html("", js=f"{OPENS} watch('value', footnote.reveal); footnote.layOut();")
    return Page(exchanges, asked, button, new, past, current, question, ask, stop, hint, tab, pane)


def _taking(running: Running) -> Callable[[str, gr.Request], tuple[Any, ...]]:
    """Return what takes a question → the one asked, the field, a hint, the button that stops."""

    def on_ask(text: str, request: gr.Request) -> tuple[Any, ...]:
        session = str(request.session_hash)
        if not text or not text.strip():
            hint = texts.TYPE_FIRST
        elif running.busy(session):
            hint = texts.STILL_WRITING
        elif refusal := running.refusal(session):
            hint = texts.NOT_TAKEN.format(refusal)
        else:
            return text.strip(), "", "", gr.update(interactive=True, value=texts.STOP)
        return "", gr.skip(), hint_html(hint), gr.skip()

    return on_ask


def _answers(
    rag: Engine, running: Running, talks: Talks
) -> Callable[..., Iterator[tuple[Any, ...]]]:
    """Return the handler that answers a question which has been taken."""

    def on_asked(
        text: str, earlier: Conversation, scope: Scope | None, shown: Shown, request: gr.Request
    ) -> Iterator[tuple[Any, ...]]:
        session = str(request.session_hash)
        if not text or running.busy(session):  # was not taken, or sent twice
            yield (gr.skip(),) * 6
            return
        # Values, and always all of them: for one that is left out, Gradio makes the component
        # anew, at each step of each answer.
        keep = talks.keeper(request, shown, earlier)
        before = talks.drawn(earlier)
        last: tuple[Any, ...] = (gr.skip(),) * 6
        try:
            with running.question(session) as cancel:
                limited = in_words(scope, rag)
                for exchange in answering(rag, earlier, text, cancel, scope, limited):
                    drawn = talks.drawn((exchange,))
                    last = (before, drawn, (*earlier, exchange), *keep(exchange))
                    if exchange.working:
                        yield last
            yield last  # when the next question may come
        except Overloaded as error:  # another one came first since ``on_ask``
            latest = talks.drawn(earlier[:-1]), talks.drawn(earlier[-1:])
            yield (
                *latest,
                earlier,
                shown,
                remembered(shown[1]),
                hint_html(texts.DROPPED.format(error, text)),
            )

    return on_asked


def _ends_of_bar(logs_out: bool) -> Any:
    """Draw what begins a new conversation, and what ends a session; return the first."""
    new = gr.Button(texts.NEW_CONVERSATION, elem_id="new", size="sm", scale=0)
    if logs_out:
        _html(render("log_out.html"), elem_id="account")
    return new


def _composer() -> tuple[Any, Any, Any]:
    """Draw where a question is written; return the box and its two buttons."""
    with gr.Row():
        question = gr.Textbox(
            label=texts.YOUR_QUESTION,
            placeholder=texts.ASK_A_QUESTION,
            show_label=False,
            container=False,
            max_lines=6,
            elem_id="question",
        )
        ask = gr.Button(texts.ASK, variant="primary", elem_id="ask", scale=0)
        stop = gr.Button(texts.STOP, elem_id="stop", scale=0)  # page.css: in place of the other
    return question, ask, stop


def mount(app: FastAPI, blocks: gr.Blocks, host: str, most_bytes: int) -> None:
    """Let the app show the page at "/"; ``most_bytes``: of a file that the browser sends."""
    blocks.state_session_capacity = PAGES
    sans = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"]
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        server_name=host,
        run_history=False,
        footer_links=[],
        show_error=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        theme=gr.themes.Base(font=[gr.themes.Font(name) for name in sans], font_mono=[]),
        css=f":root {{ {STYLE_TEXTS}}}\n{CSS}",
        max_file_size=most_bytes,
        head=f"<script>{SCRIPT_TEXTS}\n{JAVASCRIPT}</script>",
    )


def _html(value: str, *, js: str | None = None, elem_id: str | None = None) -> Any:
    return gr.HTML(value, js_on_load=js, elem_id=elem_id, apply_default_css=False)
