"""How searching passage vectors grows with their number: exactly, and by inverted lists.

    python -m benchmarks.index.scale --indexes ~/.cache/footnote/benchmarks --results
    benchmarks/results

Takes the real passage vectors of all indexes below the folder, and real questions of the sets in
$RAG_EVAL_DATA. To have more vectors than are real, copies are added that are turned away from
themselves, by a cosine of .6 to .9, towards the difference of two other passages: like another
passage on the same subject (the nearest neighbour of a real one has .80 in the median). Even noise
or random vectors would have no order for lists to find. Each store of each size is built, and then
opened and searched, in a process of its own. Run it on a quiet machine; it needs 5 GB of memory
and 3 GB of disk for a million.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.config import Config
from rag.index.ivf import IvfStore, described, nearest
from rag.index.manifest import seal
from rag.index.vectors import FaissStore, Rows, native_faiss
from rag.models.encoder import load_encoder
from rag.types import Vectors

SIZES = (0, 50_000, 100_000, 200_000, 500_000, 1_000_000)  # 0: the real ones alone
SETS = ("squad", "timeqa", "rtqa22", "rtqa26", "hotpot100", "clapnq")
STORES: dict[str, type[FaissStore | IvfStore]] = {"exact": FaissStore, "lists": IvfStore}
CANDIDATES = Config().candidates
BLOCK = 50_000
HEAD = (
    "passages",
    "search",
    "visited",
    "build, s",
    "MB on disk",
    "checksum, s",
    "open, s",
    "MB in memory",
    "threads",
    "p50, ms",
    "p95, ms",
    "recall@10",
    "recall@20",
    "recorded",
)


def real_vectors(folder: Path) -> Rows:
    """Return the distinct passage vectors (n, dim) of all indexes below a folder."""
    paths = sorted(folder.glob("*/vectors-*.bin"))
    rows = np.unique(np.vstack([np.load(path) for path in paths]), axis=0)
    return np.random.default_rng(1).permutation(rows)


def real_questions(data: Path, most: int) -> Vectors:
    """Return the vectors (q, dim) of questions of all sets."""
    found = []
    for name in SETS:
        lines = (data / name / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        random.Random(1).shuffle(lines)
        found += [json.loads(line)["question"] for line in lines[: most // len(SETS)]]
    return load_encoder(Config().encoder).encode_texts(found)


def grown(real: Rows, size: int) -> Rows:
    """Return so many rows: real ones, and from them made ones."""
    rows = np.empty((size, real.shape[1]), np.float16)
    rows[: len(real)] = real[:size]
    source = np.random.default_rng(2)
    for at in range(len(real), size, BLOCK):
        picked = source.integers(len(real), size=(3, min(BLOCK, size - at)))
        row, one, other = (real[of].astype(np.float32) for of in picked)
        cosine = source.uniform(0.6, 0.9, size=(len(row), 1)).astype(np.float32)
        made = cosine * unit(row) + np.sqrt(1 - cosine**2) * unit(one - other)
        rows[at : at + BLOCK] = unit(made.astype(np.float32))
    return rows


def unit(vectors: Vectors) -> Vectors:
    made: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return made


def resident() -> float:
    """Return the megabytes of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def build(folder: Path, kind: str) -> dict[str, Any]:
    """Make a store of the rows and write it."""
    rows = np.load(folder / "rows.npy")
    native_faiss()
    begun = time.perf_counter()
    store = STORES[kind](np.arange(len(rows)), rows)
    store.save(folder / kind)
    return {
        "build, s": f"{time.perf_counter() - begun:.1f}",
        "MB on disk": f"{(folder / kind).stat().st_size / 1e6:.0f}",
        "described": described(store),
    }


