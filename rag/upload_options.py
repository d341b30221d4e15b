"""Who may add files in the chat and remove them: the options of ``serve``, and what they mean."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

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


def librarian_of(rag: Rag, args: Any) -> Librarian:
    """Return what the page may do to the articles. By default only this machine may change them."""
    from rag.headers import is_loopback
    from rag.librarian import Librarian
    from rag.manage import Manager
    from rag.updating import Updater

    if not (is_loopback(args.host) if args.uploads is None else args.uploads):
        return Librarian(rag)
    manager = Manager(args.articles, rag.config, own=args.remove_own)
    return Librarian(
        rag, manager, Updater(lambda progress: rag.sync(args.articles, progress, progress))
    )
