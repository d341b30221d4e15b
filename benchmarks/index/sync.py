"""What keeping an index of a thousand articles current costs, the encoder loaded.

    python -m benchmarks.index.sync rtqa26 rtqa22 hotpot100

Indexes articles of the sets, as many as asked for, then changes one of the longer half, a few
rounds of each kind, and times `sync`, the encoding in it apart. Wall and processor time are both
given: they are the same on a quiet machine. With --keep the folder of articles and the index stay
for the next run.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.index.latency import gather

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from rag.config import Config
from rag.index.index import Index
from rag.index.sync import plan, repair, sync
from rag.models.encoder import Encoder, Spans, load_encoder
from rag.types import Changes, Vectors

ADDED = "A sentence that was not there before, about the harbour of a town that does not exist. "


class Timed:
    """An encoder that counts the passages it encodes and the time that takes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.dimensions, self.window = encoder.dimensions, encoder.window
        self.fingerprint = encoder.fingerprint
        self.token_spans, self.encode_texts = encoder.token_spans, encoder.encode_texts
        self.passages, self.seconds, self.processor = 0, 0.0, 0.0

    def encode_passages(
        self, texts: Sequence[str], spans: Sequence[Spans]
    ) -> tuple[Vectors, list[Vectors]]:
        wall, processor = time.perf_counter(), time.process_time()
        found = self._encoder.encode_passages(texts, spans)
        self.passages += len(texts)
        self.seconds += time.perf_counter() - wall
        self.processor += time.process_time() - processor
        return found


def edit(path: Path, source: random.Random) -> None:
    """Put a sentence into the middle of the article."""
    lines = path.read_text(encoding="utf-8").split("\n")
    long = [n for n, line in enumerate(lines) if len(line) > 100]
    at = long[len(long) // 2] if long else len(lines) - 1
    lines[at] = f"{ADDED[: -source.randrange(2, 20)]}. {lines[at]}"
    path.write_text("\n".join(lines), encoding="utf-8")


def reword(path: Path, source: random.Random) -> None:
    """Change one word in the middle of the article."""
    words = path.read_text(encoding="utf-8").split(" ")
    words[len(words) // 2] = f"word{source.randrange(10, 99)}"
    path.write_text(" ".join(words), encoding="utf-8")


def retitle(path: Path, _source: random.Random) -> None:
    path.write_text(f"Another: {path.read_text(encoding='utf-8')}", encoding="utf-8")


def rename(path: Path, _source: random.Random) -> None:
    path.rename(path.with_name(f"renamed-{path.name}"))


def remove(path: Path, _source: random.Random) -> None:
    path.unlink()


def add(path: Path, source: random.Random) -> None:
    text = path.read_text(encoding="utf-8").replace("a", "e", source.randrange(1, 9))
    path.with_name(f"added-{source.randrange(10**9)}.txt").write_text(text, encoding="utf-8")


def leave(_path: Path, _source: random.Random) -> None:
    """Change nothing."""


KINDS: dict[str, Callable[[Path, random.Random], None]] = {
    "nothing changed": leave,
    "one word changed in one article": reword,
    "one sentence put into one article": edit,
    "one title changed": retitle,
    "one article renamed": rename,
    "one article added": add,
    "one article removed": remove,
}


@contextmanager
def place(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
    else:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)


def row(what: str, times: Sequence[tuple[float, ...]]) -> str:
    """Return a line: medians of wall and processor seconds without encoding, and of encoding."""
    wall, processor, encoding, passages = np.median(np.array(times), axis=0)
    return f"| {what} | {wall:.2f} | {processor:.2f} | {encoding:.2f} | {passages:.0f} |"


def timed(encoder: Timed, run: Callable[[], Changes]) -> tuple[float, float, float, float]:
    encoder.passages, encoder.seconds, encoder.processor = 0, 0.0, 0.0
    wall, processor = time.perf_counter(), time.process_time()
    run()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return wall - encoder.seconds, processor - encoder.processor, encoder.seconds, encoder.passages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--articles", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    source = random.Random(5)
    config = Config(generator="extractive")
    with place(arguments.keep) as folder:
        articles, index = folder / "articles", folder / "index"
        if not articles.exists():
            articles.mkdir()
            data = Path(os.environ["RAG_EVAL_DATA"])
            gather(data, arguments.sets, arguments.articles, articles)
        encoder = Timed(load_encoder(config.encoder))

        def now() -> Changes:
            return sync(articles, index, config, encoder)

        now()
        opened = Index.open(index, config, encoder)
        count, passages = len(opened.contents()), len(opened.vectors)
        size = sum(path.stat().st_size for path in index.rglob("*") if path.is_file())
        print(f"{count} articles, {passages} passages, {size / 1e6:.0f} MB; seconds, medians of")
        print(f"{arguments.rounds} round(s); encoding is not in the first two columns\n")
        print("| | wall | processor | encoding | passages encoded |\n|---|---|---|---|---|")
        for what, change in KINDS.items():
            times = []
            paths = sorted(articles.glob("*.txt"), key=lambda path: path.stat().st_size)
            for path in source.sample(paths[len(paths) // 2 :], arguments.rounds):
                change(path, source)
                times.append(timed(encoder, now))
            print(row(what, times), flush=True)

        def damage_and_repair() -> Changes:
            next(index.glob("vectors-*.bin")).write_bytes(b"")
            return repair(articles, index, config, encoder)

        def planned() -> Changes:
            return plan(articles, index, config, encoder)

        print(row("dry run", [timed(encoder, planned) for _ in range(arguments.rounds)]))
        repairs = [timed(encoder, damage_and_repair) for _ in range(arguments.rounds)]
        print(row("repair of a damaged vector file", repairs))
        opened.close()
        opened = Index.open(index, config, encoder)
        begun = time.perf_counter()
        for _ in range(100):
            opened.newer(config, encoder)
        print(f"\nLooking for a newer state: {10 * (time.perf_counter() - begun):.2f} ms")
        opened.close()


if __name__ == "__main__":
    main()
