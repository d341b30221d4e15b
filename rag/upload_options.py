"""Who may add files in the chat and remove them: the options of ``serve``, and what they mean."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.librarian import Librarian
    from rag.pipeline import Rag
    from rag.updating import Updater


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --uploads, --no-uploads and --remove-own."""
    parser.add_argument(
        "--uploads", action=argparse.BooleanOptionalAction, default=None,
        help="whether files can be added in the chat, and removed again; they are kept in "
        "ARTICLES.footnote, beside the folder (default: only when --host is this machine)",
    )  # fmt: skip
    parser.add_argument(
        "--remove-own", action="store_true",
        help="files of the folder itself can be removed too: they are moved to ARTICLES.footnote",
    )  # fmt: skip


def updater_of(rag: Rag, articles: Path) -> Updater:
    """Return what brings the index up to date while the chat runs: words first, then vectors."""
    from rag.updating import Updater

    return Updater(lambda progress: rag.sync(articles, progress, vectors=False), rag.fill)


def librarian_of(rag: Rag, updater: Updater, args: Any) -> Librarian:
    """Return what the page may do to the articles. By default only this machine may change them."""
    from rag.headers import is_loopback
    from rag.librarian import Librarian
    from rag.manage import Manager

    if not (is_loopback(args.host) if args.uploads is None else args.uploads):
        return Librarian(rag)
    return Librarian(rag, Manager(args.articles, rag.config, own=args.remove_own), updater)
