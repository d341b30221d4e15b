"""``check``: what the articles say of each sentence of a person's own text."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from rag.answering.pipeline import Rag
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
        "%(prog)s --input claims.jsonl --output verdicts.jsonl",
    )
    parser.add_argument("draft", type=Path, nargs="?", metavar="DRAFT.txt")
    add_index_option(parser, f"the only one in {_shown_indexes()}, else that of seeds")
    add_json(parser)
    files = parser.add_argument_group("a file of claims, resumed if it was begun")
    files.add_argument(
        "--input",
        type=Path,
        metavar="CLAIMS.jsonl",
        help='rows {"id", "claim", "sources", "title"}; where a row has sources (a list of texts), '
        "only these count; the title proves nothing",
    )
    files.add_argument("--output", type=Path, metavar="VERDICTS.jsonl", help="one row for each")


def check(args: argparse.Namespace) -> None:
    """Check one text, or a file of claims."""
    if args.input:
        _batch(args)
        return
    from rag.text import untrusted

    if not args.draft.is_file():
        raise InputError(f"There is no file {args.draft}.")
    with args.draft.open("rb") as file:
        text = file.read(LARGEST).decode("utf-8-sig", "replace")
    with _opened(args) as rag:
        result = rag.check(text)
    print(untrusted.to_json(result.to_dict()) if args.json else shown(result))


def _opened(args: argparse.Namespace) -> Rag:
    from rag.answering.pipeline import Rag

    config = replace(config_of(args), generator="extractive", reader="none")
    return Rag.open(args.index or only_index(), config)


def _batch(args: argparse.Namespace) -> None:
    from rag.cli.ask import write_rows

    with ExitStack() as stack:
        write_rows(_Claims(args, stack), args)


class _Claims:
    """Judges rows of claims; an index is opened for the first that brings no sources."""

    def __init__(self, args: argparse.Namespace, stack: ExitStack) -> None:
        from rag.verification.verifiers import load_verifier

        self.config = config_of(args)
        self._verifier = load_verifier(self.config.verifier, self.config)
        self._args, self._stack = args, stack

    @cached_property
    def _rag(self) -> Rag:
        return self._stack.enter_context(_opened(self._args))

    @property
    def manifest(self) -> dict[str, str]:
        return {}

    def verdict(self, claim: str, sources: Sequence[str] | None, title: str) -> dict[str, Any]:
        from rag.answering.checking.text import check_against

        if sources is None:
            found = self._rag.check_claim(claim)
        else:
            found = check_against(claim, sources, self._verifier, title)
        row = found.to_dict()
        return {n: row[n] for n in ("verdict", "support", "citations", "differs", "reason")}


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
