"""Kill -9 at many points of build, sync, compaction and repair: what is left is old or new text.

    python -m benchmarks.index.crashes --points 60

Each case runs the real code (SQLite, FAISS, tantivy; the encoder is a hash) on a small index in a
process of its own, which is killed: at a call into C that touches files, at any call into C, or
after a random time. Then the index must open and say what it said before or what it is to say,
where vectors may still be missing, and the same command, run again, must complete it. Prints a
table; exit code 1 when a case fails.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.index import small_index as small
from rag.index.sync import repair, sync
from rag.models.encoder import HashedEncoder

FILE_CALLS = {
    "execute",
    "write",
    "fsync",
    "mkdir",
    "unlink",
    "rename",
    "replace",
    "rmdir",
    "open",
    "commit",
    "add_document",
    "wait_merging_threads",
    "close",
    "flock",
    "release",
    "acquire",
    "truncate",
}
LEFT = {"old", "new", "words"}  # the last: new, and not all of it is embedded yet
COLUMNS = ("killed", "ended first", "old", "words", "new", "failed")
Run = Callable[[Path], object]


class Step:
    """One command with the state that it starts from and the state that it must reach."""

    def __init__(self, name: str, base: Path, change: Callable[[Path], None] | None) -> None:
        self.name, self.base = name, base
        self.template = base / "template"
        self.articles = self.template / "articles"
        small.build(self.template, change)
        self.run: Run = lambda folder: sync(
            self.articles, folder, small.CONFIG, HashedEncoder(), wait=5
        )
        self.old: small.Content | None = small.content(self.template / "index")
        if name == "build":
            for path in sorted((self.template / "index").rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            self.old = None
        if name == "repair":
            self._damage()
            self.old = {}  # it cannot be opened
        self.new = self._reached()

    def _damage(self) -> None:
        # One row, found by its text, and the vector file.
        store = self.template / "index" / "store.sqlite"
        store.write_bytes(store.read_bytes().replace(b"The bridge of Lisk", b"The bridge of Lusk"))
        (self.template / "index" / "vectors-1.bin").write_bytes(b"")
        self.run = lambda folder: repair(
            self.articles, folder, small.CONFIG, HashedEncoder(), wait=5
        )

    def _reached(self) -> small.Content:
        folder = small.copied(self.template, self.base / "whole")
        self.run(folder)
        return small.content(folder)

    def calls(self) -> tuple[int, list[int]]:
        """Return how many calls into C the command makes, and which of them touch files."""
        folder = small.copied(self.template, self.base / "counted")
        reading, writing = os.pipe()
        if not (child := os.fork()):
            count, touching = 0, []

            def profile(_frame: object, event: str, function: object) -> None:
                nonlocal count
                if event == "c_call":
                    count += 1
                    if getattr(function, "__name__", "") in FILE_CALLS:
                        touching.append(count)

            sys.setprofile(profile)
            self.run(folder)
            sys.setprofile(None)
            with os.fdopen(writing, "w") as file:
                json.dump([count, touching], file)
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as file:
            count, touching = json.load(file)
        os.waitpid(child, 0)
        return count, touching

    def killed(self, at_call: int | None, after: float) -> tuple[bool, str, str]:
        """Return whether it was killed, what was left, and what the same command made of it."""
        folder = small.copied(self.template, self.base / "killed")
        if not (child := os.fork()):
            count = 0

            def profile(_frame: object, event: str, _function: object) -> None:
                nonlocal count
                if event == "c_call":
                    count += 1
                    if count == at_call:
                        os.kill(os.getpid(), signal.SIGKILL)

            if at_call:
                sys.setprofile(profile)
            self.run(folder)
            os._exit(0)
        if not at_call:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        left = small.outcome(folder, self.old, self.new)
        if self.name == "repair" and left in {"IndexCorrupt", "IndexMissing"}:
            left = "old"  # it cannot be opened, as before
        try:
            self.run(folder)
        except Exception as error:  # noqa: BLE001 - a failed case, to be shown
            return os.WIFSIGNALED(status), left, f"wrong: {error!r}"
        return os.WIFSIGNALED(status), left, small.outcome(folder, None, self.new)


def kill_all(step: Step, points: int, source: random.Random) -> dict[str, collections.Counter[str]]:
    """Kill one step at so many points; return, per kind of point, what was left."""
    count, touching = step.calls()
    begun = time.perf_counter()
    step.run(small.copied(step.template, step.base / "timed"))
    seconds = time.perf_counter() - begun
    third = -(-points // 3)
    late = touching[-60:]  # about the commit, and after it
    cases: list[tuple[str, int | None, float]]
    cases = [("file call", at, 0.0) for at in source.choices(touching, k=third // 2)]
    cases += [("file call", at, 0.0) for at in source.choices(late, k=third - third // 2)]
    cases += [("any call", source.randint(1, count), 0.0) for _ in range(third)]
    cases += [("time", None, source.uniform(0, 1.2 * seconds)) for _ in range(points - 2 * third)]
    found: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for kind, at, after in cases:
        killed, left, again = step.killed(at, after)
        found[kind]["killed" if killed else "ended first"] += 1
        found[kind][left] += 1
        if left.startswith("wrong") or left not in LEFT or again != "new":
            found[kind]["failed"] += 1
            print(f"{step.name}, {kind} {at or after}: left {left}, again {again}", file=sys.stderr)
    return found


STEPS: dict[str, Callable[[Path], None] | None] = {
    "build": None,
    "sync": small.change_articles,
    "compaction": small.remove_most,
    "repair": None,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--points", type=int, default=60, help="for each step")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    source = random.Random(arguments.seed)
    print(
        "| step | killed at | killed | ended first | old state | new, its vectors missing "
        "| new state | failed |"
    )
    print("|---|---|---|---|---|---|---|---|")
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        for step_name, change in STEPS.items():
            step = Step(step_name, Path(name) / step_name, change)
            for kind, of in kill_all(step, arguments.points, source).items():
                shown = [of[key] for key in COLUMNS]
                print(f"| {step_name} | {kind} | {' | '.join(map(str, shown))} |", flush=True)
                failed += of["failed"]
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
