"""Modality and attribution: what may be, or what somebody fears, claims or denies, is not a fact.

Words like "said", "told", "announced" and "according to" are weak: an answer may leave them out,
as readers do with officials' statements in the news. Warned, denied, claimed, alleged, suspected,
feared, predicted, expected, proposed, threatened and the like may not be left out, nor may "may".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.problem import Problem
from rag.rules_negation import CLAUSE_END, NEGATION
from rag.terms import content_terms, stem

# The first content term after one of these is what is not certain.
MODAL = re.compile(
    r"\b(?:(?:may|might|could)(?! not\b)(?! \d|, \d)|possibly|perhaps|maybe|probably|presumably|"
    r"potentially|apparently|(?:most |very )?likely(?: to)?|reportedly|allegedly|supposedly|"
    r"alleged|suspected|possible|potential|proposed|planned|would-be|rumou?red|"
    r"(?:expected|believed|thought|feared|suspected|alleged|said|scheduled|projected|forecast|"
    r"rumou?red|predicted|estimated|considered|assumed|poised|set|due|threatening|threatens?|"
    r"threatened|plans?|planned|planning|hopes?|hoped|hoping|aims?|intends?|seeks?|wants?|"
    r"expects?|appears?|appeared|seems?|seemed|considering|weighing) (?:to|it to|that it may)|"
    r"considering|weighing)\b",
    re.IGNORECASE,
)
# The month is no verb, and "could" of the past with "not" is no possibility.
_MONTH = re.compile(r"(?<!^)(?<![.!?“\"] )\bMay\b")
# What they say is a claim of theirs.
STRONG = re.compile(
    r"\b(?:warn(?:s|ed|ing)?|den(?:y|ies|ied|ying)|claim(?:s|ed|ing)?|alleg(?:es|ed|ing|e)|"
    r"accus(?:es|ed|ing|e)|argu(?:es|ed|ing|e)|fear(?:s|ed|ing)?|predict(?:s|ed|ing)?|"
    r"suspect(?:s|ed|ing)?|propos(?:es|ed|ing|e)|threaten(?:s|ed|ing)?|suggest(?:s|ed|ing)?|"
    r"believ(?:es|ed|ing|e)|speculat(?:es|ed|ing|e)|hop(?:es|ed|ing|e)|expect(?:s|ed|ing)?|"
    r"th(?:ink|inks|ought)|doubt(?:s|ed|ing)?|contend(?:s|ed|ing)?|assum(?:es|ed|ing|e)|"
    r"estimat(?:es|ed|ing|e)|forecast(?:s|ed)?|theori[sz](?:es|ed|e)|purport(?:s|ed)?|"
    r"rumou?rs?|accusations?|allegations?|claims)\b"
    r"(?! (?:to have )?(?:the |a |his |her |their |its )?(?:title|victory|lives|life)\b)",
    re.IGNORECASE,
)
_THAT = re.compile(
    r"(?:,? (?:\w+ ){0,4}?(?:that|of|it|there|he|she|they|the|his|her|its|their|a|an|by|for|"
    r"against)\b|(?: [A-Z]))"
)
CERTAIN = re.compile(
    r"\b(?:certainly|definitely|undoubtedly|surely|unquestionably|conclusively|indisputably|"
    r"guaranteed|inevitably|confirm(?:s|ed)|prove[sdn]|established|verified|for (?:sure|certain)|"
    r"without (?:a )?doubt|no doubt)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(r"\b(?:would|should|if|whether|unless|question(?:s|ed)?|ask(?:s|ed)?|call(?:s|ed)? "
                    r"for|urg(?:es|ed|e)|say|says|said|according)\b", re.IGNORECASE)  # fmt: skip
SENTENCE_END = re.compile(r"[.!?]\s|\n|\Z")


@dataclass(frozen=True, slots=True)
class Certainty:
    """The content terms of a text by how certain they are."""

    plain: frozenset[str]  # outside of every modal word's clause and of every strong complement
    heads: tuple[tuple[str, str], ...]  # a modal word, and the first term after it
    complements: tuple[tuple[str, frozenset[str]], ...]  # a strong word, and what stands after it
    hedged: bool  # whether there is any modal or strong word


@lru_cache(maxsize=1024)
def certainty(text: str) -> Certainty:
    """Sort the content terms of a text."""
    heads, complements = [], []
    uncertain: set[str] = set()
    for match in MODAL.finditer(text):
        if match[0] == "May" and _MONTH.match(text, match.start()):
            continue
        after = content_terms(text[match.end() : _clause_end(text, match.end())])
        if after:
            heads.append((match[0], after[0]))
            uncertain.update(after)
    for match in STRONG.finditer(text):
        scope = _complement(text, match)
        if scope:
            complements.append((match[0], frozenset(scope)))
            uncertain.update(scope)
    plain = _counted(text, uncertain, heads, complements)
    return Certainty(plain, tuple(heads), tuple(complements), bool(heads or complements))


def _counted(
    text: str, uncertain: set[str], heads: Sequence[tuple[str, str]],
    complements: Sequence[tuple[str, frozenset[str]]],
) -> frozenset[str]:  # fmt: skip
    # A term that also stands elsewhere, as often as it is not uncertain, is plain too.
    every = content_terms(text)
    often = {term for term in uncertain if every.count(term) > 1 + sum(
        term in scope for _, scope in complements) + sum(term == head for _, head in heads)}  # fmt: skip
    return frozenset(every) - (uncertain - often)


def _clause_end(text: str, start: int) -> int:
    match = CLAUSE_END.search(text, start)
    return match.start() if match else len(text)


def _complement(text: str, match: re.Match[str]) -> list[str]:
    """Return the terms of what a strong word governs: what stands after it, or, at the end of a
    sentence, the sentence before it ("…, he warned.").
    """
    if _THAT.match(text, match.end()):
        return content_terms(text[match.end() : _sentence_end(text, match.end())])
    if text[match.end() : match.end() + 1] in {".", ""}:
        start = max(text.rfind(". ", 0, match.start()), text.rfind("\n", 0, match.start())) + 1
        comma = text.rfind(",", start, match.start())
        if comma > start:
            return content_terms(text[start:comma])
    return []


def _sentence_end(text: str, start: int) -> int:
    match = SENTENCE_END.search(text, start)
    return match.start() if match else len(text)


def modality_problems(claim: str, sources: Sequence[str]) -> Iterator[Problem]:
    """Yield what the claim says plainly, or for certain, and its sources do not."""
    said = certainty(claim)
    found = [certainty(source) for source in sources]
    plain = {term for source in found for term in source.plain}
    for source in found:
        for cue, head in source.heads:
            if head in said.plain and head not in plain and not _denied(claim, head):
                yield Problem("modality", cue)
                return
    if match := CERTAIN.search(claim):
        if not any(stem(match[0].lower()) in content_terms(source) for source in sources):
            yield Problem("modality", match[0])
            return
    if not said.hedged and not _HEDGE.search(claim) and not NEGATION.search(claim):
        yield from _complement_problems(claim, found)


def _denied(claim: str, head: str) -> bool:
    return any(head in content_terms(claim[m.end() :])[:2] for m in NEGATION.finditer(claim))


def _complement_problems(claim: str, found: Sequence[Certainty]) -> Iterator[Problem]:
    terms = set(content_terms(claim))
    for source in found:
        for cue, scope in source.complements:
            own = scope - source.plain
            others = {t for other in found if other is not source for t in other.plain}
            inside = terms & own - others
            outside = terms & source.plain - scope
            if len(inside) >= 2 and len(inside) > 2 * len(outside):
                yield Problem("attribution", cue)
                return
