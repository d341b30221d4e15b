"""Cases × system → result: run the cases (resumably), score the rows, save one file of numbers.

The result holds ids and numbers, never a text of the questions or articles: some sets may not be
published.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import platform
import re
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import platformdirs

import rag
from rag.config import Config
from rag.errors import IndexCorrupt
from rag.evaluation import batch
from rag.evaluation.batch import System
from rag.evaluation.cases import Case, EvaluationPart, PartName, read_text
from rag.evaluation.measures import by_kind, columns, curves, latency, measured
from rag.evaluation.scores import POOL, Row, judge, score_answers, score_retrieval
from rag.index.database import Database
from rag.index.manifest import default_index_dir
from rag.index.schema import NAME
from rag.ingest.folder import find_articles
from rag.places import repository
from rag.text.untrusted import to_json
from rag.types import SearchResult, Turn
from rag.verification.verifiers import load_verifier

VERSION = 1  # of the result file; raised when the meaning of a field changes
K = 10  # passages and sentences that retrieval is asked for
HIDDEN = {"models_dir", "api_key", "base_url"}  # settings that say where, not how
# Files of the package whose change leaves the rows of a begun run as they are.
_NOT_ASKED = (
    *(f"{room}/" for room in ("server", "history", "web", "api", "cli")),
    *(
        f"evaluation/{name}.py"
        for name in (
            "metrics",
            "scores",
            "measures",
            "compare",
            "mistakes",
            "charts",
            "page",
            "report",
        )
    ),
    "app.py",
    "texts.py",
)
_NUMBERS, _BREAK = r"\[\n\s*([^\[\]{}]+?)\n\s*\]", r"\n\s*"  # in indented JSON
Bar: TypeAlias = Callable[[str], AbstractContextManager[batch.Progress]]  # title → a progress bar


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result, and what it was computed from."""

    result: Row
    parts: tuple[EvaluationPart, ...]
    rows: Mapping[PartName, list[Row]]


def evaluate(
    system: System,
    parts: Sequence[EvaluationPart],
    articles: Path,
    *,
    name: str = "set",
    system_name: str = "footnote",
    cache: Path | None = None,
    say: Callable[[str], None] = lambda _line: None,
    bar: Bar = lambda _title: nullcontext(lambda _done, _all: None),
) -> Evaluation:
    """Run the cases, or what an earlier run of the same left of them, and score them."""
    rows: dict[PartName, list[Row]] = {}
    for part in parts:
        with bar(part.name) as progress:
            rows[part.name] = _run(
                system, system_name, part, cache or default_cache(), say, progress
            )
    result = {
        "version": VERSION,
        "set": name,
        "system": system_name,
        "commit": commit_here(),
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "config": {k: v for k, v in asdict(system.config).items() if k not in HIDDEN},
        "index": index_record(system.manifest, articles),
        "parts": {part.name: _scored(part, rows[part.name], system, articles) for part in parts},
    }
    return Evaluation(result, tuple(parts), rows)


def _scored(part: EvaluationPart, rows: Sequence[Row], system: System, articles: Path) -> Row:
    numbers = _numbers(part, rows, system, articles)
    table = columns(part.cases, numbers)
    return {
        "n": len(rows),
        "errors": sum("error" in row for row in rows),
        "refused_rows": [asdict(refused) for refused in part.refused],
        "left_out_as_ambiguous": part.ambiguous,
        "metrics": measured(part.name, table),
        "by_kind": by_kind(part.name, part.cases, table),
        **({"curves": curves(table)} if part.name == "answers" else {}),
        "latency_ms": latency(rows),
        "questions": table,
    }


def _numbers(
    part: EvaluationPart, rows: Sequence[Row], system: System, articles: Path
) -> list[Row]:
    pairs = list(zip(part.cases, rows, strict=True))
    if part.name == "retrieval":
        return [score_retrieval(case, row) for case, row in pairs]
    if part.name == "claims":
        verifier = load_verifier(system.config.verifier, system.config)
        return [judge(case, row, verifier) for case, row in pairs]
    texts = texts_of(rows, articles)
    return [score_answers(case, row, texts) for case, row in pairs]


def texts_of(rows: Sequence[Row], articles: Path) -> dict[str, str]:
    """The texts of the articles that the rows cite, as they stand in their files."""
    cited = {citation["article"] for row in rows for citation in row.get("citations", ())}
    return {path: read_text(articles / path) for path in cited if (articles / path).is_file()}


