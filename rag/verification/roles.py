"""Roles: who did it, who said it, who holds the office.

Without a parser: a name in the claim is compared with the names of its sources by what stands on
either side of it. Where another name stands in the source just where this one stands in the claim,
and this one stands elsewhere, the two were exchanged. Voice counts: "was beaten by" is not "beat".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rag.text.names import LONG_FORMS, acronyms, names, same_name
from rag.text.terms import stem
from rag.verification.problem import Problem
from rag.verification.tokens import (
    JOINED,
    PASSIVE,
    ROLES,
    WEAK,
    Mention,
    Token,
    is_verb,
    mentions,
    tokens,
)


def role_problems(claim: str, sources: Sequence[str], title: str) -> Iterator[Problem]:
    """Yield the names of a claim that stand where its sources have another name, whoever says what
    somebody else says there, and what does what was done to it there.
    """
    claim_mentions = mentions(claim)
    texts = [*sources, title]
    source_mentions = (
        [mention for text in texts for mention in mentions(text)] if claim_mentions else []
    )
    for mention in claim_mentions:
        scores = [(m, score) for m in source_mentions if (score := _score(mention, m)) >= 2]
        best_other = max((s for m, s in scores if not _same(m, mention)), default=0.0)
        if best_other and best_other > 1 + max(
            (_closeness(mention, m) for m in source_mentions if _same(m, mention)), default=0.0
        ):
            yield Problem("role", mention.written)
            return
    if speaker := _wrong_speaker(claim_mentions, sources):
        yield Problem("attribution", speaker)
    elif verb := reversed_verb(claim, sources):
        yield Problem("role", verb)
    elif office := _unknown_office(claim, [*sources, title]):
        yield Problem("role", office)
    elif pronoun := _other_pronoun(claim, sources):
        yield Problem("role", pronoun)


_PRONOUNS = (
    re.compile(r"\b(?:he|him|his)\b", re.IGNORECASE),
    re.compile(r"\b(?:she|hers?)\b", re.IGNORECASE),
)


def _other_pronoun(claim: str, sources: Sequence[str]) -> str | None:
    """Return the "he" of a claim that names nobody before it, when its sources only have "she"."""
    whole = "\n".join(sources)
    for own, other in (_PRONOUNS, _PRONOUNS[::-1]):
        pronoun = own.search(claim)
        alone = pronoun and other.search(whole) and not own.search(whole)
        if pronoun and alone and not names(claim[: pronoun.start()]):
            return pronoun[0]
    return None


def _score(one: Mention, other: Mention) -> float:
    if one.left != other.left or one.right != other.right:
        return 0.0
    if one.left in WEAK and one.left == one.right:
        return 0.0
    return _closeness(one, other)


def _closeness(one: Mention, other: Mention) -> float:
    return _match(one.left, other.left) + _match(one.right, other.right)


def _match(one: str, other: str) -> float:
    """Return how much two neighbours that are the same tell: 0 when they are not."""
    if one != other:
        return 0.0
    return 0.5 if not one else 1.0 if one in WEAK else 2.0


def _same(one: Mention, other: Mention) -> bool:
    """Return whether two mentions may be of the same: they share a word, or are an acronym."""
    if any(same_name(a, b) for a in one.name for b in other.name):
        return True
    short, long = (one, other) if len(one.name) < len(other.name) else (other, one)
    return len(short.name) == 1 and (
        short.name[0] in set(acronyms(long.written)) or LONG_FORMS.get(short.name[0]) == long.name
    )


# Who says it.

_SAYING = frozenset(
    map(
        stem,
        "say said tell told announce add write explain note tweet state warn deny claim allege "
        "argue confirm report insist suggest declare recall admit acknowledge reveal post "
        "joke believe think fear predict propose threaten vow promise".split(),
    )
)


def _speaks(mention: Mention) -> bool:
    return (
        mention.right in _SAYING
        or mention.left == "according to"
        or (mention.left == "say" and not mention.right)
    )


def _wrong_speaker(claim_mentions: Sequence[Mention], sources: Sequence[str]) -> str | None:
    speakers = [mention for mention in claim_mentions if _speaks(mention)]
    if not speakers:
        return None
    source_speakers = [
        mention for source in sources for mention in mentions(source) if _speaks(mention)
    ]
    verbs = sum(
        token.stem in _SAYING or token.stem == "according to"
        for source in sources
        for token in tokens(source)
    )
    if not source_speakers or verbs > len(source_speakers):
        return None  # "he said": who that is cannot be told
    for speaker in speakers:
        if not any(_same(speaker, mention) for mention in source_speakers):
            return speaker.written
    return None


# What they are.

_OFFICES = frozenset(
    "president premier senator governor mayor secretary chairman king queen prince princess "
    "colonel lieutenant sergeant judge professor coach singer actor architect spokesman attorney "
    "sheriff ambassador pope bishop commander chancellor emperor empress director author executive "
    "doctor minister general captain justice".split()
) | {"vice president", "vice chairman"}


def _unknown_office(claim: str, sources: Sequence[str]) -> str | None:
    """Return an office in the claim that no source knows."""
    row = tokens(claim)
    offices = [
        token
        for n, token in enumerate(row)
        if token.stem in _OFFICES
        and token.written in ROLES  # a capitalised one is in a name
        and (token.stem not in _ALSO_OTHER or _is_office(row, n))
    ]
    if not offices:
        return None
    source_stems = {token.stem for source in sources for token in tokens(source)}
    return next((token.written for token in offices if token.stem not in source_stems), None)


def _is_office(row: Sequence[Token], n: int) -> bool:
    after = row[n + 1] if n + 1 < len(row) else Token("", "")
    named = bool(after.name) or after.stem == "of"
    return named or row[n].written == "ceo" or (n > 0 and row[n - 1].stem == "chief")


# Words that are often something else: only beside a name or "of", or as "chief executive".
_ALSO_OTHER = frozenset(("general", "justice", "judge", "coach", "captain", "executive"))


# Deeds: who did what to whom, by the words on both sides of a verb, the passive turned round.

_MUTUAL = frozenset(
    map(
        stem,
        "meet met marry divorce play face fight join match equal resemble tie merge talk agree "
        "discuss share contact replace follow include remain become".split(),
    )
)
PHRASE_TOKENS = 5  # tokens on either side of a verb that may be its subject or object


def reversed_verb(claim: str, sources: Sequence[str]) -> str | None:
    """Return a verb whose subject in the claim is its object in the sources, and vice versa."""
    for verb, (agents, patients) in _deeds(claim):
        source_deeds = [
            deed for source in sources for other, deed in _deeds(source) if other == verb
        ]
        if source_deeds and all(
            agents & source_patients
            and patients & source_agents
            and not agents & source_agents
            and not patients & source_patients
            for source_agents, source_patients in source_deeds
        ):
            return verb
    return None


Deed = tuple[frozenset[str], frozenset[str]]  # the words of the subject and of the object


@lru_cache(maxsize=256)
def _deeds(text: str) -> tuple[tuple[str, Deed], ...]:
    row = tokens(text)
    deeds = []
    for n, token in enumerate(row):
        verb = token.stem.removesuffix(PASSIVE)
        passive = token.stem != verb or [t.stem for t in row[n + 1 : n + 2]] == ["by"]
        if token.name or not is_verb(token.written.lower()) or verb in _MUTUAL:
            continue
        before = _phrase(row, n, -1)
        if passive and [t.stem for t in row[n + 1 : n + 2]] != ["by"]:
            continue  # by whom is not said
        after = _phrase(row, n + 1 if passive else n, 1)
        if before and after:
            deeds.append((verb, (after, before) if passive else (before, after)))
    return tuple(dict.fromkeys(deeds))


def _phrase(row: Sequence[Token], n: int, step: int) -> frozenset[str]:
    words: list[str] = []
    for token in (
        row[n + 1 : n + 1 + PHRASE_TOKENS] if step > 0 else row[max(0, n - PHRASE_TOKENS) : n][::-1]
    ):
        if token.name:
            words += token.name
            continue
        belongs = token.stem == "of" or (token.stem == "to" and not words)
        ends = token.stem in WEAK and not belongs
        if ends or not token.stem or is_verb(token.written.lower()):
            break
        if token.stem not in {"of", "to", *JOINED}:
            words.append(token.stem)
    return frozenset(words)
