"""The worst errors of an evaluation: those that it was surest of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rag.evaluation.cases import Case, PartName
from rag.evaluation.claims import SENTENCES, own_sentences
from rag.evaluation.metrics import Span
from rag.evaluation.run import Evaluation
from rag.evaluation.scores import Row, span_of

MOST = 10
SHOWN = 3  # sentences of a search


@dataclass(frozen=True, slots=True)
class Mistake:
    """One error: what was asked, said and shown, and what is known."""

    what: str
    confidence: float  # of the answer; of a claim the support
    case: Case
    known: str  # the answer, or a claim's label
    said: str
    shown: tuple[Span, ...]
    shown_as: str  # what the places are to it


def worst(done: Evaluation, most: int = MOST) -> list[Mistake]:
    """The errors of the answers, else of the claims, else of the search, the surest first."""
    for name, find in _FIND.items():
        for part in done.parts:
            if part.name == name:
                table = done.result["parts"][name]["questions"]
                found: list[Mistake] = []
                for n, (case, row) in enumerate(zip(part.cases, done.rows[name], strict=True)):
                    numbers = {column: values[n] for column, values in table.items()}
                    found += find(case, row, numbers)
                return sorted(found, key=lambda mistake: -mistake.confidence)[:most]
    return []


def _of_answers(case: Case, row: Row, numbers: Row) -> Iterator[Mistake]:
    wrong = case.short and numbers["answer_recall"] == 0
    astray = bool(case.gold) and not numbers["hits"]
    if numbers["declined"]:
        what = "Declined, though the articles say it" if case.answerable else ""
    elif not case.answerable:
        what = "Answered, though the articles do not say it"
    elif wrong:
        what = "Wrong, citing another sentence" if astray else "Wrong, citing the right sentence"
    else:
        what = "Cites another sentence than the known one" if astray else ""
    if what and "error" not in row:
        said = row["reason"] or "" if numbers["declined"] else row["answer"]
        cited = row["citations"] or row["evidence"][:1]
        shown = tuple(map(span_of, cited))
        yield Mistake(what, numbers["confidence"], case, _known(case), said, shown, "Cited")


def _of_claims(case: Case, row: Row, numbers: Row) -> Iterator[Mistake]:
    if numbers["passed"] == case.answerable:
        return
    what = (
        "Fails, though it is supported" if case.answerable else "Passes, though it is not supported"
    )
    shown = [Span(e.article, e.start, e.end) for e in own_sentences(case, row)[:SENTENCES]]
    sure = 1 - numbers["support"] if case.answerable else numbers["support"]
    label = (case.kind or "").replace("_", " ").capitalize()
    yield Mistake(what, sure, case, label, "", tuple(shown), "Judged by")


def _of_search(case: Case, row: Row, numbers: Row) -> Iterator[Mistake]:
    if numbers["evidence_recall@10"] == 0:
        shown = tuple(span_of(item) for item in row.get("evidence", ())[:SHOWN])
        what = "Not among the first ten sentences"
        yield Mistake(what, numbers["confidence"], case, _known(case), "", shown, "Found")


def _known(case: Case) -> str:
    return " · ".join(case.answers[:3]) if case.answerable else "The articles do not say."


_FIND: dict[PartName, Callable[[Case, Row, Row], Iterator[Mistake]]] = {
    "answers": _of_answers,
    "claims": _of_claims,
    "retrieval": _of_search,
}
