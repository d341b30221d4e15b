"""How long a question waits for its first evidence, with a thousand articles indexed.

    python -m benchmarks.index.latency rtqa26 rtqa22 hotpot100

Indexes articles of the sets, as many as asked for, and times `Rag.search` for the first one's
questions; in the same run, question by question, what no search can do without: encoding the
question, and an exact search over all passage vectors. Run it on a quiet machine; the first pass
over the questions, with nothing cached, is reported apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.index.index import Index
from rag.models.encoder import load_encoder


def gather(data: Path, sets: Sequence[str], most: int, folder: Path) -> int:
    """Copy so many articles of the sets into a folder; return how many there were."""
    found = [path for name in sets for path in sorted((data / name / "articles").glob("*.txt"))]
    for n, path in enumerate(found[:most]):
        shutil.copy(path, folder / f"{n}-{path.name}")
    return min(most, len(found))


def milliseconds(rag: Rag, rows: Sequence[dict[str, str]], index: Index) -> np.ndarray:
    """Return (questions, 2): the whole search, and encoding with exact search alone."""
    encoder = rag._encoder  # noqa: SLF001 - the same one, so that its caches are as warm
    times = []
    for row in rows:
        begun = time.perf_counter()
        vector = encoder.encode_texts([row["question"]])[0]
        index.vectors.search(vector, rag.config.candidates)
        between = time.perf_counter()
        rag.search(row["question"], date=row.get("date"))
        times.append((time.perf_counter() - between, between - begun))
    return 1000 * np.array(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--questions", type=int, default=150)
    arguments = parser.parse_args()
    data = Path(os.environ["RAG_EVAL_DATA"])
    lines = (data / arguments.sets[0] / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line) for line in lines[: arguments.questions]]
    rows = [{"question": row["question"], "date": row["meta"].get("date")} for row in asked]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "articles"
        folder.mkdir()
        count = gather(data, arguments.sets, arguments.articles, folder)
        config = Config(generator="extractive")
        begun = time.perf_counter()
        with Rag.for_articles(folder, config, Path(name) / "index") as rag:
            built = time.perf_counter() - begun
            index = Index.open(Path(name) / "index", config, load_encoder(config.encoder))
            passages = len(index.vectors)
            rag.search("a question to load what is loaded late")
            print(f"{count} articles, {passages} passages, indexed in {built:.0f} s\n")
            print("| pass | | p50, ms | p95, ms |\n|---|---|---|---|")
            for label in ("first", "second"):
                times = milliseconds(rag, rows, index)
                extra = times[:, 0] - times[:, 1]
                for what, column in (
                    ("first evidence", times[:, 0]),
                    ("encoding and exact search alone", times[:, 1]),
                    ("the rest", extra),
                ):
                    p50, p95 = np.percentile(column, [50, 95])
                    print(f"| {label} | {what} | {p50:.0f} | {p95:.0f} |")
            index.close()


if __name__ == "__main__":
    main()
