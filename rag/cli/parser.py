"""The arguments of ``python -m rag``: what ``--help`` shows."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from rag import places
from rag.cli import commands
from rag.cli import serve as server_commands
from rag.cli.argument_types import Parser, date, positive, share
from rag.cli.options import add_scope, add_uploads
from rag.command import command
from rag.config import Config
from rag.ingest.loaders.tables import parse_fields

Run: TypeAlias = Callable[[argparse.Namespace], None]
Group: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001

DEFAULTS = Config()


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
        _add_index, _add_search, _add_ask, _add_eval, _add_models, _add_serve, _add_mcp,
        _add_config, _add_password,
    ):  # fmt: skip
        add(group)
    return top


def _add_index(group: Group) -> None:
    parser = _command(
        group, "index", commands.index, "Build an index of a folder of articles, or sync it.",
        "%(prog)s seeds", "%(prog)s ~/news --index ~/news-index",
    )  # fmt: skip
    parser.add_argument(
        "articles", type=Path, metavar="ARTICLES",
        help="folder of articles: text, web pages, PDF, Word, mail, JSON, CSV, feeds, zip",
    )  # fmt: skip
    _add_index_option(parser, f"{_shown_indexes()}/<folder name>-<hash of its path>")
    _add_json(parser)
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--dry-run", action="store_true", help="say what would change; write nothing")
    only.add_argument(
        "--repair", action="store_true",
        help="make a damaged index good; only articles whose rows are damaged are read",
    )  # fmt: skip
    only.add_argument("--watch", action="store_true", help="go on, and sync whenever files change")
    parser.add_argument(
        "--fields", type=parse_fields, metavar="WHAT=NAME,…",
        help="what the fields of JSON and CSV rows hold: title=headline,text=body; kept for syncs",
    )  # fmt: skip
    parser.add_argument(
        "--no-wait", action="store_true",
        help="fail at once if another process is writing the index (default: wait for it)",
    )  # fmt: skip


def _add_search(group: Group) -> None:
    parser = _command(
        group, "search", commands.search, "Find passages and sentences; no language model.",
        '%(prog)s "Who leads NATO?" -k 5',
        "%(prog)s --input questions.jsonl --output found.jsonl",
    )  # fmt: skip
    _add_questions(parser)
    parser.add_argument(
        "-k", type=positive, default=10, metavar="N",
        help="how many passages and sentences (default: %(default)s)",
    )  # fmt: skip


def _add_ask(group: Group) -> None:
    parser = _command(
        group, "ask", commands.ask, "Answer a question, each claim with its sentence.",
        '%(prog)s "Who leads NATO?"',
        '%(prog)s "What happened last week?" --date 2024-10-25 --json',
        "%(prog)s --input questions.jsonl --output answers.jsonl",
    )  # fmt: skip
    _add_questions(parser)
    _add_generator(parser)
    parser.add_argument(
        "--date", type=date, metavar="YYYY-MM-DD",
        help="the day of the question, which “this week” in it is relative to (default: today); "
        "in a file each row has its own",
    )  # fmt: skip


def _add_questions(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", nargs="?", metavar="QUESTION")
    _add_index_option(parser, f"the only one in {_shown_indexes()}, else that of seeds")
    _add_json(parser)
    files = parser.add_argument_group("a file of questions, resumed if it was begun")
    files.add_argument(
        "--input", type=Path, metavar="QUESTIONS.jsonl",
        help='rows {"id", "question", "history", "date"}; the last two may be null or absent',
    )  # fmt: skip
    files.add_argument("--output", type=Path, metavar="ANSWERS.jsonl", help="one row for each")
    add_scope(parser)


def _add_eval(group: Group) -> None:
    parser = _command(
        group, "eval", commands.evaluate,
        "Measure retrieval, answers or the checking of claims against known ones; or, as "
        "`eval compare A.json B.json`, compare two results.",
        "%(prog)s $RAG_EVAL_DATA/squad --limit 20",
        "%(prog)s seeds --questions tests/data/seed_questions.jsonl --articles seeds",
        "%(prog)s compare before.json after.json --metric evidence_recall@5",
    )  # fmt: skip
    parser.words = {"compare": _compare_parser(parser)}
    add = parser.add_argument
    add("set", type=Path, metavar="SET", help="folder with articles/ and the questions, or a name")
    add(
        "--questions", type=Path, metavar="FILE",
        help="for each part that is measured (default: SET/questions.jsonl for retrieval, "
        "SET/sample.jsonl for answers, SET/claims.jsonl for claims)",
    )  # fmt: skip
    add("--articles", type=Path, metavar="DIR", help="(default: SET/articles)")
    add(
        "--task", choices=("all", "answers", "retrieval", "claims"), default="all",
        help="the parts to measure (default: all that the set has questions for)",
    )  # fmt: skip
    add("--limit", type=positive, metavar="N", help="the first N questions of each part only")
    add(
        "--output", type=Path, metavar="FILE",
        help="ids and numbers, no texts (default: results/<set>-<generator>-<commit>.json)",
    )  # fmt: skip
    add(
        "--html", type=Path, metavar="FILE",
        help="a page of plots and the ten worst errors; it holds texts of questions and articles, "
        "which some sets do not allow to be published, so it is not put beside the result "
        "(default: in the cache)",
    )  # fmt: skip
    add(
        "--cache", type=Path, metavar="DIR",
        help="where begun runs, indexes and pages are kept (default: the user's cache)",
    )  # fmt: skip
    _add_generator(parser)
    _add_json(parser)


def _compare_parser(parent: Parser) -> Parser:
    about = (
        "Compare two results of eval over the same questions: paired differences with 95 % "
        "intervals, and which questions changed. Exit code 1 when a --metric got worse by more "
        "than its interval."
    )
    parser = Parser(
        prog=f"{parent.prog} compare", description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  %(prog)s before.json after.json\n"
        "  %(prog)s before.json after.json --metric evidence_recall@5 aurc",
    )  # fmt: skip
    parser.set_defaults(run=commands.compare, usage_error=parser.error)
    parser.add_argument("before", type=Path, metavar="A.json", help="the result before a change")
    parser.add_argument("after", type=Path, metavar="B.json", help="the result after it")
    parser.add_argument(
        "--metric", nargs="+", default=[], metavar="NAME",
        help="must not get worse, such as evidence_recall@5, or answers.auroc where the name is in "
        "several parts",
    )  # fmt: skip
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks"
    )
    _add_json(parser)
    return parser


def _add_models(group: Group) -> None:
    parser = _command(
        group, "models", commands.models, "The model files on this machine.",
        "%(prog)s list", "%(prog)s pull",
        "%(prog)s verify all-MiniLM-L6-v2",
    )  # fmt: skip
    parser.add_argument(
        "action", choices=("list", "pull", "verify", "path"),
        help="list all; fetch (default: encoder and language model); hash again (default: those "
        "that are here); print where it lies",
    )  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="see list; or a hub id")


def _add_serve(group: Group) -> None:
    parser = _command(
        group, "serve", server_commands.serve,
        "Sync the index and serve the web chat, the HTTP interface (/openapi.json) and the tools "
        "for agents (/mcp). Settings also come from the environment and a file: see config.",
        "%(prog)s", "%(prog)s ~/news --port 8000 --no-browser",
    )  # fmt: skip
    add = parser.add_argument
    _add_articles(parser)
    add("--host", help="address to listen on; others than this machine's own need a password or "
        "token (default: 127.0.0.1)")  # fmt: skip
    add("--port", type=positive, help="(default: 7860)")
    add("--no-browser", action="store_true", help="do not open a browser")
    add("--watch", action="store_true", help="sync whenever files change, while the chat runs")
    add_uploads(parser)
    add("--no-history", action="store_true", help="keep no conversations and no ratings")
    _add_generator(parser)


def _add_mcp(group: Group) -> None:
    parser = _command(
        group, "mcp", server_commands.mcp,
        "Sync the index and serve the tools search_articles, read_article and answer_question to "
        "an agent, over standard input and output (Model Context Protocol).",
        "%(prog)s ~/news",
    )  # fmt: skip
    _add_articles(parser)
    _add_generator(parser)


def _add_config(group: Group) -> None:
    parser = _command(
        group, "config", server_commands.config,
        "Show every setting and where it comes from: the environment (FOOTNOTE_PORT=8000), a file "
        "of TOML (FOOTNOTE_CONFIG names it), or the default.",
        "%(prog)s", "FOOTNOTE_CONFIG=footnote.toml %(prog)s --json",
    )  # fmt: skip
    _add_json(parser)


def _add_password(group: Group) -> None:
    parser = _command(
        group, "password", server_commands.password,
        'Ask for a password and print its hash, for the settings: users = {ana = "HASH"} in the '
        "file, or FOOTNOTE_USERS=ana:HASH.",
        "%(prog)s", "%(prog)s --token > token.txt",
    )  # fmt: skip
    about = "print a new token for programs instead, for FOOTNOTE_TOKENS or the file token_file"
    parser.add_argument("--token", action="store_true", help=about)


def _add_articles(parser: argparse.ArgumentParser) -> None:
    about = "folder of articles (default: seeds, in the current folder)"
    parser.add_argument("articles", type=Path, nargs="?", metavar="ARTICLES", help=about)
    _add_index_option(parser, f"{_shown_indexes()}/<folder name>-<hash of its path>")


def _command(group: Group, name: str, run: Run, about: str, *examples: str) -> Parser:
    parser = group.add_parser(
        name, help=about, description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n  ".join(["examples:", *examples]),
    )  # fmt: skip
    parser.set_defaults(run=run, usage_error=parser.error)
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks"
    )
    if run not in {commands.models, server_commands.config, server_commands.password}:
        parser.add_argument(
            "--encoder", metavar="NAME",
            help=f"catalogue name, hub id or folder (default: {DEFAULTS.encoder})",
        )  # fmt: skip
    return parser


def _shown_indexes() -> str:
    return str(places.indexes_dir()).replace("%", "%%")  # argparse fills in what follows one


def _add_index_option(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--index", type=Path, metavar="DIR", help=f"(default: {default})")


def _add_generator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--generator", metavar="NAME",
        help="llamacpp, transformers, openai (a server at $OPENAI_BASE_URL) or extractive (quotes "
        f"only, no model) (default: {DEFAULTS.generator})",
    )  # fmt: skip
    parser.add_argument(
        "--model", metavar="NAME",
        help="catalogue name, hub id or path (default: the generator's own)",
    )  # fmt: skip
    parser.add_argument(
        "--accept-errors", type=share, metavar="SHARE",
        help="decline when an answer would more probably than this be to a question that the "
        "articles do not answer, such as 0.2 (default: decline when little speaks for one). The "
        "probability was off by .06 to .15 (expected calibration error) on questions of SQuAD, "
        "CLAPNQ, HotpotQA, QuoteSum and RealTimeQA, and by .16 to .23 on the seed questions, a "
        "quarter of which only seem to be answered: see benchmarks/results/confidence.md",
    )  # fmt: skip


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
