"""The web chat: Gradio's layout, the handlers, and launching. What is drawn is in page.py and
reader.py, what a conversation is in conversation.py.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

# Read by Gradio itself: no telemetry, and no statistics over its events after each of them.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"
os.environ["FASTAPI_OTEL_AUTO_CONFIGURE"] = "false"  # FastAPI's own, whatever else is set
import gradio as gr
from starlette.middleware import Middleware

from rag.chat_kept import ACTS, REMEMBERS, Shelf
from rag.conversation import Exchange
from rag.errors import InputError, RagError
from rag.headers import is_loopback, middleware
from rag.keeping import Keeping
from rag.kept_page import BUTTON
from rag.page import BUSY, HEADER, HINT
from rag.session import Engine, Running, answering, opened
from rag.visitors import Visitors, visitor_of

CSS, JAVASCRIPT = (
    "\n".join(
        path.read_text("utf-8") for path in sorted(Path(__file__).parent.glob(f"page*.{kind}"))
    )
    for kind in ("css", "js")
)

VISITORS_AT_ONCE = 8  # questions in progress; the engine itself writes one answer at a time
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}

Updates: TypeAlias = dict[Any, Any]  # component → its new value
Conversation: TypeAlias = tuple[Exchange, ...]


def build(rag: Engine, running: Running, keeping: Keeping | None = None) -> gr.Blocks:
    """Return the page, not yet served. Without ``keeping``, a reload forgets the conversation."""
    blocks = gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True)
    with blocks:
        # The conversation, kept by the server for this visitor alone.
        exchanges = gr.State(())
        shelf = Shelf(rag, running, keeping)
        with gr.Row(elem_id="bar"):
            _html(HEADER, js="footnote.layOut();")
            button = _html(BUTTON if keeping else "", js=ACTS, elem_id="shelf")
            new = gr.Button("New conversation", elem_id="new", size="sm", scale=0)
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="chat"):
                with gr.Column(elem_id="thread"):
                    opens = f"footnote.opens(element, trigger); {ACTS}"
                    past = _html("", js=opens)
                    current = _html("", js=opens + "footnote.follows(element, watch);")
                with gr.Column(elem_id="composer"):
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
                    tab = _html("", js=REMEMBERS)
            with gr.Column(elem_id="side"):
                js = f"{opens} watch('value', footnote.reveal); footnote.layOut();"
                pane = _html("", js=js)

        def on_ask(
            text: str, earlier: Conversation, name: str, request: gr.Request
        ) -> Iterator[Updates]:
            session = str(request.session_hash)
            if not text or not text.strip():
                yield {hint: HINT}
                return
            if running.busy(session):
                yield {hint: BUSY}
                return
            begin: Updates = {
                question: "",
                hint: "",
                past: shelf.drawn(earlier),
                ask: gr.update(visible=False),
                stop: gr.update(visible=True, interactive=True, value="Stop"),
                new: gr.update(interactive=False),
            }
            keep = shelf.keeper(visitor_of(request.cookies), name, earlier, tab, hint)
            with running.question(session) as cancel:
                for exchange in answering(rag, earlier, text.strip(), cancel):
                    now: Updates = {current: shelf.drawn((exchange,))}
                    now |= keep(exchange)
                    yield {**begin, **now, exchanges: (*earlier, exchange)}
                    begin = {}
            yield {
                ask: gr.update(visible=True),
                stop: gr.update(visible=False),
                new: gr.update(interactive=True),
            }

        def on_stop(request: gr.Request) -> Updates:
            running.stop(str(request.session_hash))
            return {stop: gr.update(interactive=False, value="Stopping…")}

        def on_open(earlier: Conversation, event: gr.EventData) -> str:
            return opened(rag, earlier, event._data)  # noqa: SLF001 - it has no public whole

        def on_unload(request: gr.Request) -> None:
            running.stop(str(request.session_hash))

        gr.on(
            [question.submit, ask.click],
            on_ask,
            [question, exchanges, shelf.identity],
            [question, hint, past, current, exchanges, shelf.identity, tab, ask, stop, new],
            concurrency_limit=VISITORS_AT_ONCE,
            # Gradio's usual "once" drops a question without a word while an event is still pending.
            trigger_mode="multiple",
            **QUIET,
        )
        stop.click(on_stop, None, [stop], **AT_ONCE)
        shelf.connect(blocks, exchanges, past, current, pane, tab, hint, new, button, AT_ONCE)
        for clickable in (past, current, pane):
            clickable.select(on_open, [exchanges], [pane], **AT_ONCE)
        blocks.unload(on_unload)
    return blocks


def _html(value: str, *, js: str | None = None, elem_id: str | None = None) -> Any:
    return gr.HTML(value, js_on_load=js, elem_id=elem_id, apply_default_css=False)


def launch(
    rag: Engine,
    running: Running,
    *,
    host: str,
    port: int,
    open_browser: bool = False,
    keeping: Keeping | None = None,
) -> gr.Blocks:
    """Serve the page in the background; ``close()`` on the result ends it. Raises InputError."""
    blocks = build(rag, running, keeping)
    sans = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"]
    if not 0 < port < 2**16:
        raise InputError(f"There is no port {port}; give --port a number from 1 to 65535.")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()  # Gradio only tries "localhost"
        blocks.launch(
            server_name=host,
            server_port=port,  # this one or none
            inbrowser=open_browser,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            run_history=False,
            footer_links=[],
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            theme=gr.themes.Base(font=[gr.themes.Font(name) for name in sans], font_mono=[]),
            css=CSS,
            head=f"<script>{JAVASCRIPT}</script>",
            app_kwargs={"middleware": [*middleware(host), *_visitors(keeping)]},
        )
    except OSError as error:
        blocks.close()
        raise InputError(
            f"Cannot serve on {host} port {port}: it is in use, or not allowed. "
            "Stop the other program or choose another with --port."
        ) from error
    return blocks


def _visitors(keeping: Keeping | None) -> list[Middleware]:
    if keeping is None:
        return []
    return [Middleware(Visitors, store=keeping.store, read=keeping.rag.article)]


def serve(
    rag: Engine,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    keeping: Keeping | None = None,
) -> None:
    """Serve the chat until Ctrl+C. Raises InputError if the port cannot be used."""
    running = Running()
    blocks = launch(rag, running, host=host, port=port, open_browser=open_browser, keeping=keeping)
    print(f"Footnote is at {blocks.local_url} (Ctrl+C ends it)", flush=True)
    if not is_loopback(host):
        print("Anyone who can reach this address can read the articles.", flush=True)
    threading.Thread(target=_warm_up, args=[rag], name="warm-up", daemon=True).start()
    try:
        _until_interrupted()
    except KeyboardInterrupt:
        print("Footnote ends.", flush=True)
    finally:
        running.stop_all()  # first, or the server would wait for the answers
        # Nor should it wait for pages that are open, and then report that they were cut off.
        logging.getLogger("uvicorn.error").disabled = True
        blocks.server.force_exit = True
        blocks.close(verbose=False)


def _until_interrupted() -> None:
    while True:
        time.sleep(1)


def _warm_up(rag: Engine) -> None:
    """Load the models while the page can be used already; a question that needs them will wait."""
    try:
        rag.warm_up()
    except RagError as error:  # each question will say so too
        print(f"Not ready to answer: {error}", file=sys.stderr, flush=True)
