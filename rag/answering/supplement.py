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
        if note is None and (readings := _other_values(citer, claim)):
            _bring_together(
                citer, (yield from _quotations(citer, [sentence for _, sentence in readings]))
            )
            note = (
                f"The articles disagree: {'; '.join(_reading(v, p, index) for v, p in readings)}."
            )
    for claim in tuple(citer.claims):
        if corrected := _corrections_of(citer, claim, index):
            _bring_together(citer, [claim, *(yield from _quotations(citer, corrected))])
    return () if note is None else (note,)


def _other_values(citer: Citer, claim: Claim) -> list[tuple[Value, Evidence | Citation]]:
    cited = _cited(citer, claim)
    return disagreeing(citer.question, claim.text, cited[0], citer.evidence) if cited else []


def _cited(citer: Citer, claim: Claim) -> list[Citation]:
    return [c for c in citer.citations.values() if c.number in claim.citations]


def _quotations(
    citer: Citer, sentences: Sequence[Evidence | Citation]
) -> Generator[ClaimVerified, None, list[Claim]]:
    """Return the claims that rest on these sentences; those that have none yet are quoted."""
    claims: list[Claim] = []
    for sentence in sentences:
        citation = citer.citations.get((sentence.article, sentence.start, sentence.end))
        resting = (c for c in citer.claims if citation and citation.number == c.citations[0])
        claim = next(resting, None)
        if claim is None and isinstance(sentence, Evidence) and (event := citer.quote(sentence)):
            yield event
            claim = event.claim
        if claim is not None and claim not in claims:
            claims.append(claim)
    return claims


def _bring_together(citer: Citer, group: list[Claim]) -> None:
    """Put claims one after the other, at the place of the first one in the answer."""
    position = min(citer.claims.index(claim) for claim in group)
    rest = [claim for claim in citer.claims if claim not in group]
    citer.claims[:] = [*rest[:position], *group, *rest[position:]]


def _reading(value: Value, sentence: Evidence | Citation, index: Index) -> str:
    origin = ", ".join(
        part for part in (sentence.published, index.article(sentence.article).source) if part
    )
    return f"{sentence.title}{f' ({origin})' if origin else ''} says “{value.written}”"


def _corrections_of(citer: Citer, claim: Claim, index: Index) -> list[Evidence]:
    """Return the sentences of the corrections that concern a claim, without those it cites."""
    sentences: list[Evidence] = []
    for citation in _cited(citer, claim):
        article = index.article(citation.article)
        claim_text = f"{claim.text}\n{citation.quote}"
        for note in corrections(article.text, partial(index.sentences_from, article.path)):
            text = article.text[note[0].start : note[-1].end]
            within = any(s.start < citation.end and citation.start < s.end for s in note)
            if not within and concerns(text, claim_text):
                sentences += [as_evidence(article, sentence) for sentence in note]
    return sentences
