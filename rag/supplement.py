"""What is added when the claims of an answer are done: what other articles say instead, and the
corrections inside the articles that it cites.
"""

from __future__ import annotations

from collections.abc import Generator

from rag.cite import Citer
from rag.collection import as_evidence
from rag.corrections import concerns, corrections, may_hold
from rag.disagree import Value, disagreeing
from rag.index import Index
from rag.types import Citation, Claim, ClaimVerified, Evidence


def supplement(citer: Citer, index: Index) -> Generator[ClaimVerified, None, tuple[str, ...]]:
    """Yield the further quotations that the claims of an answer need; return the notes on them.

    Afterwards they stand in ``citer.claims`` where they belong: of two values the newer first, a
    correction after the claim that it concerns.
    """
    note = None
    for claim in tuple(citer.claims):
        if note is None and (found := _disagreeing(citer, claim)):
            shown = []
            for _, place in found:
                shown.append((yield from _shown(citer, place)))
            _put(citer, shown)
            note = f"The articles disagree: {'; '.join(_told(v, p, index) for v, p in found)}."
    for claim in tuple(citer.claims):
        quoted = [claim]
        for place in _concerning(citer, claim, index):
            quoted.append((yield from _shown(citer, place)))
        if len(quoted) > 1:
            _put(citer, quoted)
    return () if note is None else (note,)


def _disagreeing(citer: Citer, claim: Claim) -> list[tuple[Value, Evidence | Citation]]:
    cited = _cited(citer, claim)
    return disagreeing(citer.question, claim.text, cited[0], citer.evidence) if cited else []


def _cited(citer: Citer, claim: Claim) -> list[Citation]:
    return [c for c in citer.citations.values() if c.number in claim.citations]


def _shown(
    citer: Citer, place: Evidence | Citation
) -> Generator[ClaimVerified, None, Claim]:
    """Return the claim that rests on a sentence, which is quoted if there is none yet."""
    key = (place.article, place.start, place.end)
    if key in citer.citations:
        number = citer.citations[key].number
        for claim in citer.claims:
            if claim.citations[:1] == (number,):
                return claim
    assert isinstance(place, Evidence)
    if quoted := citer.quote(place):
        yield quoted
    return citer.claims[-1]


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
        if not may_hold(article.text):
            continue
        said = f"{claim.text}\n{citation.quote}"
        for note in corrections(article.text, index.sentences(citation.article)):
            text = article.text[note[0].start : note[-1].end]
            within = any(s.start < citation.end and citation.start < s.end for s in note)
            if not within and concerns(text, said):
                found += [as_evidence(article, sentence) for sentence in note]
    return found
