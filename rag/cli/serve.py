"""What the commands around the server do: serve, mcp, config, password."""

from __future__ import annotations

import argparse
import gc
import getpass
import os
import secrets
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rag.cli.bar import bar
from rag.cli.commands import _config, _say
from rag.errors import InputError, RagError

if TYPE_CHECKING:
    from rag.answering.pipeline import Rag
    from rag.app import Options
    from rag.models.encoder import Encoder
    from rag.server.settings import Server, Settings


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
    from rag.cli.options import librarian_of, updater_of
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
    behind = watching(articles, update, _say, fill=rag.fill) if watched else filling(updater.fill)
    with rag, behind, suppress(KeyboardInterrupt):  # the usual end
        serve_all(
            rag, host=host, port=port, open_browser=not args.no_browser, options=options,
            log=server.log,
        )  # fmt: skip


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


def config(args: argparse.Namespace) -> None:
    """Show every setting and where it comes from."""
    from rag.server.settings import settings
    from rag.text.untrusted import one_line, to_json

    rows = settings(os.environ).shown()
    if args.json:
        print(to_json({row.pop("name"): row for row in rows}))
        return
    for row in rows:
        value = "" if row["value"] is None else to_json(row["value"])
        print(f"{row['name']:25} = {one_line(value):25} # {one_line(row['source'])}")


def password(args: argparse.Namespace) -> None:
    """Print the hash of a password, or a new token."""
    from rag.server.access import hashed

    if args.token:
        print(secrets.token_urlsafe(32))
        return
    if not sys.stdin.isatty():  # as in `… < file`
        print(hashed(sys.stdin.readline().rstrip("\r\n")))
        return
    chosen = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != chosen:
        raise InputError("The two differ; nothing was made.")
    print(hashed(chosen))


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

    settings = _config(args)
    encoder = load_beside(settings.encoder, settings.models_dir)
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

    index, settings = args.index or found.server().index, _config(args)
    with bar("reading") as progress:  # what is to be embedded is so behind the first questions
        return Rag.for_articles(articles, settings, index, progress, encoder=encoder, vectors=False)


def _warm_up(rag: Rag) -> None:
    with suppress(RagError):  # each question will say so
        rag.warm_up()
