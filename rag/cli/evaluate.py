"""``eval`` and ``eval compare``: measure, and compare two measurements."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rag.cli.common import config_of, say
from rag.cli.options import Group, Parser, add_generator, add_json, command_parser, positive
from rag.cli.output import bar
from rag.config import Config
from rag.errors import InputError

if TYPE_CHECKING:
    from rag.answering.pipeline import Rag
    from rag.evaluation.run import Evaluation


def add_eval(group: Group) -> None:
    parser = command_parser(
        group,
        "eval",
        evaluate,
        "Measure retrieval, answers or the checking of claims against known ones; or, as "
        "`eval compare A.json B.json`, compare two results.",
        "%(prog)s $RAG_EVAL_DATA/squad --limit 20",
        "%(prog)s seeds --questions tests/data/seed_questions.jsonl --articles seeds",
        "%(prog)s compare before.json after.json --metric evidence_recall@5",
    )
    parser.words = {"compare": _compare_parser(parser)}
    add = parser.add_argument
    add("set", type=Path, metavar="SET", help="folder with articles/ and the questions, or a name")
    add(
        "--questions",
        type=Path,
        metavar="FILE",
        help="for each part that is measured (default: SET/questions.jsonl for retrieval, "
        "SET/sample.jsonl for answers, SET/claims.jsonl for claims)",
    )
    add("--articles", type=Path, metavar="DIR", help="(default: SET/articles)")
    add(
        "--task",
        choices=("all", "answers", "retrieval", "claims"),
        default="all",
        help="the parts to measure (default: all that the set has questions for)",
    )
    add("--limit", type=positive, metavar="N", help="the first N questions of each part only")
    add(
        "--output",
        type=Path,
        metavar="FILE",
        help="ids and numbers, no texts (default: results/<set>-<generator>-<commit>.json)",
    )
    add(
        "--html",
        type=Path,
        metavar="FILE",
        help="a page of plots and the ten worst errors; it holds texts of questions and articles, "
        "which some sets do not allow to be published, so it is not put beside the result "
        "(default: in the cache)",
    )
    add(
        "--cache",
        type=Path,
        metavar="DIR",
        help="where begun runs, indexes and pages are kept (default: the user's cache)",
    )
    add_generator(parser)
    add_json(parser)


def _compare_parser(parent: Parser) -> Parser:
    about = (
        "Compare two results of eval over the same questions: paired differences with 95 % "
        "intervals, and which questions changed. Exit code 1 when a --metric got worse by more "
        "than its interval."
    )
    parser = Parser(
        prog=f"{parent.prog} compare",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  %(prog)s before.json after.json\n"
        "  %(prog)s before.json after.json --metric evidence_recall@5 aurc",
    )
    parser.set_defaults(run=compare, usage_error=parser.error)
    parser.add_argument("before", type=Path, metavar="A.json", help="the result before a change")
    parser.add_argument("after", type=Path, metavar="B.json", help="the result after it")
    parser.add_argument(
        "--metric",
        nargs="+",
        default=[],
        metavar="NAME",
        help="must not get worse, such as evidence_recall@5, or answers.auroc where the name is in "
        "several parts",
    )
    parser.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show tracebacks"
    )
    add_json(parser)
    return parser


def evaluate(args: argparse.Namespace) -> None:
    """Measure against a set of questions with known answers."""
    from rag.evaluation import report as eval_report
    from rag.evaluation import run as evaluation
    from rag.evaluation.cases import load_parts
    from rag.text import untrusted

    parts, articles = load_parts(args.set, args.task, args.questions, args.articles, args.limit)
    for part in parts:
        for refused in part.refused:
            say(f"{part.name}, {refused}; left out.")
    config = config_of(args)
    if all(part.name != "answers" for part in parts):  # retrieval alone
        config = replace(config, generator="extractive")
    cache = args.cache or evaluation.default_cache()
    with _measured(articles, config, cache) as system:
        done = evaluation.evaluate(
            system,
            parts,
            articles,
            name=args.set.resolve().name,
            cache=cache,
            say=say,
            bar=bar,
        )
    name = evaluation.file_name(done.result)
    output = args.output or Path("results") / f"{name}.json"
    evaluation.save(done.result, output)
    print(untrusted.to_json(done.result) if args.json else eval_report.markdown(done.result))
    say(f"Saved as {output}.")
    _page(done, articles, args.html or cache / f"{name}.html")


@contextmanager
def _measured(articles: Path, config: Config, cache: Path) -> Iterator[Rag]:
    """What is measured, over an index that is built or brought up to date first."""
    from rag.answering.pipeline import Rag
    from rag.evaluation.run import index_dir

    with bar("reading") as progress, bar("embedding") as embedding:
        folder = index_dir(articles, config, cache)
        rag = Rag.for_articles(articles, config, folder, progress, embedding)
    with rag:
        yield rag


def _page(done: Evaluation, articles: Path, output: Path) -> None:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        say("No page of plots: matplotlib is missing; pip install 'footnote-rag[eval]'")
        return
    from rag.evaluation import page as eval_page

    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(eval_page.page(done, articles), encoding="utf-8")
    say(f"Plots and the worst errors, with texts of the set: {output}")


def compare(args: argparse.Namespace) -> None:
    """Compare two results; exit code 1 when a named metric got worse."""
    from rag.evaluation import compare
    from rag.evaluation import report as eval_report
    from rag.text import untrusted

    done = compare.compare(compare.read(args.before), compare.read(args.after), args.metric)
    print(untrusted.to_json(done) if args.json else eval_report.comparison(done))
    if worse := [name for name in done["gate"] if done["metrics"][name]["worse"]]:
        raise InputError(f"Worse by more than chance: {', '.join(worse)}.")
