"""The parser of ``python -m rag``: one command after the other."""

from __future__ import annotations

from rag.cli.admin import add_config, add_password
from rag.cli.ask import add_ask, add_search
from rag.cli.check import add_check
from rag.cli.evaluate import add_eval
from rag.cli.index import add_index
from rag.cli.models import add_models
from rag.cli.options import Parser
from rag.cli.serve import add_mcp, add_serve
from rag.command import command


def parser() -> Parser:
    """Return the parser of all commands; each sets ``run`` to its function."""
    top = Parser(
        prog=command(),
        description="Footnote: cited answers over your own articles, on your own machine.",
        epilog="Each command has its own --help. Begin with: %(prog)s serve",
    )
    top.add_argument("--debug", action="store_true", help="show tracebacks")
    group = top.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for add in (
        add_index,
        add_search,
        add_ask,
        add_check,
        add_eval,
        add_models,
        add_serve,
        add_mcp,
        add_config,
        add_password,
    ):
        add(group)
    return top
