"""The web chat: Gradio's layout and the handlers. What is drawn is in page.py and reader.py, what
a conversation is in conversation.py, how it is served in serving.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

# Read by Gradio itself: no telemetry, and no statistics over its events after each of them.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"
os.environ["FASTAPI_OTEL_AUTO_CONFIGURE"] = "false"  # FastAPI's own, whatever else is set
import gradio as gr
from fastapi import FastAPI

from rag.conversation import Exchange
from rag.errors import Overloaded
from rag.librarian import Librarian
from rag.page import BUSY, HEADER, HINT, conversation, not_taken
from rag.session import Engine, Running, answering, begun, opened
from rag.shelf_events import CSS as SHELF_CSS
from rag.shelf_events import JAVASCRIPT as SHELF_JAVASCRIPT
from rag.shelf_events import Shelf, in_words
from rag.types import Scope

CSS = Path(__file__).with_name("page.css").read_text("utf-8") + SHELF_CSS
JAVASCRIPT = Path(__file__).with_name("page.js").read_text("utf-8") + SHELF_JAVASCRIPT

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}

Updates: TypeAlias = dict[Any, Any]  # component → its new value
Conversation: TypeAlias = tuple[Exchange, ...]


def build(rag: Engine, running: Running, librarian: Librarian | None = None) -> gr.Blocks:
    """Return the page, not yet served; without a librarian the articles can only be read."""
    blocks = gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True)
    with blocks:
        # The conversation, kept by the server for this visitor alone.
        exchanges = gr.State(())
        shelf = Shelf(librarian or Librarian(rag))
        with gr.Row(elem_id="bar"):
            _html(HEADER, js="footnote.layOut();")
            new = gr.Button("New conversation", elem_id="new", size="sm", scale=0)
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="chat"):
                with gr.Column(elem_id="thread"):
                    opens = "footnote.opens(element, trigger);"
                    past = _html("", js=opens)
                    current = _html("", js=opens + "footnote.follows(element, watch);")
                with gr.Column(elem_id="composer"):
                    shelf.draw_chip()
                    with gr.Row():
                        question = gr.Textbox(
                            label="Your question",
                            placeholder="Ask your articles a question",
                            show_label=False,
                            container=False,
                            max_lines=6,
                            elem_id="question",
                        )
                        ask = gr.Button("Ask", variant="primary", elem_id="ask", scale=0)
                        stop = gr.Button("Stop", visible=False, elem_id="stop", scale=0)
                    hint = _html("", elem_id="hint")
            with gr.Column(elem_id="side"):
                shelf.draw(opens)
                pane = _html("", js=f"{opens} watch('value', footnote.reveal); footnote.layOut();")

        def on_load() -> Updates:
            return dict(zip((current, pane), begun(rag, shelf.examples.of), strict=True))

        def on_ask(
            text: str, earlier: Conversation, scope: Scope | None, request: gr.Request
        ) -> Iterator[Updates]:
            session = str(request.session_hash)
            empty = not text or not text.strip()
            if empty or running.busy(session):
                yield {hint: HINT if empty else BUSY}
                return
            begin: Updates = {
                question: "",
                hint: "",
                past: conversation(earlier),
                ask: gr.update(visible=False),
                stop: gr.update(visible=True, interactive=True, value="Stop"),
                new: gr.update(interactive=False),
            }
            try:
                with running.question(session) as cancel:
                    limited = in_words(scope, rag)
                    for exchange in answering(rag, earlier, text.strip(), cancel, scope, limited):
                        now: Updates = {current: conversation([exchange])}
                        yield {**begin, **now, exchanges: (*earlier, exchange)}
                        begin = {}
            except Overloaded as error:
                yield {hint: not_taken(str(error))}
                return
            yield {
                ask: gr.update(visible=True),
                stop: gr.update(visible=False),
                new: gr.update(interactive=True),
            }

        def on_stop(request: gr.Request) -> Updates:
            running.stop(str(request.session_hash))
            return {stop: gr.update(interactive=False, value="Stopping…")}

        def on_new() -> Updates:
            return {**on_load(), exchanges: (), past: ""}

        def on_open(earlier: Conversation, event: gr.EventData) -> str:
            return opened(rag, earlier, event._data)  # noqa: SLF001 - it has no public whole

        def on_unload(request: gr.Request) -> None:
            running.stop(str(request.session_hash))

        gr.on(
            [question.submit, ask.click],
            on_ask,
            [question, exchanges, shelf.scope],
            [question, hint, past, current, exchanges, ask, stop, new],
            concurrency_limit=None,  # the limit is that of ``running``, which says so
            # Gradio's usual "once" drops a question without a word while an event is still pending.
            trigger_mode="multiple",
            **QUIET,
        )
        stop.click(on_stop, None, [stop], **AT_ONCE)
        new.click(on_new, None, [exchanges, past, current, pane], **AT_ONCE)
        for clickable in (past, current, pane, shelf.list):
            clickable.select(on_open, [exchanges], [pane], **AT_ONCE)
        blocks.load(on_load, None, [current, pane], **AT_ONCE)
        shelf.connect(blocks, current, exchanges)
        blocks.unload(on_unload)
    return blocks


def mount(app: FastAPI, blocks: gr.Blocks, host: str, most_bytes: int) -> None:
    """Let the app show the page at "/"; ``most_bytes``: of a file that the browser sends."""
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
        css=CSS,
        max_file_size=most_bytes,
        head=f"<script>{JAVASCRIPT}</script>",
    )


def _html(value: str, *, js: str | None = None, elem_id: str | None = None) -> Any:
    return gr.HTML(value, js_on_load=js, elem_id=elem_id, apply_default_css=False)
