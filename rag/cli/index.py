"""``index``: build an index, sync it, repair it, or say what that would do."""

from __future__ import annotations

import argparse
import math
import threading
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rag.cli.common import config_of
from rag.cli.options import Group, _shown_indexes, add_index_option, add_json, command_parser
from rag.cli.output import bar
from rag.config import Config
from rag.ingest.loaders.tables import parse_fields

if TYPE_CHECKING:
    from rag.index.embedding import Until
    from rag.models.encoder import Encoder
    from rag.types import Changes


def add_index(group: Group) -> None:
    parser = command_parser(
        group,
        "index",
        index,
        "Build an index of a folder of articles, or sync it.",
        "%(prog)s seeds",
        "%(prog)s ~/news --index ~/news-index",
    )
    parser.add_argument(
        "articles",
        type=Path,
        metavar="ARTICLES",
        help="folder of articles: text, web pages, PDF, Word, mail, JSON, CSV, feeds, zip",
    )
    add_index_option(parser, f"{_shown_indexes()}/<folder name>-<hash of its path>")
    add_json(parser)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--dry-run", action="store_true", help="say what would change; write nothing")
    only.add_argument(
        "--repair",
        action="store_true",
        help="make damage good: search files are made again, a damaged store from the articles",
    )
    only.add_argument("--watch", action="store_true", help="go on, and sync whenever files change")
    parser.add_argument(
        "--fields",
        type=parse_fields,
        metavar="WHAT=NAME,…",
        help="what the fields of JSON and CSV rows hold: title=headline,text=body; kept for syncs",
    )
    parser.add_argument(
        "--no-wait",
        action="store_true",
        help="fail at once if another process is writing the index (default: wait for it)",
    )


def index(args: argparse.Namespace) -> None:
    """Build, sync or repair an index, or say what that would do."""
    from rag.cli import output as report
    from rag.index.index import manifest_of
    from rag.index.manifest import default_index_dir
    from rag.index.sync import plan, repair, sync
    from rag.ingest.folder import check_folder
    from rag.models.encoder import load_encoder
    from rag.server.background import watch
    from rag.text import untrusted

    config = config_of(args)
    check_folder(args.articles)  # before a model is loaded, or missed
    index = args.index or default_index_dir(args.articles)
    with bar("reading") as progress, bar("embedding") as embedding:
        encoder = load_encoder(config.encoder, config.models_dir)
        asked = args.articles, index, config, encoder, progress
        run, wait = repair if args.repair else sync, 0.0 if args.no_wait else math.inf
        done = plan(*asked) if args.dry_run else run(*asked, embedding, wait=wait)

    def say(done: Changes) -> None:
        vectors = manifest_of(index).get("vectors", {})
        row = {"index": str(index), "dry_run": args.dry_run, **asdict(done), "vectors": vectors}
        text = report.changes(done, index, planned=args.dry_run, vectors=vectors)
        print(untrusted.to_json(row) if args.json else text, flush=True)

    say(done)
    if args.watch:
        with suppress(KeyboardInterrupt):  # the usual end
            update = partial(sync, args.articles, index, config, encoder, vectors=False)
            behind = partial(_fill, index, config, encoder)
            watch(args.articles, update, say, threading.Event(), fill=behind)


def _fill(index: Path, config: Config, encoder: Encoder, until: Until) -> int:
    from rag.index.embedding import fill

    with bar("embedding") as progress:
        return fill(index, config, encoder, progress, until=until)
