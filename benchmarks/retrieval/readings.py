"""How many questions are asked back, of those that have several readings and of clear ones.

    python -m benchmarks.retrieval.readings               → benchmarks/results/readings.md

Sets are folders of $RAG_EVAL_DATA, their indexes are kept in --cache.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from benchmarks.retrieval.retrieval import open_index
from rag.answering.clarify import asking_back, points_at
from rag.config import Config
from rag.evaluation.metrics import bootstrap_interval, mean
from rag.evaluation.run import commit_here
from rag.index.index import Index
from rag.models.encoder import Encoder, load_encoder
from rag.retrieval.ranking import passages_of
from rag.retrieval.search import find
from rag.types import Hit, Turn

SETS = ("mtrag_un", "squad", "rtqa22", "rtqa26", "inscit", "clapnq")
RULES = ((0.05, 2), (0.05, 3), (0.02, 3))  # evidence alone: this near the best, so many articles


@dataclass(frozen=True, slots=True)
class Asked:
    """Of one question."""

    points: bool  # at what nothing has named
    back: bool
    spread: tuple[bool, ...]  # by RULES


def kind_of(row: dict[str, Any]) -> str:
    if row["answerable"]:
        clear = row["meta"].get("has_entity", True)
        return "clear, answerable" if clear else "answerable, but of one article only"
    return str(row["unanswerable_kind"])


def groups(data: Path, name: str, most: int) -> dict[str, list[dict[str, Any]]]:
    rows = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    random.Random(0).shuffle(rows)
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(kind_of(row), []).append(row)
    wanted = ("clear, answerable", "answerable, but of one article only", "underspecified")
    return {kind: found[kind][:most] for kind in wanted if kind in found}


def ask(row: dict[str, Any], index: Index, encoder: Encoder, config: Config) -> Asked:
    history = [Turn(turn["role"], turn["text"]) for turn in row["history"] or ()]
    question = row["question"]
    search = find(question, history, index, encoder, config, row["meta"].get("date"))
    hits = passages_of(search.best)
    note = asking_back(question, history, hits, lambda path: index.article(path).title)
    spread = tuple(near(hits, by) >= least for by, least in RULES)
    return Asked(points_at(question, history) is not None, note is not None, spread)


def near(hits: Sequence[Hit], by: float) -> int:
    return len({hit.article for hit in hits if hit.score >= hits[0].score - by})


def table(name: str, kind: str, asked: Sequence[Asked]) -> Iterator[str]:
    columns = [[one.points for one in asked], [one.back for one in asked]]
    columns += [[one.spread[n] for one in asked] for n in range(len(RULES))]
    cells = []
    for values in columns:
        low, high = bootstrap_interval(np.array(values, float))
        cells.append(f"{mean(values):.3f} ({low:.3f} to {high:.3f})")
    yield f"| {name}, {kind} | {len(asked)} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="*", default=list(SETS))
    parser.add_argument("--most", type=int, default=300, help="questions of a kind")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/footnote/benchmarks")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/readings.md"))
    arguments = parser.parse_args()
    data, config = Path(os.environ["RAG_EVAL_DATA"]), Config()
    encoder = load_encoder(config.encoder)
    spread = " | ".join(f"{least} articles within {by}" for by, least in RULES)
    lines = [
        f"`python -m benchmarks.retrieval.readings`, on commit {commit_here()}. Shares of "
        f"questions, with "
        "bootstrap 95 % intervals. Asked back: it points at what nothing has named, and several "
        "articles come near. The last columns: by evidence alone, which is not used.\n",
        f"| set, questions | n | points at what nothing names | asked back | {spread} |",
        "|---|---|---|---|" + "---|" * len(RULES),
    ]
    for name in arguments.sets:
        index = open_index(data, name, arguments.cache, encoder)
        for kind, rows in groups(data, name, arguments.most).items():
            lines += table(name, kind, [ask(row, index, encoder, config) for row in rows])
            print(lines[-1], flush=True)
        index.close()
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
