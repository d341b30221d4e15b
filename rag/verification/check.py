"""Whether sentences say a sentence of a person's own, deny it, come near it, or do neither.

"contradicted" is said only of a sentence with the same tokens in the same order, but for a negation
more or less, or another count of the same thing. Another name or day is no contradiction: both may
be so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.text.language import language_of
from rag.text.terms import TERM, content_terms, wording
from rag.types import TextSpan, TextVerdict
from rag.verification.verifiers import Verifier
from rag.verification.wording import Token, tokens

NEAR = 0.4  # least share of the claim's terms that a near sentence has; by judgement
LONGEST = 1_000  # characters of a sentence
_MARKUP = re.compile(r"<[a-zA-Z/!][^>]*>|^\s*(?:#{1,6}\s|```|\||[-*_=]{3,}\s*$)|\{\{|\{%|<\|")
_OPINION = re.compile(
    r"\b(?:I|we) (?:think|believe|feel|hope|guess|doubt|like|love|hate|prefer)\b"
    r"|\bin (?:my|our) (?:view|opinion)\b|\b(?:should|ought to)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"^\W*(?:he|she|it|they|this|that|these|those|his|her|its|their|i|we|you|my|our|your)\b",
    re.IGNORECASE,
)
_PRONOUN_REASON = "Its pronoun refers to another sentence: write the name."
# Both with and without "not", or with another number, may be so.
_LOOSE = frozenset(
    "some many most few several all every each any both none no often sometimes usually always "
    "may might could can a an one another least more than less over under about nearly almost "
    "around roughly only just if when because until unless or".split()
)


@dataclass(frozen=True, slots=True)
class Source:
    """A sentence that a claim may rest on."""

    text: str
    before: Sequence[str] = ()  # the sentences before it, the nearest first


@dataclass(frozen=True, slots=True)
class Judgement:
    """What sentences say of a claim."""

    verdict: TextVerdict
    support: float = 0.0
    source: int | None = None  # which of the sentences
    differs: tuple[TextSpan, ...] = ()
    reason: str | None = None


def why_not_checkable(claim: str) -> str | None:
    """Return why a sentence is none that articles could say; None where they could."""
    if not TERM.search(claim):
        return "It has no words."
    if len(claim) > LONGEST:
        return f"It is longer than {LONGEST:,} characters."
    if _MARKUP.search(claim):
        return "It is markup."
    if (language := language_of(claim)) not in {None, "English"}:
        return f"It seems to be in {language}; English is checked."
    if claim.rstrip(" \"'”’)").endswith("?"):
        return "It is a question."
    if _OPINION.search(claim):
        return "It is an opinion."
    if len(content_terms(claim)) < 2:
        return "It is too short to say something by itself."
    return None


def judge(
    claim: str, sources: Sequence[Source], verifier: Verifier, weight: Callable[[str], float]
) -> Judgement:
    """Return what the sentences, best first, say of a claim. ``weight``: how rare a term is."""
    if reason := why_not_checkable(claim):
        return Judgement("not_checkable", reason=reason)
    pronoun = bool(_PRONOUN.match(claim))
    for n, source in enumerate(sources):
        is_copy = wording(claim) == wording(source.text)
        if is_copy or (not pronoun and verifier.check(claim, source.text, source.before).passed):
            return Judgement("supported", 1.0, n)
    for n, source in enumerate(sources):
        if not pronoun and contradicts(claim, source.text):
            return Judgement("contradicted", 0.0, n)
    weights = {term: weight(term) for term in content_terms(claim)}
    total = sum(weights.values()) or 1.0
    shares = [
        sum(weights[term] for term in weights.keys() & {*content_terms(source.text)}) / total
        for source in sources
    ]
    if not shares or max(shares) < NEAR:
        return Judgement("not_found")
    best = shares.index(max(shares))
    held = {*content_terms(sources[best].text)}
    lacking = tuple(
        TextSpan(match.start(), match.end())
        for match in TERM.finditer(claim)
        if not held.issuperset(content_terms(match[0]))
    )
    share = round(min(max(shares), 0.99), 4)
    return Judgement("undecided", share, best, lacking, _PRONOUN_REASON if pronoun else None)


def contradicts(claim: str, sentence: str) -> bool:
    """Return whether a sentence is the claim's denial, or has another count of the same thing."""
    if sentence.rstrip().endswith("?") or re.search(r'["“”„«»;:]', claim + sentence):
        return False
    one, other = _plain(claim), _plain(sentence)
    if _LOOSE.intersection(re.findall(r"\w+", f"{claim} {sentence}".lower())):
        return False
    if len(one) == len(other):
        return _other_count(one, other)
    short, long = sorted((one, other), key=len)
    if len(long) != len(short) + 1 or any(t.kind == "number" for t in long):
        return False
    at = [n for n, token in enumerate(long) if token.key == "not"]
    if len(at) != 1 or at[0] == 0:
        return False
    return _same(short, [*long[: at[0]], *long[at[0] + 1 :]])


def _plain(text: str) -> list[Token]:
    return [token for token in tokens(text) if token.kind != "mark"]


def _same(one: Sequence[Token], other: Sequence[Token]) -> bool:
    return len(one) == len(other) and all(a.same(b) for a, b in zip(one, other, strict=True))


def _other_count(one: Sequence[Token], other: Sequence[Token]) -> bool:
    differ = [n for n, (a, b) in enumerate(zip(one, other, strict=True)) if not a.same(b)]
    if len(differ) != 1 or not 2 <= differ[0] < len(one) - 1:
        return False
    at = differ[0]
    counts = all(
        row[at].kind == "number" and row[at].key.removeprefix("#").replace(".", "").isdigit()
        for row in (one, other)
    )
    follows, before = one[at + 1], one[at - 1]
    counted = follows.kind in {"unit", "word"} and not follows.name
    # "Room 4", "in 1998", "3 May": another one is another thing.
    return counts and counted and not before.name and before.key not in {"in", "on", "by", "since"}
