"""The worst errors of an evaluation: those that it was surest of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path

from rag.evaluation.cases import Case, PartName, read_text
from rag.evaluation.metrics import Span
from rag.evaluation.run import Evaluation
from rag.evaluation.scores import SENTENCES, Row, own_sentences, span_of

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


# Errors of an evaluation as HTML, each with its evidence in its article. All texts are escaped.

AROUND = 180  # characters of context beside a sentence
LONGEST = 900  # characters of an excerpt
GOLD_SHOWN = 2
_SPACES = re.compile(r"\s+")


def errors_html(mistakes: Sequence[Mistake], articles: Path) -> str:
    """Return the list of the errors; empty when there are none."""
    if not mistakes:
        return ""
    legend = (
        '<p class="legend"><span><mark>Known evidence</mark></span>'
        "<span><span>What was cited or found</span></span></p>"
    )
    items = "".join(f"<li>{_error(mistake, articles)}</li>" for mistake in mistakes)
    return f'{legend}<ol class="errors">{items}</ol>'


def _error(mistake: Mistake, articles: Path) -> str:
    case = mistake.case
    rows = [("Known", escape(mistake.known))] if mistake.known else []
    rows += [("Said", escape(mistake.said))] if mistake.said else []
    excerpts = [_excerpt(span, mistake.shown, case.gold, articles) for span in mistake.shown]
    rows += [(mistake.shown_as, "".join(excerpts))] if excerpts else []
    missed = [gold for gold in case.gold if not any(_beside(gold, at) for at in mistake.shown)]
    if missed:
        found = [_excerpt(gold, (), case.gold, articles) for gold in missed[:GOLD_SHOWN]]
        rows.append(("It stands in", "".join(found)))
    facts = "".join(f"<dt>{name}</dt><dd dir='auto'>{html}</dd>" for name, html in rows)
    return (
        f"<div class='what'><strong>{escape(mistake.what)}</strong>"
        f"<span>confidence {mistake.confidence:.2f}<br>{escape(case.id)}</span></div>"
        f"<div><h3 dir='auto'>{escape(case.question)}</h3><dl>{facts}</dl></div>"
    )


def _beside(gold: Span, shown: Span) -> bool:
    """Whether it is seen in the excerpt around the other."""
    near = shown.start - AROUND <= gold.start and gold.end <= shown.end + AROUND
    return gold.article == shown.article and near


def _excerpt(around: Span, cited: Sequence[Span], gold: Sequence[Span], articles: Path) -> str:
    """The place in its article: what was cited underlined, the known evidence marked."""
    file = articles / around.article
    if not file.is_file():
        return f"<blockquote>{escape(around.article)} is not here any more.</blockquote>"
    text = read_text(file)
    start, end = _whole_words(text, around.start - AROUND, around.end + AROUND)
    places = [(span, "cited") for span in cited] + [(span, "gold") for span in gold]
    inside = [
        (max(span.start, start), min(span.end, end), kind)
        for span, kind in places
        if span.article == around.article and span.start < end and start < span.end
    ]
    cuts = sorted({start, end, *(at for a, b, _ in inside for at in (a, b))})
    body = "".join(
        _styled(text[a:b], {kind for x, y, kind in inside if x <= a and b <= y})
        for a, b in pairwise(cuts)
    )
    before, after = "…" if start else "", "…" if end < len(text) else ""
    title = text.partition("\n")[0].strip()[:100] or around.article
    return f"<blockquote>{before}{body}{after}<cite>{escape(title)}</cite></blockquote>"


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    start = max(0, start)
    start = text.rfind(" ", 0, start) + 1 if start else 0
    last = text.find(" ", min(end, start + LONGEST))
    return start, len(text) if last < 0 else last


def _styled(text: str, kinds: set[str]) -> str:
    html = escape(_SPACES.sub(" ", text))
    html = f"<span class='cited'>{html}</span>" if "cited" in kinds else html
    return f"<mark>{html}</mark>" if "gold" in kinds else html
