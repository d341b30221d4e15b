"""Flip bytes in, and cut, every file of an index: found out before a library sees it, or harmless.

    python -m benchmarks.index.damage --cases 60
    python -m benchmarks.index.damage --cases 60 --lists      with the vectors of a large index

For each file of a small index (the store with and without its write-ahead log, the vectors, each
lexical file), bytes are flipped and the end is cut off, one damage a case, with `--cases` for each
file. A process of its own opens the index and reads everything. Then `index --repair` must make it
say what it said. Prints a table; exit code 1 when a case fails, a crash of a process among them.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.index import small_index as small
from rag.index import ivf
from rag.index.index import Index
from rag.index.sync import repair, sync
from rag.models.encoder import HashedEncoder

PAGE = 4096  # bytes


def template(base: Path, *, logged: bool) -> Path:
    """Make an index; if ``logged``, with the write-ahead log that a killed writer leaves."""
    small.build(base, small.change_articles)
    if logged:
        reader = Index.open(base / "index", small.CONFIG, HashedEncoder())
        sync(base / "articles", base / "index", small.CONFIG, HashedEncoder())
        # While the reader needs the log it stays.
        small.copied(base, base / "copy" / "index")
        reader.close()
        small.copied(base / "copy", base / "index")
        assert (base / "index" / "store.sqlite-wal").stat().st_size > PAGE
    else:
        sync(base / "articles", base / "index", small.CONFIG, HashedEncoder())
    return base


def damages(data: bytes, cases: int, source: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield kinds of damage and the file's content with it."""
    heads = [at for page in range(0, len(data), PAGE) for at in range(page, page + 12)]
    places = [at for at in heads if at < len(data)]
    for n in range(cases - cases // 4):
        at = source.choice(places) if n % 3 == 0 else source.randrange(len(data))
        flipped = bytearray(data)
        flipped[at] ^= source.choice([1, 4, 32, 128, 255])
        yield "flip", bytes(flipped)
    for n in range(cases // 4):
        length = (0, len(data) - 1, PAGE)[n] if n < 3 else source.randrange(len(data))
        yield "cut", data[: min(length, len(data) - 1)]


def in_child(folder: Path, articles: Path, whole: small.Content) -> tuple[str, str]:
    """Open the damaged index, then repair it; in a process that may crash."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        with os.fdopen(writing, "w") as file:
            print(small.outcome(folder, None, whole), file=file, flush=True)
            try:
                repair(articles, folder, small.CONFIG, HashedEncoder(), wait=0)
                print(small.outcome(folder, None, whole), file=file, flush=True)
            except BaseException as error:  # noqa: BLE001 - a failed case, to be shown
                print("wrong:", " ".join(repr(error).split()), file=file, flush=True)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        lines = file.read().splitlines()
    _, status = os.waitpid(child, 0)
    lines += [f"wrong: crashed with status {status}"] * (2 - len(lines))
    return lines[0], lines[1]


def kind_of(path: Path) -> str:
    return f"lexical …{path.suffix}" if path.parent.name.startswith("lexical") else path.name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cases", type=int, default=60, help="for each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lists", action="store_true", help="inverted lists, from 8 passages on")
    arguments = parser.parse_args()
    if arguments.lists:
        ivf.IVF_FROM, ivf.MOST_VISITED = 8, 1.0
    source = random.Random(arguments.seed)
    print("| file | flips | cuts | detected | harmless | repaired | failed |")
    print("|---|---|---|---|---|---|---|")
    total: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        for logged in (False, True):
            base = template(Path(name) / str(logged), logged=logged)
            whole = small.content(small.copied(base, base / "whole"))
            for path in sorted((base / "index").rglob("*")):
                tied = path.name.startswith("store.sqlite")
                if path.is_dir() or path.name.endswith(".lock") or (logged and not tied):
                    continue
                found = run(path, base, whole, arguments.cases, source)
                shown = [found[key] for key in COLUMNS]
                beside = " (with a log)" if logged and path.name == "store.sqlite" else ""
                print(f"| {kind_of(path)}{beside} | {' | '.join(map(str, shown))} |", flush=True)
                total += found
    print(f"| all | {' | '.join(str(total[key]) for key in COLUMNS)} |")
    sys.exit(bool(total["failed"]))


COLUMNS = ("flip", "cut", "detected", "harmless", "repaired", "failed")


def run(
    path: Path, base: Path, whole: small.Content, cases: int, source: random.Random
) -> collections.Counter[str]:
    """Damage one file in so many ways; count what came of it."""
    found: collections.Counter[str] = collections.Counter()
    inside = path.relative_to(base / "index")
    for kind, data in damages(path.read_bytes(), cases, source):
        folder = small.copied(base, base / "damaged")
        (folder / inside).write_bytes(data)
        opened, repaired = in_child(folder, base / "articles", whole)
        found[kind] += 1
        good = {"new": "harmless", "IndexCorrupt": "detected", "IndexMissing": "detected"}
        found[good.get(opened, "failed")] += 1
        found["repaired" if repaired == "new" else "failed"] += 1
        if opened not in good or repaired != "new":
            print(f"{inside}, {kind}: {opened}; after repair: {repaired}", file=sys.stderr)
    return found


if __name__ == "__main__":
    main()
