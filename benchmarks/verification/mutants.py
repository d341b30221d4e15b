"""Whether the tests notice when the code is wrong: one small change at a time to a module that
answers rest on, and the tests of that module run on it.

    python -m benchmarks.verification.mutants --sample 88 > benchmarks/results/mutants.md

Each change is made in a copy of the tree: a comparison turned round, a number, "and" for "or", a
"not" or a condition gone, another sign, a wider slice, another value returned, a statement left
out. A sample of them is drawn, the same for the same --seed and code. A change that no test
notices either does nothing (those that we looked at are named in EQUIVALENT) or shows what no
test asks for. The encoder has to be here (`python -m rag models pull all-MiniLM-L6-v2`).
"""

from __future__ import annotations

import argparse
import ast
import importlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("rag", "tests", "seeds", "benchmarks", "pyproject.toml", "app.py")
# Modules, and the files in tests/ that look at them, the quickest first.
TESTS = {
    "retrieval/ranking": "retrieve period copies variants scope followup pipeline answers",
    "answering/confidence": "confidence pipeline answers answers_negated",
    "answering/run": "run pipeline premise answers answers_negated",
    "answering/pipeline": "pipeline visitors answers answers_negated",
    "answering/cite": "cite supplement pipeline answers answers_negated",
    "answering/draft": "cite pipeline answers answers_negated",
    "answering/supplement": "supplement disagree corrections",
    "retrieval/search": "followup pipeline answers",
    "web/session": "session load page",
    "history/conversation": "session page kept",
    "generation/queue": "writing visitors",
}
# By file and change: why no test could notice.
EQUIVALENT = {
    ("run.py", "Found((), (), 0.0) → Found((), (), 1.0)"): "replaced before it is read",
    ("run.py", "strays: bool = False → strays: bool = True"): "given wherever a draft is written",
    ("supplement.py", "s.start < citation.end → s.start <= citation.end"): "there is a space",
    ("supplement.py", "citation.start < s.end → citation.start <= s.end"): "there is a space",
    ("session.py", "len(text) < 12 → len(text) <= 12"): "no article is that long",
    ("ranking.py", "strict=True → strict=False"): "both are made of the same",
}
SPARE = 60.0  # seconds that a run may take beyond four times that of the code as it is
# Imported once, before the process of each mutant is forked off: most of the time of a short run.
HEAVY = ("torch", "faiss", "sentence_transformers", "tantivy", "scipy", "sklearn")
SAID = "said.txt"
POLL = 0.1  # seconds between two looks at what runs
os.environ["OMP_WAIT_POLICY"], os.environ["OMP_NUM_THREADS"] = "passive", "1"

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.Mult: ast.Div, ast.Div: ast.Mult,
}  # fmt: skip
EDGES: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt
}  # fmt: skip
# By how a function's type begins: what it returns instead.
VALUES = {
    "bool": "not ({})", "str": "''", "tuple[": "()", "list[": "[]", "Sequence[": "()",
    "float": "0.0", "int": "0", "set[": "set()", "frozenset[": "frozenset()",
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed module."""

    module: str
    path: Path  # relative to the root
    line: int
    change: str  # what is there → what stands in its place
    source: str  # of the whole module

    @property
    def why_equivalent(self) -> str | None:
        return EQUIVALENT.get((self.path.name, self.change))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the tests said of a mutant."""

    mutant: Mutant
    result: str  # "killed", "timeout" or "survived"


Job: TypeAlias = "Mutant | str"  # a mutant, or the name of a module as it is


def mutants_of(module: str, path: Path) -> list[Mutant]:
    """Return every mutant of a module."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    returned = _returned(tree)
    found: dict[tuple[int, str], Mutant] = {}
    for parent, field, at, node in list(_places(tree)):
        # A number or an operator says little without what it is in.
        shown = node if isinstance(node, ast.stmt | ast.expr) else parent
        shown = parent if isinstance(node, ast.Constant | ast.Name | ast.Slice) else shown
        old = ast.unparse(shown)
        for other in _changed(node, returned.get(node), setting=_is_setting(parent)):
            line = getattr(node, "lineno", getattr(parent, "lineno", 0))
            _put(parent, field, at, other)
            new = ast.unparse(other if shown is node else shown)
            source = ast.unparse(ast.fix_missing_locations(tree))
            _put(parent, field, at, node)
            change = f"{_short(old)} → {_short(new)}"
            found[line, change] = Mutant(module, path, line, change, source)
    return list(found.values())


def _returned(tree: ast.AST) -> dict[ast.AST, str]:
    """Return the statements that return something, each with another value of its type."""
    found: dict[ast.AST, str] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.returns is not None:
            kind = ast.unparse(function.returns)
            other = next((value for name, value in VALUES.items() if kind.startswith(name)), None)
            other = "None" if kind.endswith("| None") else other
            for node in ast.walk(function) if other else ():
                if isinstance(node, ast.Return) and node.value is not None and other:
                    found[node] = other.format(ast.unparse(node.value))
    return {node: value for node, value in found.items() if ast.unparse(node) != f"return {value}"}


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None, ast.AST]]:
    """Yield each node with its parent, the field that it stands in, and where in a list."""
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "type_comment"}:
            continue
        for at, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                yield node, field, at if isinstance(value, list) else None, child
                yield from _places(child)


def _put(parent: ast.AST, field: str, at: int | None, node: ast.AST) -> None:
    if at is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[at] = node


def _changed(node: ast.AST, returned: str | None, *, setting: bool) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node."""
    if (swapped := SWAPS.get(type(node))) is not None:
        yield swapped()
    if (edge := EDGES.get(type(node))) is not None:
        yield edge()
    if returned is not None:
        yield ast.parse(f"return {returned}").body[0]
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(int(not value) if setting else value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(float(not value))
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Name(id=name) if name in NAMES:
            yield ast.Name(NAMES[name])
        case ast.Slice(lower=lower, upper=upper):
            if lower is not None:
                yield ast.Slice(None, upper)
            if upper is not None:
                yield ast.Slice(lower, None)
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.comprehension(ifs=[_, *rest]):
            yield _with(node, "ifs", rest)
        case ast.If():
            yield _with(node, "test", ast.Constant(value=True))
            yield _with(node, "test", ast.Constant(value=False))
        case ast.Expr(value=ast.Call() | ast.YieldFrom() | ast.Yield()):
            yield ast.Pass()
        case ast.AugAssign() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case _:
            pass


def _with(node: ast.AST, field: str, value: object) -> ast.AST:
    other = deepcopy(node)
    setattr(other, field, value)
    return other


def _is_setting(parent: ast.AST) -> bool:
    """Return whether a number is the value of a setting at the top of a module. One higher, most
    would be as good, so it becomes 0.
    """
    targets = getattr(parent, "targets", ())
    return any(isinstance(target, ast.Name) and target.id.isupper() for target in targets)


def _short(code: str) -> str:
    line = code.strip().split("\n", 1)[0]
    return line if len(line) <= 90 else f"{line[:89]}…"


class Copy:
    """A copy of the tree, in which the tests run on one mutant at a time."""

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self.root = place
        for name in COPIED:
            source, target = ROOT / name, place / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)

    def write(self, path: Path, source: str) -> None:
        """Write a module."""
        target = self.root / path
        target.write_text(source, encoding="utf-8")
        # Compiled files are known by their second and size, which two mutants may share.
        for compiled in (target.parent / "__pycache__").glob(f"{path.stem}.*"):
            compiled.unlink()

    def start(self, module: str) -> int:
        """Run the tests of a module in a process of its own; return its number."""
        if process := os.fork():
            return process
        code = 3
        try:
            code = self._run(module)
        finally:
            os._exit(code)  # never back to what the other process is in the middle of

    def _run(self, module: str) -> int:
        os.setsid()  # so that what it starts can be ended together with it
        with (self.root / SAID).open("wb") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        os.chdir(self.root)
        os.environ["PYTHONPATH"] = sys.path[0] = str(self.root)
        files = [
            str(path.relative_to(self.root))
            for name in TESTS[module].split()
            for path in (self.root / "tests").rglob(f"test_{name}.py")
        ]
        try:
            # What has been imported is a plugin of pytest too, which it warns of.
            early = "ignore::pytest.PytestAssertRewriteWarning"
            code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-W", early, *files])
        except BaseException:  # for whoever reads what was said
            traceback.print_exc()
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        return int(code)

    def said(self) -> str:
        """Return what the tests said."""
        return (self.root / SAID).read_text(encoding="utf-8", errors="replace")


def ended(
    jobs: Sequence[Job], copies: Sequence[Copy], limits: Mapping[str, float]
) -> Iterator[tuple[Job, Copy, int, float]]:
    """Run the tests for each module or mutant, as many at once as there are copies; yield each
    with its copy, pytest's exit code (-9: it took too long) and the seconds that it took.
    """
    waiting, free = deque(jobs), list(copies)
    running: dict[int, tuple[Job, Copy, float]] = {}
    clock = 0.0  # seconds that were waited; time in which all of it was stopped does not count
    while waiting or running:
        while waiting and free:
            job, copy = waiting.popleft(), free.pop()
            if isinstance(job, Mutant):
                copy.write(job.path, job.source)
            running[copy.start(_module(job))] = job, copy, clock
        process, status = os.waitpid(-1, os.WNOHANG)
        if not process:
            for number, (job, _, since) in running.items():
                if clock - since > limits.get(_module(job), math.inf):
                    os.killpg(number, signal.SIGKILL)
            time.sleep(POLL)
            clock += POLL
            continue
        job, copy, since = running.pop(process)
        if isinstance(job, Mutant):
            copy.write(job.path, (ROOT / job.path).read_text(encoding="utf-8"))
        yield job, copy, os.waitstatus_to_exitcode(status), clock - since
        free.append(copy)


def _module(job: Job) -> str:
    return job.module if isinstance(job, Mutant) else job


def tried(mutants: Sequence[Mutant], place: Path, workers: int) -> list[Outcome]:
    """Try the mutants, after the code as it is."""
    for name in HEAVY:
        importlib.import_module(name)
    copies = [Copy(place / str(n)) for n in range(workers)]
    limits: dict[str, float] = {}
    for module, copy, code, seconds in ended(list(TESTS), copies, {}):
        if code:
            raise SystemExit(f"The tests of {module} fail on the code as it is:\n{copy.said()}")
        limits[_module(module)] = SPARE + 4 * seconds
        _tell(f"{module}: {seconds:.0f} s")
    outcomes = []
    for mutant, copy, code, _ in ended(mutants, copies, limits):
        assert isinstance(mutant, Mutant)
        result = {0: "survived", 1: "killed", 2: "killed", -signal.SIGKILL: "timeout"}.get(code)
        if result is None:
            raise SystemExit(f"pytest ended with {code}:\n{copy.said()}")
        _tell(f"{result}: {mutant.path}:{mutant.line}: {mutant.change}")
        outcomes.append(Outcome(mutant, result))
    return outcomes


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def sampled(most: int, seed: int) -> tuple[list[Mutant], Counter[str]]:
    """Return the mutants that are tried, and how many there are of each module."""
    each = -(-most // len(TESTS))
    chosen, possible = [], Counter[str]()
    for module in TESTS:
        (path,) = (ROOT / "rag").rglob(f"{module}.py")
        found = mutants_of(module, path.relative_to(ROOT))
        possible[module] = len(found)
        chosen.append(random.Random(f"{seed} {module}").sample(found, min(each, len(found))))
    return [mutant for some in zip(*chosen, strict=True) for mutant in some][:most], possible


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--module", choices=TESTS, help="no others")
    parser.add_argument("--list", action="store_true", help="only say what would be tried")
    asked = parser.parse_args()
    if asked.module:
        for name in set(TESTS) - {asked.module}:
            del TESTS[name]
    mutants, possible = sampled(asked.sample, asked.seed)
    if asked.list:
        for mutant in mutants:
            print(f"{mutant.path}:{mutant.line}: {mutant.change}")
        return
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        outcomes = tried(mutants, Path(place), asked.workers)
    print(table(asked, outcomes, possible, time.monotonic() - begun))


def table(
    asked: argparse.Namespace, outcomes: list[Outcome], possible: Counter[str], seconds: float
) -> str:
    """Return the results as Markdown."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    ).stdout.strip()  # fmt: skip
    lines = [
        "# What the tests do not notice\n",
        f"`python -m benchmarks.verification.mutants --sample {asked.sample} --seed "
        f"{asked.seed}`, on commit "
        f"{commit}, {seconds / 60:.0f} minutes.",
        "Mutants: copies of a module with one small change; killed when a test fails on it or "
        "does not end.\n",
        "| module | possible | tried | killed | timeout | survived | of these equivalent |",
        "|---|---|---|---|---|---|---|",
    ]
    counts = [Counter(o.result for o in outcomes if o.mutant.module == name) for name in TESTS]
    same = Counter(
        o.mutant.module for o in outcomes if o.result == "survived" and o.mutant.why_equivalent
    )
    for name, count in zip(TESTS, counts, strict=True):
        lines.append(_row(name, possible[name], count, same[name]))
    lines.append(_row("all", possible.total(), sum(counts, Counter()), same.total()))
    lines.append("\n## Survivors\n")
    survivors = sorted(
        (o.mutant for o in outcomes if o.result == "survived"), key=lambda m: (m.path, m.line)
    )
    for mutant in survivors:
        why = f" Equivalent: {mutant.why_equivalent}." if mutant.why_equivalent else ""
        lines.append(f"- {mutant.path}:{mutant.line}: `{mutant.change}`{why}")
    return "\n".join(lines if survivors else [*lines, "None."])


def _row(name: str, possible: int, count: Counter[str], same: int) -> str:
    results = (count[result] for result in ("killed", "timeout", "survived"))
    cells = (name, possible, count.total(), *results, same)
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
