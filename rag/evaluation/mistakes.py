"""The worst errors of an evaluation: those that it was surest of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rag.evaluation.cases import Case, PartName, read_text
from rag.evaluation.metrics import Span
from rag.evaluation.run import Evaluation
from rag.evaluation.scores import SENTENCES, Row, own_sentences, span_of

MOST_MISTAKES = 10
SHOWN_SENTENCES = 3  # sentences of a search


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


def worst(done: Evaluation, most: int = MOST_MISTAKES) -> list[Mistake]:
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
        shown = tuple(span_of(item) for item in row.get("evidence", ())[:SHOWN_SENTENCES])
        what = "Not among the first ten sentences"
        yield Mistake(what, numbers["confidence"], case, _known(case), "", shown, "Found")


def _known(case: Case) -> str:
    return " · ".join(case.answers[:3]) if case.answerable else "The articles do not say."


_FIND: dict[PartName, Callable[[Case, Row, Row], Iterator[Mistake]]] = {
    "answers": _of_answers,
    "claims": _of_claims,
    "retrieval": _of_search,
}


# The places of an error in their articles.

AROUND = 180  # characters of context beside a sentence
EXCERPT_CHARACTERS = 900  # characters of an excerpt
GOLD_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A place in its article, cut where the styles of the text change."""

    article: str
    title: str = ""
    pieces: tuple[tuple[str, bool, bool], ...] = ()  # text, whether cited, whether known evidence
    cut_before: bool = False
    cut_after: bool = False


def excerpts(mistake: Mistake, articles: Path) -> tuple[list[Excerpt], list[Excerpt]]:
    """Return what the error shows, and the known evidence that is not seen in that. One without
    pieces is of an article that is not here any more.
    """
    gold = mistake.case.gold
    shown = [_excerpt(span, mistake.shown, gold, articles) for span in mistake.shown]
    missed = [span for span in gold if not any(_is_beside(span, at) for at in mistake.shown)]
    return shown, [_excerpt(span, (), gold, articles) for span in missed[:GOLD_SHOWN]]


def _is_beside(gold: Span, shown: Span) -> bool:
    """Whether it is seen in the excerpt around the other."""
    near = shown.start - AROUND <= gold.start and gold.end <= shown.end + AROUND
    return gold.article == shown.article and near


def _excerpt(around: Span, cited: Sequence[Span], gold: Sequence[Span], articles: Path) -> Excerpt:
    file = articles / around.article
    if not file.is_file():
        return Excerpt(around.article)
    text = read_text(file)
    start, end = _whole_words(text, around.start - AROUND, around.end + AROUND)
    inside = [
        (max(span.start, start), min(span.end, end), is_gold)
        for spans, is_gold in ((cited, False), (gold, True))
        for span in spans
        if span.article == around.article and span.start < end and start < span.end
    ]
    cuts = sorted({start, end, *(at for a, b, _ in inside for at in (a, b))})
    pieces = []
    for a, b in pairwise(cuts):
        kinds = {is_gold for x, y, is_gold in inside if x <= a and b <= y}
        pieces.append((re.sub(r"\s+", " ", text[a:b]), False in kinds, True in kinds))
    title = text.partition("\n")[0].strip()[:100] or around.article
    return Excerpt(around.article, title, tuple(pieces), start > 0, end < len(text))


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    start = max(0, start)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    last = text.find(" ", min(end, start + EXCERPT_CHARACTERS))
    return start, len(text) if last < 0 else last
