"""How the whole index grows with its articles: texts, words and vectors, with real articles.

    python -m benchmarks.index.whole_index EXTRA --sets rtqa22 rtqa26 --results benchmarks/results

Indexes all .txt files below the folder EXTRA (such as news articles that no question asks about)
with the articles of the sets: first so many of them as the first size says, then all. At each size
it times finding the new articles by their words, embedding them, a sync when nothing has changed
and one with an edited article; then, in a process of its own, opening the index and searching for
the sets' questions. With --keep the folder of articles and the index stay; an interrupted run goes
on with them. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.index.embedding import fill
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import load_encoder

ADDED = "\n\nA sentence that was not there before, about the harbour of a town of no name.\n"
PARTS = {"texts": "store.sqlite*", "words": "lexical-*", "vectors": "vectors-*"}
HEAD = (
    "articles",
    "passages",
    "found by words, s",
    "embedding, s",
    "passages/s",
    "nothing changed, s",
    "one edited, s",
    "open, s",
    "MB in memory",
    "p50, ms",
    "p95, ms",
    *(f"MB of {part}" for part in PARTS),
)


def gathered(extra: Path, data: Path, sets: Sequence[str], folder: Path) -> list[Path]:
    """Link all articles into one folder each, those with questions first; return the others."""
    asked = [path for name in sets for path in sorted((data / name / "articles").glob("*.txt"))]
    rest = sorted(extra.rglob("*.txt"))
    (folder / "all").mkdir(parents=True, exist_ok=True)
    for n, path in enumerate(asked + rest):
        target = folder / "all" / f"{n:05}-{path.name}"
        if not target.exists():
            shutil.copy(path, target)
    return sorted((folder / "all").iterdir())


def megabytes(index: Path) -> dict[str, str]:
    """Return the size of each part of an index on disk."""
    found = {}
    for part, pattern in PARTS.items():
        paths = [p for top in index.glob(pattern) for p in (top, *top.rglob("*")) if p.is_file()]
        found[f"MB of {part}"] = f"{sum(path.stat().st_size for path in paths) / 1e6:.0f}"
    return found


def grow(articles: Path, index: Path) -> dict[str, str]:
    """Bring an index up to date and time each step; then edit an article, and put it back."""
    config = Config(generator="extractive")
    encoder = load_encoder(config.encoder)
    encoder.encode_texts(["what is loaded late"])
    begun = time.perf_counter()
    changes = sync(articles, index, config, encoder, vectors=False)
    words = time.perf_counter()
    print(changes, f"{words - begun:.1f} s", file=sys.stderr, flush=True)
    counted = 0

    def count(done: int, total: int) -> None:
        nonlocal counted
        counted = total
        if done % 2048 < 64:
            print(f"{done} of {total}", file=sys.stderr, flush=True)

    fill(index, config, encoder, count)
    filled = time.perf_counter()
    sync(articles, index, config, encoder)
    unchanged = time.perf_counter()
    edited = sorted(articles.iterdir())[7]
    before = edited.read_text("utf-8")
    edited.write_text(before + ADDED, "utf-8")
    try:
        since = time.perf_counter()
        sync(articles, index, config, encoder)
        done = time.perf_counter() - since
    finally:
        edited.write_text(before, "utf-8")
        sync(articles, index, config, encoder)
    return {
        "found by words, s": f"{words - begun:.1f}",
        "embedding, s": f"{filled - words:.0f}",
        "passages/s": f"{counted / (filled - words):.0f}",
        "nothing changed, s": f"{unchanged - filled:.1f}",
        "one edited, s": f"{done:.1f}",
        **megabytes(index),
    }


def resident() -> float:
    """Return the megabytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def ask(data: Path, sets: Sequence[str], index: Path) -> dict[str, str]:
    """Open an index and search for the sets' questions, twice; the second time counts."""
    config = Config(generator="extractive")
    encoder = load_encoder(config.encoder)
    encoder.encode_texts(["what is loaded late"])
    rows = [
        json.loads(line)
        for name in sets
        for line in (data / name / "questions.jsonl").read_text("utf-8").splitlines()
    ]
    before, begun = resident(), time.perf_counter()
    Index.open(index, config, encoder).close()
    opened = time.perf_counter() - begun
    with Rag.open(index, config) as rag:
        for row in rows[:20]:
            rag.search(row["question"], date=row["meta"].get("date"))
        memory, times = resident() - before, []
        for row in rows:
            since = time.perf_counter()
            rag.search(row["question"], date=row["meta"].get("date"))
            times.append(1000 * (time.perf_counter() - since))
        p50, p95 = np.percentile(times, [50, 95])
        return {
            "articles": f"{len(rag.contents()):,}",
            "passages": f"{len(rag.index.vectors):,}",
            "open, s": f"{opened:.1f}",
            "MB in memory": f"{memory:.0f}",
            "p50, ms": f"{p50:.0f}",
            "p95, ms": f"{p95:.0f}",
        }


def in_child(step: str, *given: str) -> dict[str, Any]:
    """Run a step in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "benchmarks.index.whole_index", "--step", step, *given]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("extra", type=Path, nargs="?", help="a folder of .txt articles")
    parser.add_argument("--sets", nargs="+", default=["rtqa22", "rtqa26"])
    parser.add_argument("--first", type=int, default=1000, help="articles of the first size")
    parser.add_argument("--keep", type=Path, help="a folder for the articles and the index")
    parser.add_argument("--results", type=Path, help="write whole-index.md here")
    parser.add_argument("--step", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    data = Path(os.environ["RAG_EVAL_DATA"])
    if asked.step:
        step, first, *given = asked.step
        if step == "grow":
            print(json.dumps(grow(Path(first), Path(given[0]))))
        else:
            print(json.dumps(ask(data, given, Path(first))))
        return
    with tempfile.TemporaryDirectory() as name:
        work = asked.keep or Path(name)
        paths = gathered(asked.extra, data, asked.sets, work)
        articles, index = work / "articles", work / "index"
        articles.mkdir(exist_ok=True)
        lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
        for size in (asked.first, len(paths)):
            for path in paths[:size]:
                if not (articles / path.name).exists():
                    shutil.copy(path, articles)
            row = in_child("grow", str(articles), str(index))
            row |= in_child("ask", str(index), *asked.sets)
            lines.append(f"| {' | '.join(row[column] for column in HEAD)} |")
            print(lines[-1], flush=True)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    text = (
        "# The whole index, with real articles\n\n"
        f"`python -m benchmarks.index.whole_index EXTRA --sets {' '.join(asked.sets)}`, on commit "
        f"{commit}. Each line adds its articles to those of the line before; “found by words” and "
        "“embedding” are for what was added. The times of search are for the sets' real questions, "
        "up to the evidence, no language model involved.\n\n" + "\n".join(lines) + "\n"
    )
    if asked.results:
        (asked.results / "whole-index.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