def _run(
    system: System,
    system_name: str,
    part: EvaluationPart,
    cache: Path,
    say: Callable[[str], None],
    progress: batch.Progress,
) -> list[Row]:
    asked = "".join(to_json(_question(case)) + "\n" for case in part.cases)
    package = Path(rag.__file__).parent
    engine = [
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(package.rglob("*.py"))
        if not path.relative_to(package).as_posix().startswith(_NOT_ASKED)
    ]
    made_of = [part.name, system_name, asked, repr(system.config), to_json(system.manifest)]
    key = hashlib.sha256("\0".join([*made_of, *engine]).encode()).hexdigest()[:16]
    folder = cache / key
    folder.mkdir(parents=True, exist_ok=True)
    source, target = folder / "questions.jsonl", folder / f"{part.name}.jsonl"
    source.write_text(asked, encoding="utf-8", newline="")
    command: batch.Command = "ask" if part.name == "answers" else "search"
    k = POOL if part.name == "claims" else K
    batch.run(_Timed(system), command, source, target, k=k, say=say, progress=progress)
    return [json.loads(line) for line in target.read_bytes().splitlines()]


def _question(case: Case) -> Row:
    history = None if case.history is None else [asdict(turn) for turn in case.history]
    return {"id": case.id, "question": case.question, "history": history, "date": case.date}


class _Timed:
    """A system whose rows of ``search`` say how long it took."""

    def __init__(self, system: System) -> None:
        self.config, self.manifest, self.answer = system.config, system.manifest, system.answer
        self._search = system.search

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        history: Sequence[Turn] | None = None,
        date: str | None = None,
    ) -> SearchResult:
        begun = time.perf_counter()
        found = self._search(question, k, history=history, date=date)
        milliseconds = 1000 * (time.perf_counter() - begun)
        parts = found.question, found.confidence, found.passages, found.evidence
        return _TimedResult(*parts, milliseconds)


@dataclass(frozen=True, slots=True)
class _TimedResult(SearchResult):
    milliseconds: float

    def to_dict(self) -> Row:
        timings = {"search": round(self.milliseconds, 1)}
        return {**SearchResult.to_dict(self), "timings_ms": timings}


def default_cache() -> Path:
    """Where begun runs, their indexes and pages are kept."""
    return Path(platformdirs.user_cache_dir("footnote", appauthor=False)) / "evaluations"


def commit_here() -> str:
    """Return what git calls the state of this code, or "unknown" where it is installed."""
    root = repository()
    if root is None:  # the repository around it, if there is one, is another's
        return "unknown"
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def file_name(result: Row) -> str:
    """``<set>-<how>-<commit>``: how is the generator, the one part, or the other system."""
    parts, system = result["parts"], result["system"]
    how = result["config"]["generator"] if "answers" in parts else "-".join(parts)
    return f"{result['set']}-{how if system == 'footnote' else system}-{result['commit']}"


def save(result: Row, output: Path) -> None:
    """Write the result as JSON, each column of numbers on a line of its own."""

    def on_one_line(numbers: re.Match[str]) -> str:
        return f"[{re.sub(_BREAK, ' ', numbers[1])}]"

    output.parent.mkdir(parents=True, exist_ok=True)
    text = re.sub(_NUMBERS, on_one_line, to_json(result, indent=1))
    output.write_text(text + "\n", encoding="utf-8")


# The index that an evaluation uses: where it lies, and what the result says about it.


def index_dir(articles: Path, config: Config, cache: Path) -> Path:
    """Where the index lies: the usual place if the folder has its index there, made with these
    settings, else in the cache, one for each choice of settings.
    """
    usual, settings = default_index_dir(articles), config.index_settings()
    if (usual / NAME).is_file():
        manifest = _manifest(usual)
        if all(manifest.get(name) == value for name, value in settings.items()):
            return usual
    digest = hashlib.sha256(to_json(settings).encode()).hexdigest()[:8]
    return cache / "indexes" / f"{usual.name}-{digest}"


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        with contextlib.closing(Database(folder)) as database:
            return database.manifest()
    except (IndexCorrupt, sqlite3.OperationalError):
        return {}


def index_record(manifest: Mapping[str, Any], articles: Path) -> dict[str, Any]:
    """What a result says of its index: its settings, and which articles it holds."""
    kept = {k: v for k, v in manifest.items() if k not in {"files", "articles_folder"}}
    files = list(find_articles(articles))
    digest = hashlib.sha256()
    for file in files:
        content = hashlib.sha256(file.location.read_bytes()).hexdigest()
        digest.update(f"{file.path}\0{content}\0".encode())
    return {**kept, "articles": len(files), "articles_sha256": digest.hexdigest()}
