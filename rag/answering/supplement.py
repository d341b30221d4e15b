"""What is added when the claims of an answer are done: what other articles say instead, and the
corrections inside the articles that it cites.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import partial

from rag.answering.cite import Citer
from rag.answering.collection import as_evidence
from rag.answering.corrections import concerns, corrections
from rag.answering.disagreement import Value, disagreeing
from rag.index.index import Index
from rag.types import Citation, Claim, ClaimVerified, Evidence


def supplement(citer: Citer, index: Index) -> Generator[ClaimVerified, None, tuple[str, ...]]:
    """Yield the further quotations that the claims of an answer need; return the notes on them.

    Afterwards they stand in ``citer.claims`` where they belong: of two values the newer first, a
    correction after the claim that it concerns.
    """
    note = None
    for claim in tuple(citer.claims):
        if note is None and (found := _disagreeing(citer, claim)):
            _put(citer, (yield from _quoted(citer, [place for _, place in found])))
            note = f"The articles disagree: {'; '.join(_told(v, p, index) for v, p in found)}."
    for claim in tuple(citer.claims):
        if corrected := _concerning(citer, claim, index):
            _put(citer, [claim, *(yield from _quoted(citer, corrected))])
    return () if note is None else (note,)


def _disagreeing(citer: Citer, claim: Claim) -> list[tuple[Value, Evidence | Citation]]:
    cited = _cited(citer, claim)
    return disagreeing(citer.question, claim.text, cited[0], citer.evidence) if cited else []


def _cited(citer: Citer, claim: Claim) -> list[Citation]:
    return [c for c in citer.citations.values() if c.number in claim.citations]


def _quoted(
    citer: Citer, places: Sequence[Evidence | Citation]
) -> Generator[ClaimVerified, None, list[Claim]]:
    """Return the claims that rest on these sentences; those that have none yet are quoted."""
    claims: list[Claim] = []
    for place in places:
        claim = _resting_on(citer, place)
        if claim is None and isinstance(place, Evidence) and (event := citer.quote(place)):
            yield event
            claim = event.claim
        if claim is not None and claim not in claims:
            claims.append(claim)
    return claims


def _resting_on(citer: Citer, place: Evidence | Citation) -> Claim | None:
    citation = citer.citations.get((place.article, place.start, place.end))
    return next((c for c in citer.claims if citation and citation.number == c.citations[0]), None)


def _put(citer: Citer, together: list[Claim]) -> None:
    """Put claims one after the other, at the place of the first one in the answer."""
    at = min(citer.claims.index(claim) for claim in together)
    rest = [claim for claim in citer.claims if claim not in together]
    citer.claims[:] = [*rest[:at], *together, *rest[at:]]


def _told(value: Value, place: Evidence | Citation, index: Index) -> str:
    origin = ", ".join(
        part for part in (place.published, index.article(place.article).source) if part
    )
    return f"{place.title}{f' ({origin})' if origin else ''} says “{value.written}”"


def _concerning(citer: Citer, claim: Claim, index: Index) -> list[Evidence]:
    """Return the sentences of the corrections that concern a claim, without those it cites."""
    found: list[Evidence] = []
    for citation in _cited(citer, claim):
        article = index.article(citation.article)
        said = f"{claim.text}\n{citation.quote}"
        for note in corrections(article.text, partial(index.sentences_from, article.path)):
            text = article.text[note[0].start : note[-1].end]
            within = any(s.start < citation.end and citation.start < s.end for s in note)
            if not within and concerns(text, said):
                found += [as_evidence(article, sentence) for sentence in note]
    return found
