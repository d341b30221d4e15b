"""``search`` and ``ask``: one question or a file of them, over all articles or some."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import places
from rag.cli.common import config_of, say
from rag.cli.options import (
    Group,
    _shown_indexes,
    add_generator,
    add_index_option,
    add_json,
    add_reader,
    command_parser,
    date,
    positive,
)
from rag.cli.output import bar
from rag.command import command
from rag.errors import IndexMissing

if TYPE_CHECKING:
    from rag.answering.pipeline import Rag
    from rag.evaluation.batch import Checker


def add_search(group: Group) -> None:
    parser = command_parser(
        group,
        "search",
        search,
        "Find passages and sentences; no language model.",
        '%(prog)s "Who leads NATO?" -k 5',
        "%(prog)s --input questions.jsonl --output found.jsonl",
    )
    _add_questions(parser)
    add_reader(parser)
    parser.add_argument(
        "-k",
        type=positive,
        default=10,
        metavar="N",
        help="how many passages and sentences (default: %(default)s)",
    )


def add_ask(group: Group) -> None:
    parser = command_parser(
        group,
        "ask",
        ask,
        "Answer a question, each claim with its sentence.",
        '%(prog)s "Who leads NATO?"',
        '%(prog)s "What happened last week?" --date 2024-10-25 --json',
        "%(prog)s --input questions.jsonl --output answers.jsonl",
    )
    _add_questions(parser)
    add_generator(parser)
    parser.add_argument(
        "--date",
        type=date,
        metavar="YYYY-MM-DD",
        help="the day of the question, which “this week” in it is relative to (default: today); "
        "in a file each row has its own",
    )


def _add_questions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", nargs="?", metavar="QUESTION")
    add_index_option(parser, f"the only one in {_shown_indexes()}, else that of seeds")
    add_json(parser)
    files = parser.add_argument_group("a file of questions, resumed if it was begun")
    files.add_argument(
        "--input",
        type=Path,
        metavar="QUESTIONS.jsonl",
        help='rows {"id", "question", "history", "date"}; the last two may be null or absent',
    )
    files.add_argument("--output", type=Path, metavar="ANSWERS.jsonl", help="one row for each")
    add_scope(parser)


def add_scope(parser: argparse.ArgumentParser) -> None:
    """Add --only, --from and --to."""
    limits = parser.add_argument_group("only some of the articles are searched")
    limits.add_argument(
        "--only",
        nargs="+",
        action="extend",
        metavar="PATH",
        help="articles, as their paths are shown; a folder or an archive stands for all in it",
    )
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


def check_usage(args: argparse.Namespace) -> None:
    """What argparse cannot say: one question, or a file of them and a place for the answers."""
    if args.command == "check":
        if (args.draft is None) == (args.input is None):
            args.usage_error("give either DRAFT.txt or --input")
        if (args.input is None) != (args.output is None):
            args.usage_error("--input and --output go together")
    if args.command in {"search", "ask"}:
        if (args.question is None) == (args.input is None):
            args.usage_error("give either QUESTION or --input")
        if (args.input is None) != (args.output is None):
            args.usage_error("--input and --output go together")
        if args.input is not None and (args.json or getattr(args, "date", None)):
            args.usage_error("--json and --date are for one QUESTION; each row has its own date")
        if args.input is not None and limited(args):
            args.usage_error("--only, --from and --to are for one QUESTION")


SEEDS = Path("seeds")


def search(args: argparse.Namespace) -> None:
    """Retrieval alone, of one question or a file of them."""
    from rag.cli import output as report
    from rag.text import untrusted
    from rag.types import NO_ARTICLES

    with _opened(args) as rag:
        if args.input:
            write_rows(rag, args)
            return
        if rag.index.empty:
            say(NO_ARTICLES)
        result = rag.search(args.question, k=args.k, **limits(rag, args))
        print(untrusted.to_json(result.to_dict()) if args.json else report.found(result))


def ask(args: argparse.Namespace) -> None:
    """Answer one question, or a file of them."""
    import datetime as dt

    from rag.cli import output as report
    from rag.text import untrusted

    with _opened(args) as rag:
        if args.input:
            write_rows(rag, args)
            return
        date = args.date or dt.datetime.now().astimezone().date().isoformat()
        only = limits(rag, args)
        if args.json:
            print(untrusted.to_json(rag.answer(args.question, date=date, **only).to_dict()))
        else:
            for part in report.streamed(rag.stream(args.question, date=date, **only)):
                print(part, flush=True)


def write_rows(system: Rag | Checker, args: argparse.Namespace) -> None:
    """Answer, or judge, a file of rows into another."""
    from rag.evaluation import batch

    with bar("answering") as progress:
        outcome = batch.run(
            system,
            args.command,
            args.input,
            args.output,
            k=getattr(args, "k", 10),
            say=say,
            progress=progress,
        )
    errors = f", {outcome.errors} of them with an error" if outcome.errors else ""
    say(f"{args.output}: {outcome.rows - outcome.resumed_after} new rows{errors}.")


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[Rag]:
    """The index that is meant, opened; first what can be refused without loading anything."""
    from rag.answering.pipeline import Rag
    from rag.retrieval.question import checked

    config = config_of(args)
    if not hasattr(args, "generator"):  # search: retrieval alone
        config = replace(config, generator="extractive")
    if not args.input:
        checked(args.question, config.question_characters)
    index = args.index or only_index()
    with Rag.open(index, config) as rag:
        yield rag


def only_index() -> Path:
    from rag.index.manifest import all_indexes, default_index_dir

    found = all_indexes()
    if len(found) == 1:
        return found[0]
    if default_index_dir(SEEDS) in found:
        return default_index_dir(SEEDS)
    if found:
        names = ", ".join(str(path) for path in found)
        raise IndexMissing(f"There are {len(found)} indexes; choose one with --index: {names}.")
    raise IndexMissing(
        f"There is no index in {places.indexes_dir()}. Build one with: {command()} index ARTICLES"
    )
