"""``check``: what the articles say of each sentence of a person's own text."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.cli.ask import only_index
from rag.cli.common import config_of
from rag.cli.options import (
    Group,
    _shown_indexes,
    add_index_option,
    add_json,
    command_parser,
)
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.types import CheckedText

LARGEST = 4_000_000  # bytes that are read of a text


def add_check(group: Group) -> None:
    parser = command_parser(
        group,
        "check",
        check,
        "Say of each sentence of a text whether the articles say it.",
        "%(prog)s draft.txt",
        "%(prog)s draft.txt --json",
    )
    parser.add_argument("draft", type=Path, metavar="DRAFT.txt")
    add_index_option(parser, f"the only one in {_shown_indexes()}, else that of seeds")
    add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Check one text."""
    from rag.answering.pipeline import Rag
    from rag.text import untrusted

    if not args.draft.is_file():
        raise InputError(f"There is no file {args.draft}.")
    with args.draft.open("rb") as file:
        text = file.read(LARGEST).decode("utf-8-sig", "replace")
    config = replace(config_of(args), generator="extractive")
    with Rag.open(args.index or only_index(), config) as rag:
        result = rag.check(text)
    print(untrusted.to_json(result.to_dict()) if args.json else shown(result))


def shown(result: CheckedText) -> str:
    """Return each sentence with its verdict, the words that differ and its citation."""
    from rag.cli import output

    parts = []
    for sentence in result.sentences:
        lines = [output.wrapped(f"{sentence.verdict.replace('_', ' ')}: {sentence.text}")]
        differs = ", ".join(sentence.text[s.start : s.end] for s in sentence.differs)
        lines += [output.wrapped(f"differs: {differs}", "  ", "  ")] if differs else []
        lines += [output.wrapped(sentence.reason, "  ", "  ")] if sentence.reason else []
        lines += [output.footnote(cited) for cited in sentence.citations]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
