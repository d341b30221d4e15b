"""``models``: list, fetch, verify and locate the model files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rag.cli.common import config_of
from rag.cli.options import Group, command_parser
from rag.command import command
from rag.errors import ModelError


def add_models(group: Group) -> None:
    parser = command_parser(
        group,
        "models",
        models,
        "The model files on this machine.",
        "%(prog)s list",
        "%(prog)s pull",
        "%(prog)s verify all-MiniLM-L6-v2",
        encoder=False,
    )
    parser.add_argument(
        "action",
        choices=("list", "pull", "verify", "path"),
        help="list all; fetch (default: encoder and language model); hash again (default: those "
        "that are here); print where it lies",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="see list; or a hub id")


def models(args: argparse.Namespace) -> None:
    """List, fetch, verify or locate the model files."""
    from rag.cli import output as report
    from rag.models import catalogue
    from rag.models import files as models

    folder = config_of(args).models_dir
    states = models.status(folder)
    if args.action == "list":
        print(report.models([row for row in states if row.name in args.names] or states))
    elif args.action == "path":
        for path in [models.locate(name, folder) for name in args.names]:
            print(path)
        if not args.names:
            print(folder or models.default_dir())
    elif args.action == "pull":
        specs = catalogue.CATALOGUE.values()
        for name in args.names or [s.name for s in specs if "(default)" in s.description]:
            print(models.pull(name, folder))
    else:
        _verify(args.names or [row.name for row in states if row.state != "missing"], folder)


def _verify(names: Sequence[str], folder: Path | None) -> None:
    from rag.models import files as models

    if not names:
        raise ModelError(f"There is no model to verify yet: {command()} models pull")
    failures = []
    for name in names:
        try:
            print(f"{models.verify(name, folder)}: intact")
        except ModelError as error:
            failures.append(str(error))
    if failures:
        raise ModelError(" ".join(failures))
