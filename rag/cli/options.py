"""What several commands take: the options' types, and the options that they share."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from rag import places
from rag.config import Config


class Parser(argparse.ArgumentParser):
    """One that hands over to another when its first argument is a word like ``compare``."""

    words: Mapping[str, Parser] = MappingProxyType({})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """See argparse."""
        if args and args[0] in self.words:
            return self.words[args[0]].parse_known_args(args[1:], namespace)
        return super().parse_known_args(args, namespace)


def positive(text: str) -> int:
    """Return a whole number above 0."""
    with suppress(ValueError):
        if (number := int(text)) > 0:
            return number
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")


def share(text: str) -> float:
    """Return a number between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number between 0 and 1")
    return value


def date(text: str) -> str:
    """Return an ISO date."""
    with suppress(ValueError):
        if dt.date.fromisoformat(text).isoformat() == text:
            return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a date as YYYY-MM-DD")


Run: TypeAlias = Callable[[argparse.Namespace], None]
Group: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001

DEFAULTS = Config()


def add_articles(parser: argparse.ArgumentParser) -> None:
    about = "folder of articles (default: seeds, in the current folder)"
    parser.add_argument("articles", type=Path, nargs="?", metavar="ARTICLES", help=about)
    add_index_option(parser, f"{_shown_indexes()}/<folder name>-<hash of its path>")


def command_parser(
    group: Group, name: str, run: Run, about: str, *examples: str, encoder: bool = True
) -> Parser:
    parser = group.add_parser(
        name,
        help=about,
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n  ".join(["examples:", *examples]),
    )
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks"
    )
    if encoder:
        parser.add_argument(
            "--encoder",
            metavar="NAME",
            help=f"catalogue name, hub id or folder (default: {DEFAULTS.encoder})",
        )
    return parser


def _shown_indexes() -> str:
    return str(places.indexes_dir()).replace("%", "%%")  # argparse fills in what follows one


def add_index_option(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--index", type=Path, metavar="DIR", help=f"(default: {default})")


def add_reader(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reader",
        metavar="NAME",
        help="which reads the best sentences: default (in the package), none, or the hub id or "
        "folder of an extractive question-answering model",
    )


def add_generator(parser: argparse.ArgumentParser) -> None:
    add_reader(parser)
    parser.add_argument(
        "--generator",
        metavar="NAME",
        help="llamacpp, transformers, openai (a server at $OPENAI_BASE_URL) or extractive (quotes "
        f"only, no model) (default: {DEFAULTS.generator})",
    )
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="catalogue name, hub id or path (default: the generator's own)",
    )
    parser.add_argument(
        "--phrase",
        choices=("always", "auto", "never"),
        help="whether the language model words answers; auto: where the reader is not sure; never: "
        f"sentences are quoted, and no model is needed (default: {DEFAULTS.phrase})",
    )
    parser.add_argument(
        "--accept-errors",
        type=share,
        metavar="SHARE",
        help="decline when an answer would more probably than this be to a question that the "
        "articles do not answer, such as 0.2 (default: decline when little speaks for one). The "
        "probability was off by .07 to .15 (expected calibration error) on questions of SQuAD, "
        "CLAPNQ, HotpotQA, QuoteSum and RealTimeQA, and by .16 to .23 on the seed questions, a "
        "quarter of which only seem to be answered: see benchmarks/results/confidence.md",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
