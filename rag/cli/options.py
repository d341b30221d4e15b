"""Options that more than one place has to understand: what a question is limited to, and who may
add files in the chat and remove them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.cli.argument_types import date

if TYPE_CHECKING:
    from rag.answering.pipeline import Rag
    from rag.server.background import Updater
    from rag.web.articles import Librarian


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Add --only, --from and --to."""
    limits = parser.add_argument_group("only some of the articles are searched")
    limits.add_argument(
        "--only", nargs="+", action="extend", metavar="PATH",
        help="articles, as their paths are shown; a folder or an archive stands for all in it",
    )  # fmt: skip
    limits.add_argument("--from", dest="first", type=date, metavar="DATE", help="published since")
    limits.add_argument("--to", dest="last", type=date, metavar="DATE", help="… until, included")


def limited(args: argparse.Namespace) -> bool:
    """Return whether one of these is given."""
    return any(getattr(args, name, None) for name in ("only", "first", "last"))


def limits(rag: Rag, args: argparse.Namespace) -> dict[str, Any]:
    """Return what the question is limited to, as arguments of ``rag.search`` and ``rag.answer``.

    Raises InputError for a path that there is not.
    """
    from rag.retrieval.scope import checked_scope
    from rag.types import Scope

    if not limited(args):
        return {}
    paths = frozenset(path.rstrip("/") for path in args.only) if args.only else None
    return {"scope": checked_scope(Scope(paths, args.first, args.last), rag.contents())}


def add_uploads(parser: argparse.ArgumentParser) -> None:
    """Add --uploads, --no-uploads and --remove-own."""
    parser.add_argument(
        "--uploads", action=argparse.BooleanOptionalAction, default=None,
        help="whether files can be added in the chat, and removed again; they are kept in "
        "ARTICLES.footnote, beside the folder (default: only where no other machine reaches it)",
    )  # fmt: skip
    parser.add_argument(
        "--remove-own", action="store_true",
        help="files of the folder itself can be removed too: they are moved to ARTICLES.footnote",
    )  # fmt: skip


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


def check_usage(args: argparse.Namespace) -> None:
    """What argparse cannot say: one question, or a file of them and a place for the answers."""
    if args.command in {"search", "ask"}:
        if (args.question is None) == (args.input is None):
            args.usage_error("give either QUESTION or --input")
        if (args.input is None) != (args.output is None):
            args.usage_error("--input and --output go together")
        if args.input is not None and (args.json or getattr(args, "date", None)):
            args.usage_error("--json and --date are for one QUESTION; each row has its own date")
        if args.input is not None and limited(args):
            args.usage_error("--only, --from and --to are for one QUESTION")
