"""Deeds: who did what to whom, by the words on both sides of a verb, the passive turned round."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rag.text.terms import stem
from rag.verification.tokens import JOINED, PASSIVE, WEAK, Token, is_verb, tokens

_MUTUAL = frozenset(
    map(
        stem,
        "meet met marry divorce play face fight join match equal resemble tie merge talk agree "
        "discuss share contact replace follow include remain become".split(),
    )
)
REACH = 5  # tokens on either side of a verb that may be its subject or object


def reversed_verb(claim: str, sources: Sequence[str]) -> str | None:
    """Return a verb whose subject in the claim is its object in the sources, and vice versa."""
    for verb, (agents, patients) in _deeds(claim):
        held = [deed for source in sources for other, deed in _deeds(source) if other == verb]
        if held and all(
            agents & held_patients and patients & held_agents
            and not agents & held_agents and not patients & held_patients
            for held_agents, held_patients in held
        ):  # fmt: skip
            return verb
    return None


Deed = tuple[frozenset[str], frozenset[str]]  # the words of the subject and of the object


@lru_cache(maxsize=256)
def _deeds(text: str) -> tuple[tuple[str, Deed], ...]:
    row = tokens(text)
    found = []
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
            found.append((verb, (after, before) if passive else (before, after)))
    return tuple(dict.fromkeys(found))


def _phrase(row: Sequence[Token], n: int, step: int) -> frozenset[str]:
    words: list[str] = []
    for token in row[n + 1 : n + 1 + REACH] if step > 0 else row[max(0, n - REACH) : n][::-1]:
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
