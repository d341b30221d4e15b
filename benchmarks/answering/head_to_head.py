"""Footnote beside the ways of others, on the same articles, questions and models.

    python -m benchmarks.answering.head_to_head squad rtqa22 > benchmarks/results/head-to-head.md

The first 100 questions of each set's sample (see `benchmarks/baselines/systems.py` for the
systems). Interrupted runs go on where they were; drafts of the language model are cached by their
prompt.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from benchmarks.baselines.systems import BASELINES
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.evaluation.cases import EvaluationPart, load_parts
from rag.evaluation.run import default_cache, evaluate, index_dir, save

# The slowest last: the table can be read, and an interrupted run be used, before it.
SYSTEMS = ("footnote", *(name for name in BASELINES if name != "fuzzy_quotes"), "fuzzy_quotes")
COLUMNS = {
    "answer_recall": "answer recall",
    "citation_precision": "citation precision",
    "citation_recall_of_all": "citation recall, of all",
    "mean_quote_length": "characters cited",
    "answer_characters": "characters said",
    "uncited_claim_rate": "claims uncited",
    "pointer_validity": "exact slices",
    "rejection_rate": "refused rightly",
    "false_refusal_rate": "refused wrongly",
}


def results(
    name: str, parts: list[EvaluationPart], articles: Path, folder: Path | None
) -> Iterator[Any]:
    config, cache = Config(), default_cache()
    with Rag.for_articles(articles, config, index_dir(articles, config, cache)) as rag:
        for system in SYSTEMS:
            print(f"{name}, {system}", file=sys.stderr, flush=True)
            asked = BASELINES[system](rag, cache) if system in BASELINES else rag
            done = evaluate(
                asked, parts, articles, name=name, system_name=system, cache=cache
            ).result
            if folder:
                save(done, folder / f"{name}-{system}.json")
            yield done


def cell(measured: dict[str, Any] | None) -> str:
    if measured is None or measured["value"] is None:
        return "–"
    if measured["value"] > 1:  # characters
        return f"{measured['value']:.0f}"
    return f"{measured['value']:.2f} ({measured['low']:.2f}–{measured['high']:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--limit", type=int, default=100, help="questions of a set")
    parser.add_argument("--results", type=Path, help="a folder for the numbers of each system")
    arguments = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    for name in arguments.sets:
        loaded, articles = load_parts(data / name, "answers", None, None, arguments.limit)
        parts = list(loaded)
        print(f"\n## {name}, {len(parts[0].cases)} questions\n")
        print(f"| system | {' | '.join(COLUMNS.values())} | seconds, p50 |")
        print("|---" * (len(COLUMNS) + 2) + "|")
        for done in results(name, parts, articles, arguments.results):
            part = done["parts"]["answers"]
            cells = [cell(part["metrics"].get(column)) for column in COLUMNS]
            seconds = part["latency_ms"]["total"]["p50"] / 1000
            print(f"| {done['system']} | {' | '.join(cells)} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
