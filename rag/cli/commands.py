"""What each command does, from its parsed arguments; heavy libraries load in the one that needs
them.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag import places
from rag.cli.bar import bar
from rag.cli.options import limits
from rag.command import command
from rag.config import Config
from rag.errors import IndexMissing, InputError, ModelError

if TYPE_CHECKING:
    from rag.answering.pipeline import Rag
    from rag.evaluation.run import Evaluation
    from rag.index.embedding import Until
    from rag.models.encoder import Encoder
    from rag.types import Changes

SEEDS = Path("seeds")
_GIVEN = ("encoder", "generator", "model", "accept_errors", "fields")  # options, too


def _config(args: argparse.Namespace) -> Config:
    from rag.server.settings import settings

    options = {name: getattr(args, name, None) for name in _GIVEN}
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    return replace(settings(os.environ).config(), **given)


def index(args: argparse.Namespace) -> None:
    """Build, sync or repair an index, or say what that would do."""
    from rag.cli import output as report
    from rag.index.index import manifest_of
    from rag.index.manifest import default_index_dir
    from rag.index.sync import plan, repair, sync
    from rag.ingest.folder import check_folder
    from rag.models.encoder import load_encoder
    from rag.server.background import watch
    from rag.text import untrusted

    config = _config(args)
    check_folder(args.articles)  # before a model is loaded, or missed
    index = args.index or default_index_dir(args.articles)
    with bar("reading") as progress, bar("embedding") as embedding:
        encoder = load_encoder(config.encoder, config.models_dir)
        run = plan if args.dry_run else repair if args.repair else sync
        wait = 0.0 if args.no_wait else math.inf
        done = run(args.articles, index, config, encoder, progress, embedding, wait=wait)

    def say(done: Changes) -> None:
        vectors = manifest_of(index).get("vectors", {})
        row = {"index": str(index), "dry_run": args.dry_run, **asdict(done), "vectors": vectors}
        text = report.changes(done, index, planned=args.dry_run, vectors=vectors)
        print(untrusted.to_json(row) if args.json else text, flush=True)

    say(done)
    if args.watch:
        with suppress(KeyboardInterrupt):  # the usual end
            update = partial(sync, args.articles, index, config, encoder, vectors=False)
            behind = partial(_fill, index, config, encoder)
            watch(args.articles, update, say, threading.Event(), fill=behind)


def _fill(index: Path, config: Config, encoder: Encoder, until: Until) -> int:
    from rag.index.embedding import fill

    with bar("embedding") as progress:
        return fill(index, config, encoder, progress, until=until)


def search(args: argparse.Namespace) -> None:
    """Retrieval alone, of one question or a file of them."""
    from rag.cli import output as report
    from rag.text import untrusted
    from rag.types import NO_ARTICLES

    with _opened(args) as rag:
        if args.input:
            _batch(rag, args)
            return
        if rag.index.empty:
            _say(NO_ARTICLES)
        result = rag.search(args.question, k=args.k, **limits(rag, args))
        print(untrusted.to_json(result.to_dict()) if args.json else report.found(result))


def ask(args: argparse.Namespace) -> None:
    """Answer one question, or a file of them."""
    import datetime as dt

    from rag.cli import output as report
    from rag.text import untrusted

    with _opened(args) as rag:
        if args.input:
            _batch(rag, args)
            return
        date = args.date or dt.datetime.now().astimezone().date().isoformat()
        only = limits(rag, args)
        if args.json:
            print(untrusted.to_json(rag.answer(args.question, date=date, **only).to_dict()))
        else:
            for part in report.streamed(rag.stream(args.question, date=date, **only)):
                print(part, flush=True)


def _batch(rag: Rag, args: argparse.Namespace) -> None:
    from rag.evaluation import batch

    with bar("answering") as progress:
        outcome = batch.run(
            rag, args.command, args.input, args.output, k=getattr(args, "k", 10),
            say=_say, progress=progress,
        )  # fmt: skip
    errors = f", {outcome.errors} of them with an error" if outcome.errors else ""
    _say(f"{args.output}: {outcome.rows - outcome.resumed_after} new rows{errors}.")


def evaluate(args: argparse.Namespace) -> None:
    """Measure against a set of questions with known answers."""
    from rag.evaluation import report as eval_report
    from rag.evaluation import run as evaluation
    from rag.evaluation.cases import load_parts
    from rag.text import untrusted

    parts, articles = load_parts(args.set, args.task, args.questions, args.articles, args.limit)
    for part in parts:
        for refused in part.refused:
            _say(f"{part.name}, {refused}; left out.")
    config = _config(args)
    if all(part.name != "answers" for part in parts):  # retrieval alone
        config = replace(config, generator="extractive")
    cache = args.cache or evaluation.default_cache()
    with _measured(articles, config, cache) as system:
        done = evaluation.evaluate(
            system, parts, articles, name=args.set.resolve().name, cache=cache, say=_say, bar=bar,
        )  # fmt: skip
    name = evaluation.file_name(done.result)
    output = args.output or Path("results") / f"{name}.json"
    evaluation.save(done.result, output)
    print(untrusted.to_json(done.result) if args.json else eval_report.markdown(done.result))
    _say(f"Saved as {output}.")
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
        _say("No page of plots: matplotlib is missing; pip install 'footnote-rag[eval]'")
        return
    from rag.evaluation import page as eval_page

    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(eval_page.page(done, articles), encoding="utf-8")
    _say(f"Plots and the worst errors, with texts of the set: {output}")


def compare(args: argparse.Namespace) -> None:
    """Compare two results; exit code 1 when a named metric got worse."""
    from rag.evaluation import compare
    from rag.evaluation import report as eval_report
    from rag.text import untrusted

    done = compare.compare(compare.read(args.before), compare.read(args.after), args.metric)
    print(untrusted.to_json(done) if args.json else eval_report.comparison(done))
    if worse := [name for name in done["gate"] if done["metrics"][name]["worse"]]:
        raise InputError(f"Worse by more than chance: {', '.join(worse)}.")


def models(args: argparse.Namespace) -> None:
    """List, fetch, verify or locate the model files."""
    from rag.cli import output as report
    from rag.models import catalogue
    from rag.models import files as models

    folder = _config(args).models_dir
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


@contextmanager
def _opened(args: argparse.Namespace) -> Iterator[Rag]:
    """The index that is meant, opened; first what can be refused without loading anything."""
    from rag.answering.pipeline import Rag
    from rag.retrieval.question import checked

    config = _config(args)
    if not hasattr(args, "generator"):  # search: retrieval alone
        config = replace(config, generator="extractive")
    if not args.input:
        checked(args.question, config.question_characters)
    index = args.index or _only_index()
    with Rag.open(index, config) as rag:
        yield rag


def _only_index() -> Path:
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


def _say(line: str) -> None:
    print(line, file=sys.stderr)
