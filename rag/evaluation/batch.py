"""A file of questions → a file of answers: one row in, one row out, in the same order.

Each row is on its way to the disk before the next begins. Beside the output stands
``OUTPUT.run.json``, which says what the rows were made of (command, input, index, settings): the
same run continues after the rows that are there, another one is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal, Protocol, TypeAlias, runtime_checkable

from filelock import FileLock, Timeout

from rag.config import Config
from rag.errors import InputError, RagError
from rag.evaluation.questions import (
    lines,
    read_claim,
    read_identity,
    read_question,
    read_row,
    shown,
)
from rag.text.untrusted import to_json
from rag.types import Answer, SearchResult, Turn

Command: TypeAlias = Literal["ask", "search", "check"]
Progress: TypeAlias = Callable[[int, int], None]  # rows done, rows in all

SYNC_SECONDS = 5.0  # how much work a power cut may take
# Settings that do not change what a row says.
_PLACES = {"models_dir", "api_key", "threads"}


class System(Protocol):
    """What can be asked and measured: ``Rag``, and the others' ways of doing it."""

    @property
    def config(self) -> Config: ...
    @property
    def manifest(self) -> dict[str, Any]: ...
    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
    ) -> SearchResult: ...
    def answer(
        self, question: str, *, history: Sequence[Turn] | None = None, date: str | None = None
    ) -> Answer: ...


@runtime_checkable
class Checker(Protocol):
    """What can say whether rows of claims are so."""

    @property
    def config(self) -> Config: ...
    @property
    def manifest(self) -> dict[str, Any]: ...
    def verdict(self, claim: str, sources: Sequence[str] | None, title: str) -> dict[str, Any]:
        """Return the verdict; with ``sources``, only these count. Raises InputError."""


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """What a run did."""

    rows: int  # in the output now
    resumed_after: int  # rows that were there already
    errors: int  # rows of this run that say {"id", "error"}


def run(
    system: System | Checker,
    command: Command,
    source: Path,
    target: Path,
    *,
    k: int = 10,
    say: Callable[[str], None] = lambda _line: None,
    progress: Progress = lambda _done, _all: None,
) -> BatchOutcome:
    """Answer the questions in ``source`` (JSON lines) into ``target``, or go on with it.

    Raises InputError if the output is not this run's or another process writes it, RagError if
    it cannot be written. KeyboardInterrupt leaves whole rows and says how to go on.
    """
    if not source.is_file():
        raise InputError(f"There is no file of questions {source}.")
    if not target.parent.is_dir():
        raise InputError(f"There is no folder {target.parent} for the output.")
    if target.exists() and (not target.is_file() or target.samefile(source)):
        raise InputError(f"The output {target} must be a file of its own; choose another --output.")
    with _only_writer(target):
        rows = sum(1 for _ in lines(source))
        done = _resume(target, _state(system, command, source, k), rows)
        if done:
            there = "complete, nothing to do" if done == rows else f"resuming at row {done + 1}"
            say(f"{target}: {there} ({done} of {rows} rows are there).")
        try:
            errors = _answer_rows(system, command, source, target, k, done, rows, progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"Stopped. The finished rows are in {target}; the same command goes on after them."
            ) from None
        progress(rows, rows)
    return BatchOutcome(rows, done, errors)


def _answer_rows(
    system: System | Checker,
    command: Command,
    source: Path,
    target: Path,
    k: int,
    done: int,
    rows: int,
    progress: Progress,
) -> int:
    errors, synced = 0, time.monotonic()
    with _writing(target):
        out = target.open("ab", buffering=0)
    with out:
        for n, (number, line) in enumerate(lines(source)):
            if n >= done:
                progress(n, rows)
                row = _row(system, command, number, line, k)
                errors += "error" in row
                last = n == rows - 1
                with _writing(target):
                    _append(out, row)
                    if last or time.monotonic() - synced > SYNC_SECONDS:
                        os.fsync(out.fileno())
                        synced = time.monotonic()
    return errors


def _row(
    system: System | Checker, command: Command, number: int, line: bytes, k: int
) -> dict[str, Any]:
    identity: str | int | None = None
    try:
        row = read_row(line)
        identity = read_identity(row)
        if isinstance(system, Checker):
            return {"id": identity, **system.verdict(*read_claim(row))}
        question = read_question(row)
        if command == "search":
            found = system.search(
                question.text, k=k, history=question.history, date=question.date
            ).to_dict()
        else:
            found = system.answer(
                question.text, history=question.history, date=question.date
            ).to_dict()
    except InputError as error:
        return {"id": identity, "error": f"line {number}: {error}"}
    return {"id": identity, **found}


def _append(out: IO[bytes], row: dict[str, Any]) -> None:
    rest = memoryview(to_json(row).encode() + b"\n")
    while rest:
        rest = rest[out.write(rest) :]


def _state(system: System | Checker, command: Command, source: Path, k: int) -> dict[str, Any]:
    settings = {name: v for name, v in asdict(system.config).items() if name not in _PLACES}
    if command == "search":
        settings["k"] = k
    if system.config.base_url:  # it may hold a password
        settings["base_url"] = hashlib.sha256(system.config.base_url.encode()).hexdigest()[:12]
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = json.dumps(system.manifest, sort_keys=True, default=str)
    index = hashlib.sha256(manifest.encode()).hexdigest()
    return {"command": command, "input": digest, "index": index, "settings": settings}


def _resume(target: Path, state: dict[str, Any], rows: int) -> int:
    """Return how many rows are there already; cut off half a row that a crash left."""
    record = target.with_name(f"{target.name}.run.json")
    if not target.exists() or not target.stat().st_size:
        with _writing(record):
            part = record.with_name(f"{record.name}.part")
            with part.open("w", encoding="utf-8") as file:
                file.write(json.dumps(state, indent=1) + "\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(record)
        return 0
    choice = f"Choose another --output, or delete {target} to start again."
    try:
        before = json.loads(record.read_bytes())
        changed = _changes(before, state)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"{record.name}, which says what it was made of, is missing or damaged"
        raise InputError(f"Cannot go on with {target}: {reason}. {choice}") from error
    if changed:
        raise InputError(f"Cannot go on with {target}: since then {changed}. {choice}")
    done = whole = 0
    with target.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                done, whole = done + 1, whole + len(line)
    if done > rows:
        raise InputError(f"{target} has {done} rows, more than the {rows} of the input. {choice}")
    with _writing(target):
        os.truncate(target, whole)
    return done


def _changes(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Say in words what has changed; empty if nothing has."""
    changed = [
        f"the {name} has changed" for name in ("input", "index") if before[name] != now[name]
    ]
    old, new = before["settings"], now["settings"]
    if before["command"] != now["command"]:
        changed.insert(0, f"the command was {before['command']} and is {now['command']}")
    changed += [
        f"the setting {name} was {shown(old.get(name))} and is {shown(new.get(name))}"
        for name in sorted(old.keys() | new.keys())
        if before["command"] == now["command"] and old.get(name) != new.get(name)
    ]
    return ", ".join(changed)


@contextlib.contextmanager
def _only_writer(target: Path) -> Iterator[None]:
    lock = FileLock(target.with_name(f"{target.name}.lock"))
    with _writing(target):
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise InputError(f"Another process is writing {target}.") from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RagError(
            f"Cannot write {path}: {reason}. Whole rows are kept: the same command goes on "
            "after them."
        ) from error
