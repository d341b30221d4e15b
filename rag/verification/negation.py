"""What the claim denies its sources deny, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.text.negation import NEGATION, cached_terms, polarity
from rag.text.terms import content_terms
from rag.verification.problem import Problem

_VERB = re.compile("(?:reject|refus|den)", re.IGNORECASE)


def _repeats(claim: str, sources: Sequence[str]) -> bool:
    """Return whether all that denies in the claim are verbs that its sources have, too:
    "rejected by the Senate", "the Senate …, rejecting it".
    """
    cues = [match[0] for match in NEGATION.finditer(claim)]
    source_terms = {term for source in sources for term in cached_terms(source)}
    return all(_VERB.match(cue) and set(content_terms(cue)) <= source_terms for cue in cues)


def negation_problems(claim: str, sources: Sequence[str]) -> Iterator[Problem]:
    """Yield what a claim denies and its sources do not, or the other way round."""
    claim_polarity = polarity(claim)
    source_polarities = [polarity(source) for source in sources]
    inside = {term for source in source_polarities for term in source.inside}
    outside = {term for source in source_polarities for term in source.outside}
    heads = {
        term
        for source in source_polarities
        for term in (source.firsts if claim_polarity.inside else source.heads)
    }
    denies = bool(claim_polarity.inside & outside) and not claim_polarity.inside & inside
    denies = denies or bool((claim_polarity.firsts & outside) - inside)
    denies = denies and not _repeats(claim, sources)
    if denies or (claim_polarity.inside and not inside and not _repeats(claim, sources)):
        yield Problem("negation", "not")
    elif wrong := claim_polarity.outside & (heads - outside):
        # The claim says plainly what its source denies.
        yield Problem("negation", " ".join(sorted(wrong)))
