"""What a text denies: the terms in the scope of its negations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from rag.text.terms import content_terms

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
SCOPE_CHARACTERS = 200  # characters, so that the time is linear in a text of nothing but "not"
_UNTIL = re.compile(r"\b(?:not|never|cannot|\w+n[’']t)\b([^.,;]{1,200}?)\buntil\b", re.IGNORECASE)
MOST_NEGATIONS = 40  # negations of a text that are looked at
SCOPE_TERMS = 6  # content terms after a negation word that it can be about


@dataclass(frozen=True, slots=True)
class Polarity:
    """The content terms of a text that are in the scope of a negation."""

    inside: frozenset[str]


@lru_cache(maxsize=256)
def polarity(text: str) -> Polarity:
    """Return what a text negates.

    The scope of a negation word goes on to the end of its clause (after Chapman et al. 2001,
    "A simple algorithm for identifying negated findings", who cut it by a word list).
    """
    plain = NOT_ONLY.sub(lambda match: " " * len(match[0]), text)
    inside: set[str] = set()
    for match in _UNTIL.finditer(plain):  # "not until Monday": then it is
        inside.update(content_terms(match[1]))
    for match in islice(NEGATION.finditer(plain), MOST_NEGATIONS):
        start = match.end()
        if quote := _QUOTE.match(plain, start):
            start = quote.end()
        end = CLAUSE_END.search(plain, start, start + SCOPE_CHARACTERS)
        end_of_scope = min(end.start() if end else len(plain), start + SCOPE_CHARACTERS)
        inside.update(content_terms(plain[start:end_of_scope])[:SCOPE_TERMS])
    return Polarity(frozenset(inside))
