"""Questions with known answers: a set's rows, checked against its articles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from rag.errors import InputError
from rag.metrics import Mode, Span

Task: TypeAlias = Literal["answers", "retrieval"]


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what is known about it."""

    id: str
    question: str
    history: list[dict[str, str]] | None
    date: str | None
    answerable: bool
    unanswerable_kind: str | None  # such as "near" or "far"
    kind: str | None  # meta.kind
    answers: tuple[str, ...]
    gold: tuple[Span, ...]
    mode: Mode


def places(
    name: Path, questions: Path | None, articles: Path | None, task: Task
) -> tuple[Path, Path]:
    """Return the questions' file and the articles' folder of a set. Raises InputError."""
    questions = questions or name / ("sample.jsonl" if task == "answers" else "questions.jsonl")
    articles = articles or name / "articles"
    if not questions.is_file():
        raise InputError(f"There is no file of questions {questions}; name one with --questions.")
    if not articles.is_dir():
        raise InputError(f"There is no folder of articles {articles}; name one with --articles.")
    return questions, articles


def load_cases(
    questions: Path, articles: Path, limit: int | None = None
) -> tuple[list[Case], list[tuple[str, str]]]:
    """Return the cases, and (id, reason) of the rows that are refused."""
    cases: list[Case] = []
    refused: list[tuple[str, str]] = []
    for number, line in enumerate(questions.read_bytes().split(b"\n"), start=1):
        if line.strip() and (limit is None or len(cases) < limit):
            identity = f"line {number}"
            try:
                row = json.loads(line)
                identity = str(row["id"])
                cases.append(_case(row, articles))
            except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
                refused.append((identity, _reason(error)))
    if not cases:
        raise InputError(f"No row of {questions} can be used: {dict(refused)}.")
    return cases, refused


def _case(row: dict[str, Any], articles: Path) -> Case:
    gold = []
    for item in row["evidence"] if row["answerable"] else ():
        path = f"{item['article_id']}.txt"
        text = read_text(articles / path)
        if not item["text"] or text[item["start"] : item["end"]] != item["text"]:
            raise ValueError(f"its evidence does not stand at {path} {item['start']}–{item['end']}")
        gold.append(Span(path, item["start"], item["end"]))
    if row["evidence_mode"] not in {"any", "all"}:
        raise ValueError(f"its evidence_mode {row['evidence_mode']!r} is neither any nor all")
    meta = row.get("meta") or {}
    return Case(
        str(row["id"]), row["question"], row["history"], meta.get("date"), bool(row["answerable"]),
        row["unanswerable_kind"], meta.get("kind"), tuple(row["answers"]), tuple(gold),
        row["evidence_mode"],
    )  # fmt: skip


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, OSError):
        return f"its article cannot be read ({error.strerror}: {Path(error.filename).name})"
    return str(error)


def read_text(path: Path) -> str:
    """Return the file unchanged, newlines too: the offsets count them."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()
