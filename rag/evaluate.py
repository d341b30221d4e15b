"""Cases × Rag → result: run the cases (resumably), score the rows, save one file of numbers.

The result holds ids and numbers, never a text of the questions or articles: some sets may not be
published.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from rag import batch
from rag.cases import Case, Task, read_text
from rag.report import to_json
from rag.scores import Row, latency, score_answers, score_retrieval

if TYPE_CHECKING:
    from rag.pipeline import Rag


def evaluate(
    rag: Rag,
    cases: Sequence[Case],
    articles: Path,
    task: Task = "answers",
    *,
    name: str = "set",
    cache: Path | None = None,
    say: Callable[[str], None] = lambda _line: None,
    progress: batch.Progress = lambda _done, _all: None,
) -> Row:
    """Run the cases, or what an earlier run of the same left of them, and score them."""
    rows = _run(rag, cases, task, cache or _default_cache(), say, progress)
    score = score_answers if task == "answers" else score_retrieval
    texts = {
        path: read_text(articles / path) for path in _cited(rows) if (articles / path).is_file()
    }
    hidden = {"models_dir", "api_key", "base_url"}
    config = {key: value for key, value in asdict(rag.config).items() if key not in hidden}
    return {
        "set": name,
        "task": task,
        "commit": _commit(),
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "config": config,
        "n": len(cases),
        "errors": sum("error" in row for row in rows),
        **score(cases, rows, texts),
        "latency_ms": latency(rows),
    }


def _run(
    rag: Rag, cases: Sequence[Case], task: Task, cache: Path, say: Callable[[str], None],
    progress: batch.Progress,
) -> list[Row]:  # fmt: skip
    asked = "".join(
        to_json({"id": c.id, "question": c.question, "history": c.history, "date": c.date}) + "\n"
        for c in cases
    )
    sources = sorted(Path(__file__).parent.glob("*.py"))
    parts = [task, asked, repr(rag.config), to_json(rag.manifest), *map(read_text, sources)]
    folder = cache / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    source, target = folder / "questions.jsonl", folder / f"{task}.jsonl"
    source.write_text(asked, encoding="utf-8", newline="")
    command: batch.Command = "ask" if task == "answers" else "search"
    batch.run(rag, command, source, target, say=say, progress=progress)
    return [json.loads(line) for line in target.read_bytes().splitlines()]


def _default_cache() -> Path:
    return Path(platformdirs.user_cache_dir("footnote", appauthor=False)) / "evaluations"


def _cited(rows: Sequence[Row]) -> set[str]:
    return {citation["article"] for row in rows for citation in row.get("citations", ())}


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def default_output(result: Row) -> Path:
    """``results/<set>-<generator>-<commit>.json``."""
    how = result["config"]["generator"] if result["task"] == "answers" else "retrieval"
    return Path("results") / f"{result['set']}-{how}-{result['commit']}.json"


def save(result: Row, output: Path) -> None:
    """Write the result as JSON."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(to_json(result, indent=1) + "\n", encoding="utf-8")
