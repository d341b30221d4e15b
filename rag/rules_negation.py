"""Negation: what the claim denies its sources deny, and the other way round."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from rag.problem import Problem
from rag.terms import content_terms

NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|\w+n[’']t|den(?:y|ied|ies)|"
    r"refus(?:e|ed|es|ing)|fail(?:ed|s)? to|rul(?:e|ed|es|ing) out|unable|unlikely|"
    r"reject(?:ed|s|ing)?)\b(?![^.,;]*\buntil\b)",
    re.IGNORECASE,
)
NOT_ONLY = re.compile(r"\bnot (?:only|just|least)\b|\bno (?:less|more) than\b", re.IGNORECASE)
CLAUSE_END = re.compile(
    r"[,;:.!?](?!\d)|[—–()\"“”]|"
    r"\b(?:but|although|however|while|whereas|and (?:then|an?|the|no|not|is|are|was|were|"
    r"has|have|had|will|went|left|said|\w+ed))\b"
)


_QUOTE = re.compile(r"\s?[\"“”]")  # "did not “sign”": what is quoted is negated, too
REACH = 200  # characters, so that the time is linear in a text of nothing but "not"
_UNTIL = re.compile(r"\b(?:not|never|cannot|\w+n[’']t)\b([^.,;]{1,200}?)\buntil\b", re.IGNORECASE)
MOST = 40  # negations of a text that are looked at
SCOPE = 6  # content terms after a negation word that it can be about


@dataclass(frozen=True, slots=True)
class Polarity:
    """The content terms of a text by whether they are negated."""

    inside: frozenset[str]  # in the scope of a negation
    outside: frozenset[str]
    firsts: frozenset[str]  # the first one after each negation: what is negated for certain
    heads: frozenset[str]  # the first two, numbers left out


@lru_cache(maxsize=256)
def cached_terms(text: str) -> tuple[str, ...]:
    """Return ``content_terms``; several rules ask for those of the same text."""
    return tuple(content_terms(text))


@lru_cache(maxsize=256)
def polarity(text: str) -> Polarity:
    """Sort the content terms of a text.

    The scope of a negation word goes on to the end of its clause (after Chapman et al. 2001,
    "A simple algorithm for identifying negated findings", who cut it by a word list).
    """
    plain = NOT_ONLY.sub(lambda match: " " * len(match[0]), text)
    inside: set[str] = set()
    outside = set(cached_terms(text))
    firsts: set[str] = set()
    heads: set[str] = set()
    for match in _UNTIL.finditer(plain):  # "not until Monday": then it is
        inside.update(content_terms(match[1]))
    for match in islice(NEGATION.finditer(plain), MOST):
        start = match.end()
        if quote := _QUOTE.match(plain, start):
            start = quote.end()
        end = CLAUSE_END.search(plain, start, start + REACH)
        end_of_scope = min(end.start() if end else len(plain), start + REACH)
        after = content_terms(plain[start:end_of_scope])[:SCOPE]
        inside.update(after)
        firsts.update(after[:1])
        heads.update(term for term in after[:2] if not term[0].isdigit())
        outside -= {*after, *content_terms(match[0])}
    return Polarity(frozenset(inside), frozenset(outside), frozenset(firsts), frozenset(heads))


_VERB = re.compile("(?:reject|refus|den)", re.IGNORECASE)


def _repeats(claim: str, sources: Sequence[str]) -> bool:
    """Return whether all that denies in the claim are verbs that its sources have, too:
    "rejected by the Senate", "the Senate …, rejecting it".
    """
    cues = [match[0] for match in NEGATION.finditer(claim)]
    held = {term for source in sources for term in cached_terms(source)}
    return all(_VERB.match(cue) and set(content_terms(cue)) <= held for cue in cues)


def negation_problems(claim: str, sources: Sequence[str]) -> Iterator[Problem]:
    """Yield what a claim denies and its sources do not, or the other way round."""
    said = polarity(claim)
    found = [polarity(source) for source in sources]
    inside = {term for source in found for term in source.inside}
    outside = {term for source in found for term in source.outside}
    heads = {term for source in found for term in (source.firsts if said.inside else source.heads)}
    denies = bool(said.inside & outside) and not said.inside & inside
    denies = denies or bool((said.firsts & outside) - inside)
    denies = denies and not _repeats(claim, sources)
    if denies or (said.inside and not inside and not _repeats(claim, sources)):
        yield Problem("negation", "not")
    elif wrong := said.outside & (heads - outside):
        # The claim says plainly what its source denies.
        yield Problem("negation", " ".join(sorted(wrong)))
