"""How often a follow-up finds its passage, by what of the conversation completes it; and whether
its confidence still tells the unanswerable ones.

    python -m benchmarks.retrieval.followups  inscit and mtrag_un → benchmarks/results/followups.md

Sets are folders of $RAG_EVAL_DATA, their indexes are kept in --cache. A found passage counts when
it overlaps a gold one by more than half of the shorter. "Best of all" takes for each question the
best of the other rows, knowing the gold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from benchmarks.baselines.search import LEANS, with_history
from benchmarks.retrieval.retrieval import open_index
from rag.answering.confidence import confidence
from rag.config import Config
from rag.evaluation.metrics import Span, auroc, bootstrap_interval, mean, recall_at_k
from rag.evaluation.run import commit_here
from rag.index.index import Index
from rag.models.encoder import Encoder, load_encoder
from rag.retrieval.ranking import passages_of
from rag.retrieval.search import find
from rag.types import Turn

Row = dict[str, Any]
Values = NDArray[np.float64]
MOST_CHARACTERS = 1000  # characters of a concatenation, the last ones: the encoder reads no more

OURS, BARE, BEST = "ours", "the bare question", "*best of all*"
# What is searched for, by row of the table; ours is given the history itself.
TEXTS: dict[str, Callable[[Row], str]] = {
    BARE: lambda row: str(row["question"]),
    "the question before, if it leans and names nothing": lambda row: with_history(
        row["question"], row["turns"]
    ),
    "the question before + it": lambda row: _joined(row, "user", 1),
    "the answer before + it": lambda row: _joined(row, "assistant", 1),
    "all questions + it": lambda row: _joined(row, "user", None),
    "all turns + it": lambda row: _joined(row, None, None),
}


def _joined(row: Row, role: str | None, most: int | None) -> str:
    texts = [turn.text for turn in row["turns"] if role is None or turn.role == role]
    return " ".join([*(texts[-most:] if most else texts), row["question"]])[-MOST_CHARACTERS:]


@dataclass(frozen=True, slots=True)
class Found:
    """Of one question."""

    recall: dict[int, float]  # by k; nan without gold
    confidence: float
    seconds: float


@dataclass
class Searcher:
    """Searches each text of a row once."""

    index: Index
    encoder: Encoder
    config: Config
    found: dict[tuple[str, str, Sequence[Turn]], Found] = field(default_factory=dict)

    def __call__(self, text: str, row: Row, history: Sequence[Turn] = ()) -> Found:
        key = (row["id"], text, tuple(history))
        if key not in self.found:
            self.found[key] = self._search(text, row, history)
        return self.found[key]

    def _search(self, text: str, row: Row, history: Sequence[Turn]) -> Found:
        date = (row.get("meta") or {}).get("date")
        begun = time.perf_counter()
        search = find(text, history, self.index, self.encoder, self.config, date)
        sure = confidence(search.query, search.best)
        seconds = time.perf_counter() - begun
        places = [Span(hit.article, hit.start, hit.end) for hit in passages_of(search.best)]
        gold = [Span(f"{g['article_id']}.txt", g["start"], g["end"]) for g in row["evidence"]]
        mode = row["evidence_mode"]
        return Found({k: recall_at_k(places, gold, k, mode) for k in (1, 5)}, sure, seconds)


def questions(data: Path, name: str) -> list[Row]:
    """Return the rows of a set that follow on something."""
    rows = [json.loads(line) for line in (data / name / "questions.jsonl").open(encoding="utf-8")]
    for row in rows:
        row["turns"] = [Turn(turn["role"], turn["text"]) for turn in row["history"] or ()]
    return [row for row in rows if row["turns"]]


def closed(rows: NDArray[np.float64]) -> float:
    """The share of the gap between bare and best, columns 0 and 2, that ours, column 1, closes."""
    bare, ours, best = rows.mean(axis=0)
    return float((ours - bare) / (best - bare)) if best > bare else float("nan")


def cell(values: Values, statistic: Callable[[Values], float] = mean, sign: str = "") -> str:
    low, high = bootstrap_interval(values, statistic)
    return f"{statistic(values):{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def report(name: str, rows: Sequence[Row], search: Searcher) -> Iterator[str]:
    judged = [row for row in rows if row["answerable"] and row["evidence"]]
    found = {label: [search(text(row), row) for row in judged] for label, text in TEXTS.items()}
    found[OURS] = [search(row["question"], row, row["turns"]) for row in judged]
    at = {
        k: {label: np.array([f.recall[k] for f in fs]) for label, fs in found.items()}
        for k in (1, 5)
    }
    at5 = at[5]
    for k in (1, 5):
        at[k][BEST] = np.max(list(at[k].values()), axis=0)
    leans = np.array([bool(LEANS.search(row["question"])) for row in judged])
    yield f"\n## {name}: {len(judged)} answerable follow-ups, {leans.sum()} of which lean\n"
    yield "| searched for | Recall@5 | – bare | of those that lean | of the others | Recall@1 |"
    yield "|---|---|---|---|---|---|"
    for label, values in at5.items():
        difference = "" if label == BARE else cell(values - at5[BARE], sign="+")
        parts = f"{mean(values[leans]):.3f} | {mean(values[~leans]):.3f}"
        yield f"| {label} | {cell(values)} | {difference} | {parts} | {mean(at[1][label]):.3f} |"
    gap = cell(np.stack([at5[BARE], at5[OURS], at5[BEST]], axis=1), closed)
    yield f"\nOf the gap between the bare question and the best of all, ours closes {gap}."
    won, lost = ((at5[OURS] > at5[BARE]).sum(), (at5[OURS] < at5[BARE]).sum())
    yield f"It finds the passage of {won} that the bare question misses, and misses {lost} of its."
    yield from topic_change(judged, found[BARE], leans, search)
    yield from told_apart(rows, search)
    times = [[1000 * f.seconds for f in found[label]] for label in (BARE, OURS)]
    bare, ours = (np.percentile(values, [50, 95]) for values in times)
    yield (
        f"\nA search takes {bare[0]:.0f} ms p50, {bare[1]:.0f} ms p95 for the bare question, "
        f"{ours[0]:.0f} and {ours[1]:.0f} ms for ours ({ours[0] / bare[0]:.2f} times)."
    )


def topic_change(
    rows: Sequence[Row], bare: Sequence[Found], leans: NDArray[np.bool_], search: Searcher
) -> Iterator[str]:
    """Ask what does not lean after the conversation of another row."""
    order = list(range(len(rows)))
    random.Random(0).shuffle(order)
    others = dict(zip(order, [*order[1:], order[0]], strict=True))
    chosen = [n for n in order if not leans[n]]
    strange = [search(rows[n]["question"], rows[n], rows[others[n]]["turns"]) for n in chosen]
    before, after = (
        np.array([f.recall[5] for f in found]) for found in ([bare[n] for n in chosen], strange)
    )
    yield (
        f"\nAfter another row's conversation, the {len(chosen)} that do not lean have a Recall@5 "
        f"of {cell(after)}; bare {mean(before):.3f}, difference {cell(after - before, sign='+')}."
    )


def told_apart(rows: Sequence[Row], search: Searcher) -> Iterator[str]:
    """How well confidence tells the answerable follow-ups."""
    kinds = sorted({row["unanswerable_kind"] for row in rows if row["unanswerable_kind"]})
    yield "\n| confidence of | answerable, median | against | n | median | AUROC |"
    yield "|---|---|---|---|---|---|"
    ways: dict[str, Callable[[Row], Found]] = {
        label: lambda row, text=text: search(text(row), row)  # type: ignore[misc]
        for label, text in list(TEXTS.items())[:2]
    }
    ways[OURS] = lambda row: search(row["question"], row, row["turns"])
    for label, way in ways.items():
        sure = np.array([way(row).confidence for row in rows])
        yes = np.array([bool(row["answerable"]) for row in rows])
        for kind in kinds:
            no = np.array([row["unanswerable_kind"] == kind for row in rows])
            pairs = np.stack([sure, yes], axis=1)[yes | no]
            area = cell(pairs, lambda p: auroc(p[:, 0], p[:, 1]))
            medians = [f"{np.median(sure[chosen]):.3f}" for chosen in (yes, no)]
            yield f"| {label} | {medians[0]} | {kind} | {no.sum()} | {medians[1]} | {area} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="*", default=["mtrag_un", "inscit"])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/footnote/benchmarks")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/followups.md"))
    arguments = parser.parse_args()
    data, config = Path(os.environ["RAG_EVAL_DATA"]), Config()
    encoder = load_encoder(config.encoder)
    lines = [
        f"`python -m benchmarks.retrieval.followups`, on commit {commit_here()}. Recall@5 of the "
        f"last turn's "
        "evidence passages, with bootstrap 95 % intervals."
    ]
    for name in arguments.sets:
        index = open_index(data, name, arguments.cache, encoder)
        rows = questions(data, name)
        lines += report(name, rows, Searcher(index, encoder, config))
        index.close()
        print("\n".join(lines), file=sys.stderr)
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
