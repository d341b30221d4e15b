"""Questions and claims with known answers: a set's rows, checked against its articles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from rag.errors import InputError
from rag.evaluation.metrics import Mode, Span
from rag.evaluation.questions import lines, read_question, read_row
from rag.types import Turn

PartName: TypeAlias = Literal["retrieval", "answers", "claims"]
Task: TypeAlias = Literal["all", "retrieval", "answers", "claims"]
FILES: dict[PartName, tuple[str, ...]] = {  # where a part's rows stand; the first one that is there
    "retrieval": ("questions.jsonl",),
    "answers": ("sample.jsonl", "questions.jsonl"),
    "claims": ("claims.jsonl",),
}
PARTS: tuple[PartName, ...] = get_args(PartName)


@dataclass(frozen=True, slots=True)
class Case:
    """One question with what is known about it. A claim to be judged is one too: its text is the
    question, and it is answerable if its article supports it.
    """

    id: str
    question: str
    history: tuple[Turn, ...] | None
    date: str | None
    answerable: bool
    unanswerable_kind: str | None  # such as "near" or "far"
    kind: str | None  # meta.kind, or a claim's label
    answers: tuple[str, ...]
    short: bool  # whether the answers are a few words, so that one can be looked for in a text
    gold: tuple[Span, ...]  # sentences, or passages
    evidence_kind: str | None  # who says so, such as "gold_sentence"
    mode: Mode
    articles: tuple[str, ...]  # paths
    ambiguous: bool = False  # not to be asked of many articles at once: it names none


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be used."""

    line: int
    id: str | None
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}{f' ({self.id})' if self.id else ''}: {self.reason}"


@dataclass(frozen=True, slots=True)
class EvaluationPart:
    """One part of an evaluation and the cases that it is over."""

    name: PartName
    cases: tuple[Case, ...]
    refused: tuple[Refused, ...] = ()
    ambiguous: int = 0  # questions left out of retrieval


def load_parts(
    name: Path,
    task: Task = "all",
    questions: Path | None = None,
    articles: Path | None = None,
    limit: int | None = None,
) -> tuple[list[EvaluationPart], Path]:
    """Return the parts of a set that can be measured, and its folder of articles.

    Raises InputError when there is nothing to ask, or no articles to ask about.
    """
    articles = articles or name / "articles"
    if not articles.is_dir():
        raise InputError(f"There is no folder of articles {articles}; name one with --articles.")
    sources = _sources(name, task, questions)
    return [load_part(part, file, articles, limit) for part, file in sources.items()], articles


def _sources(name: Path, task: Task, questions: Path | None) -> dict[PartName, Path]:
    if questions and task == "all":
        wanted: tuple[PartName, ...] = ("retrieval", "answers")
    else:
        wanted = PARTS if task == "all" else (task,)
    found: dict[PartName, Path] = {}
    for part in wanted:
        candidates = [questions] if questions else [name / file for file in FILES[part]]
        if file := next((path for path in candidates if path.is_file()), None):
            found[part] = file
    if not found:
        names = [str(questions)] if questions else sorted({f for p in wanted for f in FILES[p]})
        where = "" if questions else f" in {name}"
        raise InputError(f"There is no {' or '.join(names)}{where}; name one with --questions.")
    return found


def load_part(
    part: PartName, source: Path, articles: Path, limit: int | None = None
) -> EvaluationPart:
    """Return the first ``limit`` cases of a file, and which rows are refused. Raises InputError
    when no row can be used.
    """
    cases: dict[str, Case] = {}
    refused, ambiguous = [], 0
    texts: dict[str, str] = {}
    for number, case in _read(part, source, articles, texts):
        if isinstance(case, Refused):
            refused.append(case)
        elif case.id in cases:
            refused.append(Refused(number, case.id, "an earlier row has the same id"))
        elif part == "retrieval" and case.ambiguous:
            ambiguous += 1
        else:
            cases[case.id] = case
            if len(cases) == limit:
                break
    if not cases:
        first = f" ({refused[0]})" if refused else ""
        raise InputError(f"No row of {source} can be used{first}.")
    return EvaluationPart(part, tuple(cases.values()), tuple(refused), ambiguous)


def _read(
    part: PartName, source: Path, articles: Path, texts: dict[str, str]
) -> Iterator[tuple[int, Case | Refused]]:
    read = _claim if part == "claims" else _case
    for number, line in lines(source):
        identity = None
        try:
            row = read_row(line)
            identity = str(row["id"])
            yield number, read(row, articles, texts)
        except (InputError, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
            yield number, Refused(number, identity, _reason(error))


def _case(row: dict[str, Any], articles: Path, texts: dict[str, str]) -> Case:
    meta = row.get("meta") or {}
    asked = read_question({**row, "date": meta.get("date")})
    if row["evidence_mode"] not in {"any", "all"}:
        raise ValueError(f"its evidence_mode {row['evidence_mode']!r} is neither any nor all")
    answerable = bool(row["answerable"])
    evidence = row["evidence"] if answerable else ()
    return Case(
        str(row["id"]),
        asked.text,
        asked.history,
        asked.date,
        answerable,
        row["unanswerable_kind"],
        meta.get("kind"),
        tuple(map(str, row["answers"])),
        row.get("answer_type") != "long",
        _gold(evidence, articles, texts),
        row.get("evidence_kind"),
        row["evidence_mode"],
        tuple(f"{name}.txt" for name in row.get("article_ids") or ()) if answerable else (),
        meta.get("has_entity") is False,
    )


def _claim(row: dict[str, Any], articles: Path, texts: dict[str, str]) -> Case:
    claim = read_question({"question": row["claim"]}).text
    path = f"{row['article_id']}.txt"
    if path not in texts:
        texts[path] = read_text(articles / path)
    gold = (row.get("supporting_sets") or [()])[0]  # one of several that would do
    return Case(
        str(row["id"]),
        claim,
        None,
        None,
        row["label"] == "supported",
        None,
        str(row["label"]),
        (),
        False,
        _gold(gold, articles, texts),
        None,
        "all",
        (path,),
    )


def _gold(items: Any, articles: Path, texts: dict[str, str]) -> tuple[Span, ...]:
    gold = []
    for item in items:
        path = f"{item['article_id']}.txt"
        if path not in texts:
            texts[path] = read_text(articles / path)
        if not item["text"] or texts[path][item["start"] : item["end"]] != item["text"]:
            raise ValueError(f"its evidence does not stand at {path} {item['start']}–{item['end']}")
        gold.append(Span(path, item["start"], item["end"]))
    return tuple(gold)


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