def search(folder: Path, kind: str) -> dict[str, Any]:
    """Open a store and ask all questions, after some that do not count."""
    questions, wanted = np.load(folder / "questions.npy"), np.load(folder / "wanted.npy")
    keys = np.arange(int((folder / "size").read_text(encoding="ascii")))
    native_faiss()
    before, begun = resident(), time.perf_counter()
    seal(folder / kind)
    sealed = time.perf_counter()
    store = STORES[kind].load(folder / kind, keys)
    opened, memory = time.perf_counter(), resident() - before
    for question in questions[:20]:
        store.search(question, CANDIDATES)
    times, found = [], []
    for question in questions:
        asked = time.perf_counter()
        found.append(store.search(question, CANDIDATES)[0])
        times.append(1000 * (time.perf_counter() - asked))
    p50, p95 = np.percentile(times, [50, 95])
    recall = {
        k: np.mean([len({*f[:k]} & {*w[:k]}) / k for f, w in zip(found, wanted, strict=True)])
        for k in (10, 20)
    }
    return {
        "checksum, s": f"{sealed - begun:.1f}",
        "open, s": f"{opened - sealed:.1f}",
        "MB in memory": f"{memory:.0f}",
        "p50, ms": f"{p50:.1f}",
        "p95, ms": f"{p95:.1f}",
        "recall@10": f"{recall[10]:.3f}",
        "recall@20": f"{recall[20]:.3f}",
    }


def in_child(step: str, folder: Path, kind: str, threads: int) -> dict[str, Any]:
    """Run a step in a process of its own, so that its memory is measured alone."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.index.scale", "--step", step, str(folder), kind],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows_of_table(real: Rows, questions: Vectors, size: int, cores: int) -> Iterator[str]:
    """Measure one size; yield the lines of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = grown(real, size or len(real))
        np.save(folder / "rows.npy", rows)
        np.save(folder / "questions.npy", questions)
        (folder / "size").write_text(str(len(rows)), encoding="ascii")
        found = nearest(rows, questions, CANDIDATES)  # (q, k), in no order
        scores = np.einsum("qd,qkd->qk", questions, rows[found].astype(np.float32))
        np.save(folder / "wanted.npy", np.take_along_axis(found, np.argsort(-scores, axis=1), 1))
        shown = {"passages": f"{len(rows):,}"}
        del rows
        for kind in STORES:
            built = in_child("build", folder, kind, cores)
            facts = built.pop("described")
            exact = facts["search"] == "exact"
            shown["visited"] = "all" if exact else f"{facts['probes']} of {facts['lists']}"
            shown["recorded"] = "" if exact else f"{facts['recall']:.3f}"
            for threads in sorted({1, cores}):
                searched = in_child("search", folder, kind, threads)
                row = {**shown, "search": kind, **built, "threads": threads, **searched}
                yield f"| {' | '.join(str(row[column]) for column in HEAD)} |"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--indexes", type=Path, help="a folder of indexes")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--results", type=Path, help="write scale.md here")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.step:
        step, folder, kind = arguments.step
        print(json.dumps({"build": build, "search": search}[step](Path(folder), kind)))
        return
    real = real_vectors(arguments.indexes)
    questions = real_questions(Path(os.environ["RAG_EVAL_DATA"]), arguments.questions)
    best = np.sort(questions @ real.T.astype(np.float32), axis=1)
    first, tenth = np.median(best[:, -1]), np.median(best[:, -10])
    asked = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    lines = [
        "# Searching many passages\n",
        f"`python -m benchmarks.index.scale --indexes …`, on commit {commit}: "
        f"{len(questions)} real questions are searched for among {len(real):,} real "
        f"passage vectors ({real.shape[1]} dimensions) and others made from them. The cosine of a "
        f"question to its nearest passage is {first:.2f} in the median, to its tenth {tenth:.2f}. "
        "“Recorded” is the recall that was measured with made questions at build.\n",
        f"| {' | '.join(HEAD)} |",
        f"|{'---|' * len(HEAD)}",
    ]
    print("\n".join(lines), flush=True)
    for size in arguments.sizes:
        for line in rows_of_table(real, questions, size, os.cpu_count() or 1):
            print(line, flush=True)
            lines.append(line)
    if arguments.results:
        (arguments.results / "scale.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
