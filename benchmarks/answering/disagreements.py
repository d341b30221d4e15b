"""How often an answer says that articles disagree: when they do, and when they do not.

    python -m benchmarks.answering.disagreements squad rtqa22 rtqa26

First the made-up pairs of tests/data/disagreements.jsonl, all of whose articles lie in one index.
Those called "later" were written when the rules were done: 9 of its 12 that disagree had the note
then, none of the others, and the words looked at beside a number were widened afterwards.

Then the questions of sets in $RAG_EVAL_DATA and the questions about seeds/, with the ids of those
whose answer has the note, so that they can be looked at: what fires there is a false alarm unless
two articles of the set really disagree. The answers are quotations (the extractive generator), and
none is declined. With --write the table goes to benchmarks/results/disagreements.md.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from benchmarks.retrieval.retrieval import open_index
from rag.answering.corrections import is_correction
from rag.answering.pipeline import Rag
from rag.config import Config
from rag.generation.generators import load_generator
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import Encoder, load_encoder
from rag.types import Answer

ROOT = Path(__file__).resolve().parents[2]
PAIRS = ROOT / "tests/data/disagreements.jsonl"
SEEDS = ROOT / "tests/data/seed_questions.jsonl"
CONFIG = Config(generator="extractive", decline_below=0.0)
HEAD = (
    "| questions | n | note “The articles disagree” | of n | correction | ids with the note |"
    "\n|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Asked:
    """A question, and what its answer has."""

    id: str
    notes: tuple[str, ...]
    corrected: bool


def ask(rag: Rag, rows: Sequence[dict[str, Any]]) -> Iterator[Asked]:
    for row in rows:
        date = (row.get("meta") or {}).get("date")
        answer: Answer = rag.answer(row["question"], date=date)
        notes = tuple(note for note in answer.notes if note.startswith("The articles disagree"))
        corrected = any(is_correction(c.quote) for c in answer.citations)
        yield Asked(str(row["id"]), notes, corrected)


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927): wider than nothing when it is 0 or 1."""
    middle = (hits + z * z / 2) / (n + z * z)
    half = z * math.sqrt(hits * (n - hits) / n + z * z / 4) / (n + z * z)
    return max(0.0, middle - half), min(1.0, middle + half)


def line(label: str, asked: Sequence[Asked], *, listed: bool = True) -> str:
    fired = [row for row in asked if row.notes]
    low, high = wilson(len(fired), len(asked))
    corrected = sum(row.corrected for row in asked)
    ids = ", ".join(row.id for row in fired) if listed else ""
    return (
        f"| {label} | {len(asked)} | {len(fired)} | {len(fired) / len(asked):.3f} "
        f"({low:.3f} to {high:.3f}) | {corrected} | {ids} |"
    )


def made_up(encoder: Encoder) -> Iterator[str]:
    """The lines of the made-up pairs: what should fire, and what should not."""
    pairs = [json.loads(text) for text in PAIRS.read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder:
        articles = Path(folder, "articles")
        articles.mkdir()
        for pair in pairs:
            for n, article in enumerate(pair["articles"]):
                text = (
                    f"{article['title']}\nPublished: {article['published']}\n"
                    f"Source: {article['source']}\n\n{article['text']}\n"
                )
                (articles / f"{pair['id']}-{n}.txt").write_text(text, encoding="utf-8")
        sync(articles, Path(folder, "index"), CONFIG, encoder)
        index = Index.open(Path(folder, "index"), CONFIG, encoder)
        with Rag(index, CONFIG, encoder, load_generator(CONFIG)) as rag:
            for part in ("tuned", "later"):
                for disagree in (True, False):
                    rows = [p for p in pairs if (p["part"], p["disagree"]) == (part, disagree)]
                    label = f"made-up pairs that {'disagree' if disagree else 'do not'}, {part}"
                    asked = list(ask(rag, rows))
                    missed = [row.id for row in asked if not row.notes]
                    yield line(label, asked, listed=not disagree)
                    if disagree and missed:
                        yield f"| *without the note* | {len(missed)} | | | | {', '.join(missed)} |"


def real(name: str, cache: Path, encoder: Encoder, data: Path) -> str:
    """The line of one set: squad's sample, every question of the others."""
    file = "sample.jsonl" if name == "squad" else "questions.jsonl"
    rows = [json.loads(text) for text in (data / name / file).open(encoding="utf-8")]
    index = open_index(data, name, cache, encoder)
    with Rag(index, CONFIG, encoder, load_generator(CONFIG)) as rag:
        return line(name, list(ask(rag, rows)))


def seeds(encoder: Encoder) -> str:
    rows = [json.loads(text) for text in SEEDS.read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder:
        sync(ROOT / "seeds", Path(folder), CONFIG, encoder)
        index = Index.open(Path(folder), CONFIG, encoder)
        with Rag(index, CONFIG, encoder, load_generator(CONFIG)) as rag:
            return line("seeds", list(ask(rag, rows)))


def table(arguments: argparse.Namespace) -> Iterator[str]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout.strip()
    yield "# How often an answer says that articles disagree\n"
    yield (
        f"`python -m benchmarks.answering.disagreements {' '.join(arguments.sets)} --write`, "
        f"{commit}\n"
    )
    yield HEAD
    encoder = load_encoder(CONFIG.encoder)
    yield from made_up(encoder)
    for name in arguments.sets:
        yield real(name, arguments.cache, encoder, Path(os.environ["RAG_EVAL_DATA"]))
    yield seeds(encoder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="*", help="sets to report")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/footnote/benchmarks")
    parser.add_argument(
        "--write", action="store_true", help="write benchmarks/results/disagreements.md"
    )
    arguments = parser.parse_args()
    begun = time.perf_counter()
    lines = []
    for text in table(arguments):
        print(text, flush=True)
        lines.append(text)
    if arguments.write:
        (ROOT / "benchmarks/results/disagreements.md").write_text(
            "\n".join(lines) + "\n", encoding="utf-8"
        )
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
