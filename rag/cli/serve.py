"""``serve`` and ``mcp``: the web chat, the interfaces for programs, the tools for agents."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import threading
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rag.cli.common import config_of
from rag.cli.common import say as _say
from rag.cli.options import Group, add_articles, add_generator, command_parser, positive
from rag.cli.output import bar
from rag.errors import InputError, RagError

if TYPE_CHECKING:
    from rag.answering.pipeline import Rag
    from rag.app import Options
    from rag.models.encoder import Encoder
    from rag.server.background import Updater
    from rag.server.settings import Server, Settings
    from rag.web.articles import Librarian


def add_serve(group: Group) -> None:
    parser = command_parser(
        group,
        "serve",
        serve,
        "Sync the index and serve the web chat, the HTTP interface (/openapi.json) and the tools "
        "for agents (/mcp). Settings also come from the environment and a file: see config.",
        "%(prog)s",
        "%(prog)s ~/news --port 8000 --no-browser",
    )
    add = parser.add_argument
    add_articles(parser)
    add(
        "--host",
        help="address to listen on; others than this machine's own need a password or "
        "token (default: 127.0.0.1)",
    )
    add("--port", type=positive, help="(default: 7860)")
    add("--no-browser", action="store_true", help="do not open a browser")
    add("--watch", action="store_true", help="sync whenever files change, while the chat runs")
    add_uploads(parser)
    add("--no-history", action="store_true", help="keep no conversations and no ratings")
    add_generator(parser)


def add_mcp(group: Group) -> None:
    parser = command_parser(
        group,
        "mcp",
        mcp,
        "Sync the index and serve the tools search_articles, read_article and answer_question to "
        "an agent, over standard input and output (Model Context Protocol).",
        "%(prog)s ~/news",
    )
    add_articles(parser)
    add_generator(parser)


def add_uploads(parser: argparse.ArgumentParser) -> None:
    """Add --uploads, --no-uploads and --remove-own."""
    parser.add_argument(
        "--uploads",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether files can be added in the chat, and removed again; they are kept in "
        "ARTICLES.footnote, beside the folder (default: only where no other machine reaches it)",
    )
    parser.add_argument(
        "--remove-own",
        action="store_true",
        help="files of the folder itself can be removed too: they are moved to ARTICLES.footnote",
    )


def updater_of(rag: Rag, articles: Path) -> Updater:
    """Return what brings the index up to date while the chat runs: words first, then vectors."""
    from rag.server.background import Updater

    return Updater(lambda progress: rag.sync(articles, progress, vectors=False), rag.fill)


def librarian_of(
    rag: Rag, updater: Updater, articles: Path, args: argparse.Namespace, *, local: bool
) -> Librarian:
    """Return what may be done to the articles; by default nothing where others reach the page."""
    from rag.ingest.uploads import Manager
    from rag.web.articles import Librarian

    if not (local if args.uploads is None else args.uploads):
        return Librarian(rag)
    manager = Manager(articles, rag.config, own=args.remove_own)
    return Librarian(rag, manager, updater, local=local)


def serve(args: argparse.Namespace) -> None:
    """Sync the index and serve the web chat and the interfaces for programs."""
    from rag.server.settings import settings

    signal.signal(signal.SIGTERM, _end)  # from now on: alone in a container, a process ignores it
    found = settings(os.environ)
    articles = _articles(args, found)
    encoder = _encoder(args)  # loads beside what follows, which takes as long
    gc.disable()  # a twelfth of that time: what is imported is no garbage
    from rag.app import check_reachable
    from rag.app import serve as serve_all
    from rag.server.background import filling, watching
    from rag.web.history import keeping_for

    gc.freeze()
    gc.enable()

    server, options = found.server(), _options(found)
    host, port = args.host or server.host, args.port or server.port
    check_reachable(host, port, options)  # before an index is built
    rag = _synced(articles, args, found, encoder)
    updater = updater_of(rag, articles)
    librarian = librarian_of(rag, updater, articles, args, local=_is_local(host, server))
    kept = None if args.no_history else keeping_for(rag, rag.index.folder)
    options = replace(options, librarian=librarian, keeping=kept, manager=librarian.for_programs())
    update = partial(rag.sync, articles, vectors=False)
    watched = args.watch or server.watch
    behind = (
        watching(articles, update, _say, fill=updater.fill) if watched else filling(updater.fill)
    )
    with rag, behind, suppress(KeyboardInterrupt):  # the usual end
        serve_all(
            rag,
            host=host,
            port=port,
            open_browser=not args.no_browser,
            options=options,
            log=server.log,
        )


def mcp(args: argparse.Namespace) -> None:
    """Serve the tools for agents over standard input and output."""
    if find_spec("mcp") is None:
        raise InputError("The package mcp is missing: pip install 'footnote-rag[mcp]'")
    import anyio

    from rag.api.asking import Asking
    from rag.api.mcp import mcp_server
    from rag.server.background import filling
    from rag.server.engine import Running
    from rag.server.limits import Gate
    from rag.server.logs import log_to_stderr
    from rag.server.settings import settings

    found = settings(os.environ)
    log_to_stderr(found.server().log)
    articles = _articles(args, found)
    with _synced(articles, args, found, _encoder(args)) as rag, filling(rag.fill):
        threading.Thread(target=_warm_up, args=[rag], daemon=True).start()
        tools = mcp_server(Asking(rag, Running(), Gate(found.limits())))
        anyio.run(tools.run_stdio_async)


def _end(_signal: int, _frame: object) -> NoReturn:
    raise SystemExit(0)  # whoever runs services takes another code for a failure


def _options(found: Settings) -> Options:
    from rag.app import Options
    from rag.server.access import Access, token_digest

    server = found.server()
    tokens = tuple(token_digest(token) for token in found.tokens())
    access = Access(server.users, tokens)
    return Options(access, found.limits(), server.hosts, server.origins, server.trusted_proxies)


def _is_local(host: str, server: Server) -> bool:
    """Return whether nothing is said of others who reach a server that listens on ``host``."""
    from rag.server.headers import is_loopback

    return is_loopback(host) and not (server.hosts or server.trusted_proxies)


def _encoder(args: argparse.Namespace) -> Encoder:
    from rag.index.vectors import keep_torch_out
    from rag.models.encoder_process import load_beside
    from rag.verification.verifiers import NLI

    settings = config_of(args)
    encoder = load_beside(settings)
    if settings.generator != "transformers" and not settings.verifier.startswith(NLI):
        keep_torch_out()  # it takes seconds to load
    return encoder


def _articles(args: argparse.Namespace, found: Settings) -> Path:
    """Return the folder that is meant; if there is none, say so before a model is missed."""
    from rag.ingest.folder import check_folder

    articles: Path = args.articles or found.server().articles
    check_folder(articles)
    return articles


def _synced(articles: Path, args: argparse.Namespace, found: Settings, encoder: Encoder) -> Rag:
    from rag.answering.pipeline import Rag
    from rag.models.encoder_process import EncoderProcess

    index, settings = args.index or found.server().index, config_of(args)
    reads = settings.reader != "none"
    reader = encoder if reads and isinstance(encoder, EncoderProcess) else None
    with bar("reading") as progress:  # what is to be embedded is so behind the first questions
        return Rag.for_articles(
            articles, settings, index, progress, encoder=encoder, reader=reader, vectors=False
        )


def _warm_up(rag: Rag) -> None:
    with suppress(RagError):  # each question will say so
        rag.warm_up()
