"""A case and the row that a system gave for it → numbers; None where one does not apply."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from rag.evaluation import metrics
from rag.evaluation.cases import Case
from rag.evaluation.metrics import METRICS, Span
from rag.types import Evidence
from rag.verification.verifiers import Verifier

Row: TypeAlias = dict[str, Any]

CUTOFFS = (1, 3, 5, 10)


def score_retrieval(case: Case, row: Row) -> Row:
    """The numbers of a row of ``search``: passages and evidence against the gold places."""
    numbers: Row = {"confidence": row.get("confidence", 0.0), "answerable": int(case.answerable)}
    for what in ("evidence", "passages"):
        spans = [span_of(item) for item in row.get(what, ())]
        gold = case.gold
        for k in CUTOFFS:
            recall = metrics.recall_at_k(spans, gold, k, case.mode)
            numbers[f"{what}_recall@{k}"] = recall if gold else None
        numbers[f"{what}_mrr@10"] = metrics.reciprocal_rank(spans, gold) if gold else None
        numbers[f"{what}_ndcg@10"] = metrics.ndcg_at_k(spans, gold) if gold else None
    quotes = [item["quote"] for item in row.get("evidence", ())]
    known = case.answers if case.answerable and case.short else ()
    for k in CUTOFFS:
        held = metrics.answer_held_at_k(quotes, known, k)
        numbers[f"answer_in_evidence@{k}"] = held if known else None
    found = [item["article"] for item in row.get("passages", ())]
    for k in CUTOFFS:
        share = metrics.share_found(found, case.articles, k, case.mode)
        numbers[f"articles_recall@{k}"] = share if case.articles else None
    return numbers


def score_answers(case: Case, row: Row, texts: Mapping[str, str]) -> Row:
    """The numbers of a row of ``ask``. One with an error counts as declined, with confidence 0.

    No answer holds all words of a known answer that is long, so there only token F1 says anything.
    """
    declined = bool(row.get("declined", True))
    claims = row.get("claims", ())
    said = " ".join(claim["text"] for claim in claims)
    citations = [(span_of(c), c["quote"]) for c in row.get("citations", ())]
    cited = [span for span, _ in citations]
    right: dict[str, float | None] = {
        name: 0.0 if declined else metric(said, case.answers)
        for name, metric in METRICS.items()
        if case.answerable and case.answers and (case.short or name == "token_f1")
    }
    recall = metrics.citation_recall(cited, case.gold, case.mode) if case.gold else None
    judged = case.gold and not declined
    return {
        "answerable": int(case.answerable),
        "confidence": row.get("confidence", 0.0),
        "declined": int(declined),
        **{name: right.get(name) for name in METRICS},
        "correct": right.get("answer_recall") if case.answerable else 0,  # nothing is right then
        "hits": metrics.citation_hits(cited, case.gold) if judged else None,
        "cited": len(cited) if judged else None,
        "held": _gold_or_answer(case, citations) if judged and case.short else None,
        "citation_recall": recall if judged else None,
        "citation_recall_of_all": recall,
        "citations": len(cited) or None,
        "valid": metrics.valid_pointers(citations, texts),
        "quoted_characters": sum(len(quote) for _, quote in citations),
        "claims": len(claims) or None,
        "uncited": sum(not claim["citations"] for claim in claims),
        "characters": None if declined else len(said),
        "rejected": None if case.answerable else int(declined),
        "falsely_refused": int(declined) if case.answerable else None,
        "total_ms": row.get("timings_ms", {}).get("total"),
    }


def _gold_or_answer(case: Case, citations: Sequence[tuple[Span, str]]) -> int:
    """How many citations are gold or hold a known answer: other sentences may state it, too."""
    return sum(
        metrics.citation_hits([span], case.gold) or int(metrics.answer_recall(quote, case.answers))
        for span, quote in citations
    )


def span_of(item: Row) -> Span:
    """The place of a citation, an evidence sentence or a passage."""
    return Span(item["article"], item["start"], item["end"])


# Claims against their article: what the verifier says, next to what people said.

SENTENCES = 3  # of its own article that a claim is judged against
POOL = 200  # sentences of all articles among which they are looked for


def own_sentences(case: Case, row: dict[str, Any]) -> list[Evidence]:
    """The best found sentences of the claim's own article: what a row of ``search`` has of it."""
    return [
        Evidence(**{**item, "also_in": ()})
        for item in row.get("evidence", ())
        if item["article"] in case.articles
    ]


def judge(case: Case, row: dict[str, Any], verifier: Verifier) -> dict[str, Any]:
    """The numbers of a row of ``search`` for a claim."""
    begun = time.perf_counter()
    sources = own_sentences(case, row)[:SENTENCES]
    checks = [verifier.check(case.question, source.quote) for source in sources]
    passed = int(any(check.passed for check in checks))
    return {
        "supported": int(case.answerable),
        "support": max((check.support for check in checks), default=0.0),
        "passed": passed,
        "supported_passed": passed if case.answerable else None,
        "unsupported_passed": None if case.answerable else passed,
        "found": len(sources),
        "verify_ms": 1000 * (time.perf_counter() - begun),
    }
