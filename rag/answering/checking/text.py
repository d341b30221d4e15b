"""A person's own text → each sentence with what the articles say of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from rag.config import Config
from rag.index.index import Index
from rag.models.encoder import Encoder
from rag.retrieval.ranking import evidence_of
from rag.retrieval.search import find
from rag.text.injection import addresses_model
from rag.text.sentences import split
from rag.types import CheckedSentence, CheckedText, Citation, Evidence
from rag.verification.check import Judgement, Source, judge, why_not_checkable
from rag.verification.verifiers import Verifier

LONGEST = 100_000  # characters of a text
TRIED = 10  # best sentences that one may rest on
BEFORE = 2  # sentences before one


def check_text(
    text: str, index: Index, encoder: Encoder, config: Config, verifier: Verifier
) -> CheckedText:
    """Return each sentence of the text with the sentence that says it, denies it or is near."""
    if not text.strip() or len(text) > LONGEST:
        reason = f"It is longer than {LONGEST:,} characters." if text.strip() else "It is empty."
        return CheckedText((CheckedSentence("", 0, 0, "not_checkable", 0.0, reason=reason),))
    text = text.encode("utf-8", "replace").decode()  # half a character is one "?"
    return CheckedText(
        tuple(
            check_claim(
                text[place.start : place.end], index, encoder, config, verifier, place.start
            )
            for place in split(text)
        )
    )


def check_claim(
    claim: str,
    index: Index,
    encoder: Encoder,
    config: Config,
    verifier: Verifier,
    start: int = 0,
) -> CheckedSentence:
    """Return what the articles say of one claim; ``start``: where it stands in its text."""
    claim = claim.encode("utf-8", "replace").decode()
    evidence: list[Evidence] = []
    if not index.empty and not why_not_checkable(claim):
        best = find(" ".join(claim.split()), (), index, encoder, config).best[:TRIED]
        evidence = [e for e in map(evidence_of, best) if not addresses_model(e.quote)]
    sources = [Source(e.quote, _before(index, e)) for e in evidence]
    found = judge(claim, sources, verifier, index.lexical.idf)
    return _checked(claim, start, found, evidence)


def check_against(
    claim: str, texts: Sequence[str], verifier: Verifier, title: str = ""
) -> CheckedSentence:
    """Return what these texts say of a claim. The title is shown, and proves nothing."""
    claim = claim.encode("utf-8", "replace").decode()
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    evidence: list[Evidence] = []
    sources: list[Source] = []
    for n, text in enumerate(texts, 1):
        before: list[str] = []
        for place in split(text):
            quote = text[place.start : place.end]
            evidence.append(
                Evidence(f"sources/{n}", title, None, place.start, place.end, quote, 0.0)
            )
            sources.append(Source(quote, before[: -BEFORE - 1 : -1]))
            before.append(quote)
    return _checked(claim, 0, judge(claim, sources, verifier, lambda _term: 1.0), evidence)


def _before(index: Index, evidence: Evidence) -> list[str]:
    text = index.article(evidence.article).text
    places = index.sentences_before(evidence.article, evidence.start)
    return [text[place.start : place.end] for place in islice(places, BEFORE)]


def _checked(
    claim: str, start: int, found: Judgement, evidence: Sequence[Evidence]
) -> CheckedSentence:
    citations: tuple[Citation, ...] = ()
    if found.source is not None:
        e = evidence[found.source]
        of = e.article, e.title, e.published, e.start, e.end, e.quote
        citations = (Citation(1, *of, found.support, e.also_in, e.page, e.url),)
    of_claim = claim, start, start + len(claim), found.verdict, found.support
    return CheckedSentence(*of_claim, citations, found.differs, found.reason)
