"""Modality and attribution: what may be, or what somebody fears, claims or denies, is not a fact.

Words like "said", "told", "announced" and "according to" are weak: an answer may leave them out,
as readers do with officials' statements in the news. Warned, denied, claimed, alleged, suspected,
feared, predicted, expected, proposed, threatened and the like may not be left out, nor may "may".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from rag.text.negation import CLAUSE_END, NEGATION, cached_terms
from rag.text.terms import content_terms
from rag.verification.problem import Problem

# The first content term after one of these is what is not certain.
MODAL = re.compile(
    r"\b(?:(?:may|might|could(?! not\b))(?! \d|, \d)|possibly|perhaps|maybe|probably|presumably|"
    r"potentially|apparently|(?:most |very )?likely(?: to)?|reportedly|allegedly|supposedly|"
    r"(?:alleged|suspected|proposed|planned)(?! (?:that|the|an?|to|his|her|its|their|it|he|she)\b)|"
    r"possible|potential|would-be|rumou?red|"
    r"(?:expected|believed|thought|feared|suspected|alleged|said|scheduled|projected|forecast|"
    r"rumou?red|predicted|estimated|considered|assumed|poised|set|due|threatening|threatens?|"
    r"threatened|plans?|planned|planning|hopes?|hoped|hoping|aims?|intends?|seeks?|wants|wanted|"
    r"expects?|appears?|appeared|seems?|seemed|considering|weighing) (?:to|it to|that it may)|"
    r"considering|weighing)\b",
    re.IGNORECASE,
)
# The month is no verb, and "could" of the past with "not" is no possibility.
_MAY = re.compile(r"(?<!^)(?<![.!?“\"] )\bMay\b")
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
    r"(?:,? (?:\w+ ){0,4}?(?P<that>that)\b|,? (?:\w+ ){0,2}?(?:of|it|there|he|she|they|the|his|her|"
    r"its|their|an?)\b| [A-Z])"
)
CERTAIN = re.compile(
    r"\b(?:certainly|definitely|undoubtedly|surely|unquestionably|conclusively|indisputably|"
    r"inevitably|confirm(?:s|ed)|prove[sdn] that|verified|for (?:sure|certain)|"
    r"without (?:a )?doubt|no doubt)\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:if|whether|unless|question(?:s|ed)?|ask(?:s|ed)?|call(?:s|ed)? "
    r"for|urg(?:es|ed|e)|say|says|said|according)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(
    r"(?<=\w\w)[.!?][\"”)]?\s|[\n;]|\b(?:but|although|however|while|whereas)\b"
)
_RELATIVE = re.compile(r"\b(?:who|which)\b")


MOST_CUES = 40  # such words of a text that are looked at
NEAR_CHARACTERS = 100  # characters before a modal word in which its subject stands
SCOPE_CHARACTERS = 300  # characters that a word can govern, so that the time is linear


@dataclass(frozen=True, slots=True)
class Certainty:
    """The content terms of a text by how certain they are."""

    terms: tuple[str, ...]  # in order
    certain: frozenset[str]  # outside of the scope of every modal word
    plain: frozenset[str]  # outside of what a strong word governs
    # A modal word, the first term after it, and what else stands near it.
    heads: tuple[tuple[str, str, frozenset[str]], ...]
    complements: tuple[tuple[str, tuple[str, ...]], ...]  # a strong word, and what it governs


# Stems of verbs that end like those of adverbs: "may easily apply".
_VERBS = frozenset("appli suppli repli impli compli reli fli multipli ralli alli famili".split())
Spans = list[tuple[int, int]]


@lru_cache(maxsize=256)
def certainty(text: str) -> Certainty:
    """Sort the content terms of a text."""
    heads, complements = [], []
    modal: Spans = []
    governed: Spans = []
    for match in islice(MODAL.finditer(text), MOST_CUES):
        if match[0] == "May" and _MAY.match(text, match.start()):
            continue
        if _is_denied(text, match.start()):
            continue  # who denies that they plan it will not do it
        end = _end(CLAUSE_END, text, match.end())
        after = content_terms(text[match.end() : end])
        head = next((term for term in after if not term.endswith("li") or term in _VERBS), None)
        if head:
            near = content_terms(
                text[max(0, match.start() - NEAR_CHARACTERS) : end + NEAR_CHARACTERS]
            )
            heads.append((match[0], head, frozenset(near) - {head}))
            modal.append((match.end(), end))
    for match in islice(STRONG.finditer(text), MOST_CUES):
        span = _complement(text, match)
        if scope := tuple(content_terms(text[slice(*span)])):
            complements.append((match[0], scope))
            governed.append(span)
    terms = cached_terms(text)
    return Certainty(
        terms,
        _outside(terms, text, modal),
        _outside(terms, text, governed),
        tuple(heads),
        tuple(complements),
    )


_DENIED = re.compile(
    r"\b(?:den(?:y|ied|ies|ying)|reject(?:s|ed)|rul(?:es|ed|ing) out)\b", re.IGNORECASE
)


def _is_denied(text: str, start: int) -> bool:
    """Return whether a word at ``start`` stands in the scope of a denial."""
    lowest = max(0, start - NEAR_CHARACTERS)
    return any(
        not CLAUSE_END.search(text, match.end(), start)
        for match in _DENIED.finditer(text, lowest, start)
    )


def _outside(terms: Sequence[str], text: str, spans: Spans) -> frozenset[str]:
    """Return the terms that (also) stand outside of all spans."""
    if not spans:
        return frozenset(terms)
    inside: Counter[str] = Counter()
    reached = 0
    for start, end in sorted(spans):
        inside.update(content_terms(text[max(start, reached) : max(end, reached)]))
        reached = max(end, reached)
    return frozenset(term for term, n in Counter(terms).items() if n > inside[term])


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    limit = min(len(text), start + SCOPE_CHARACTERS)
    match = pattern.search(text, start, limit)
    return match.start() if match else limit


def _complement(text: str, match: re.Match[str]) -> tuple[int, int]:
    """Return where what a strong word governs stands: what stands after it, or, at the end of a
    sentence, the sentence before it ("…, he warned.").
    """
    if clause := _THAT.match(text, match.end()):
        start = max(text.rfind(". ", 0, match.start()), match.start() - SCOPE_CHARACTERS, 0)
        whole = clause["that"] and not _RELATIVE.search(text, start, match.start())
        end = _SENTENCE_END if whole else CLAUSE_END
        return match.end(), _end(end, text, clause.end())
    if text[match.end() : match.end() + 1] in {".", ""}:
        lowest = max(0, match.start() - SCOPE_CHARACTERS)
        start = max(text.rfind(end, lowest, match.start()) for end in (". ", "\n")) + 1
        start = max(start, lowest)
        comma = text.rfind(",", start, match.start())
        if comma > start:
            return start, comma
    return 0, 0


def modality_problems(claim: str, sources: Sequence[str]) -> Iterator[Problem]:
    """Yield what the claim says plainly, or for certain, and its sources do not."""
    claim_terms = certainty(claim)
    source_terms = [certainty(source) for source in sources]
    certain = {term for source in source_terms for term in source.certain}
    for source in source_terms:
        for cue, head, near in source.heads:
            if (
                head in claim_terms.certain
                and head not in certain
                and near & set(claim_terms.terms)
            ):
                yield Problem("modality", cue)
                return
    if (match := CERTAIN.search(claim)) and not any(CERTAIN.search(s) for s in sources):
        yield Problem("modality", match[0])
    elif not _HEDGE.search(claim):
        yield from _complement_problems(
            claim_terms, source_terms, denies=bool(NEGATION.search(claim))
        )


_DENIAL = re.compile("den|doubt", re.IGNORECASE)


def _complement_problems(
    claim: Certainty, sources: Sequence[Certainty], *, denies: bool
) -> Iterator[Problem]:
    asserted = claim.certain & claim.plain
    for source in sources:
        others = {term for other in sources if other is not source for term in other.plain}
        for cue, scope in source.complements:
            if denies and _DENIAL.match(cue):
                continue  # the rule of negation's business
            if claim.heads and 2 * len(claim.certain) <= len(set(claim.terms)):
                continue  # the claim says itself that it may be
            inside = asserted & (set(scope) - source.plain - others)
            outside = asserted & (source.plain - set(scope))
            opens = claim.terms[:3] == scope[:3] and not set(scope[:3]) & others
            if len(inside) >= 2 and (len(inside) > 2 * len(outside) or opens):
                yield Problem("attribution", cue)
                return
