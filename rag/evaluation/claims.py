"""Claims against their article: what the verifier says, next to what people said."""

from __future__ import annotations

import time
from typing import Any

from rag.answering.cite import UNKNOWN, term_weights
from rag.evaluation.cases import Case
from rag.text.terms import content_terms
from rag.types import Evidence
from rag.verification.verifiers import Verifier

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
    """The numbers of a row of ``search`` for a claim. Terms weigh as they do in an answer."""
    begun = time.perf_counter()
    found = own_sentences(case, row)
    known = term_weights(found)
    weights = {term: known.get(term, UNKNOWN) for term in content_terms(case.question)}
    sources = found[:SENTENCES]
    title = sources[0].title if sources else ""
    check = verifier.check(case.question, [source.quote for source in sources], title, weights)
    passed = int(check.passed)
    return {
        "supported": int(case.answerable),
        "support": check.support,
        "passed": passed,
        "supported_passed": passed if case.answerable else None,
        "unsupported_passed": None if case.answerable else passed,
        "found": len(sources),
        "verify_ms": 1000 * (time.perf_counter() - begun),
    }
