"""Who may add files in the chat and remove them: the options of ``serve``, and what they mean."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.librarian import Librarian
    from rag.pipeline import Rag


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


def librarian_of(rag: Rag, articles: Path, host: str, args: argparse.Namespace) -> Librarian:
    """Return what may be done to the articles. By default only this machine may change them."""
    from rag.headers import is_loopback
    from rag.librarian import Librarian
    from rag.manage import Manager
    from rag.updating import Updater

    if not (is_loopback(host) if args.uploads is None else args.uploads):
        return Librarian(rag)
    manager = Manager(articles, rag.config, own=args.remove_own)
    updater = Updater(lambda progress: rag.sync(articles, progress, progress))
    return Librarian(rag, manager, updater)
