"""Roles: who did it, who said it, who holds the office.

Without a parser: a name in the claim is compared with the names of its sources by what stands on
either side of it. Where another name stands in the source just where this one stands in the claim,
and this one stands elsewhere, the two were exchanged. Voice counts: "was beaten by" is not "beat".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.irregular import BASE_FORM
from rag.problem import Problem
from rag.rules_names import _is_name, acronyms, same_name
from rag.terms import fold, stem

# Offices and the like, brought to one word each: what a person is, not how they are called.
ROLES = {
    word: group.split()[0]
    for group in (
        "president; premier; prime; minister; senator sen sens; governor gov; mayor; secretary; "
        "director; chairman chairwoman chair chairperson; king; queen; prince; princess; "
        "general gen; colonel col; captain capt; lieutenant lt; sergeant sgt; judge; justice; "
        "professor prof; doctor dr; coach; manager; executive ceo; actor actress; singer; author; architect; "
        "spokesman spokeswoman spokesperson; attorney; sheriff; ambassador; pope; "
        "bishop archbishop; commander; congressman congresswoman representative rep reps; "
        "chancellor; duke; duchess; emperor; empress; founder; owner; editor; journalist; "
        "officer; chief; leader; officials official; captain; rabbi; reverend rev; sir; lord; lady"
    ).split(";")
    for word in group.split()
}
_PLAIN_TITLES = frozenset("mr mrs ms miss sir lord lady vice former deputy".split())
_SKIPPED = frozenset(
    "the a an this that these those his her its their is are was were be been being am has have had "
    "do does did will would can could may might shall should must not n't also then later now just "
    "only even still already soon both either first often never ever again once it he she they who "
    "which whom former then-president reportedly probably certainly".split()
)
_JOINED = frozenset(("and", "or", "&"))
_WEAK = frozenset(
    "in on at of by to from with for as into onto over under about after before during through "
    "between among against near since until while when where than like but so if because".split()
)
_TOKEN = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*|[.!?;:](?=\s|\Z|[\"”])|[,()\n\"“”—–]")
_BEFORE_PASSIVE = frozenset("is are was were be been being got".split())
PASSIVE = "+"
LONGEST = 400  # tokens of a text that are looked at


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a name (several words), or "" at a comma, a bracket, the end of a sentence."""

    stem: str
    written: str
    name: tuple[str, ...] = ()  # folded words, if it is a name


@dataclass(frozen=True, slots=True)
class Mention:
    """A name, and the nearest words on both sides in its clause ("" where there is none)."""

    name: tuple[str, ...]
    written: str
    left: str
    right: str


@lru_cache(maxsize=1024)
def tokens(text: str) -> tuple[Token, ...]:
    """Return the words and names of a text in order, without articles and auxiliaries.

    The stem of a verb in the passive ("was beaten") ends in "+".
    """
    found: list[Token] = []
    opening, last_end = True, -1
    matches = list(_TOKEN.finditer(text))[:LONGEST]
    folds = [_folded(match[0]) for match in matches]
    for n, (match, word) in enumerate(zip(matches, folds, strict=True)):
        if not word[0].isalnum():
            opening = word in {".", "!", "?", "\n", "“", '"', ":"} and not (
                word == "." and found and len(found[-1].written) <= 3 and bool(found[-1].name))
            if not (word == "." and not opening):
                found.append(Token("", match[0]))
            continue
        bare = word.replace(".", "")
        if word == match[0] and bare in _SKIPPED:
            opening, last_end = False, match.end()
            continue
        if bare in ROLES:
            found.append(Token(ROLES[bare], match[0]))
        elif match[0][0].isupper() and _is_name(match[0], bare, opening=opening):
            adjoins = found and found[-1].name and text[last_end : match.start()] in {" ", ". "}
            if adjoins and not opening:
                found[-1] = Token("", f"{found[-1].written} {match[0]}", (*found[-1].name, bare))
            else:
                found.append(Token("", match[0], (bare,)))
        elif bare == "to" and found and found[-1].stem == "accord":
            found[-1] = Token("according to", "according to")
        elif bare not in _SKIPPED:
            passive = n and folds[n - 1] in _BEFORE_PASSIVE and _is_verb(word)
            root = bare if bare in _WEAK else stem(bare)
            found.append(Token(root + (PASSIVE if passive else ""), match[0]))
        opening, last_end = False, match.end()
    return tuple(found)


def _folded(word: str) -> str:
    return word.lower() if word.isalpha() and word.isascii() else (
        fold(word).replace("’", "'").removesuffix("'s"))  # fmt: skip


def _is_verb(word: str) -> bool:
    return (word.endswith("ed") and word not in _NO_VERBS) or word in BASE_FORM


_NO_VERBS = frozenset("need seed speed hundred indeed feed weed reed greed bed red".split())


@lru_cache(maxsize=1024)
def mentions(text: str) -> tuple[Mention, ...]:
    """Return the names of a text with what stands beside them; names that are joined ("Ann, Bo
    and Cy") have the same neighbours.
    """
    row = tokens(text)
    found: list[Mention] = []
    n = 0
    while n < len(row):
        if row[n].name:
            last = _joined(row, n)
            left, right = _beside(row, n - 1), _beside(row, last + 1)
            found += (Mention(t.name, t.written, left, right) for t in row[n : last + 1] if t.name)
            n = last
        n += 1
    return tuple(dict.fromkeys(found))


def _joined(row: Sequence[Token], n: int) -> int:
    """Return where the list of names that begins at ``n`` ends: only an "and" makes it a list."""
    end, closed = n, n
    while True:
        step = end + 1
        comma = step < len(row) and row[step].written == ","
        step += comma
        joins = step < len(row) and row[step].stem in _JOINED
        step += joins
        if not (comma or joins) or step >= len(row) or not row[step].name:
            return closed
        end = step
        closed = end if joins else closed


def _beside(row: Sequence[Token], n: int) -> str:
    if not 0 <= n < len(row):
        return ""
    return f"@{row[n].name[-1]}" if row[n].name else row[n].stem


def role_problems(claim: str, sources: Sequence[str]) -> Iterator[Problem]:
    """Yield the names of a claim that stand where its sources have another name, whoever says what
    somebody else says there, and what does what was done to it there.
    """
    said = mentions(claim)
    found = [mention for source in sources for mention in mentions(source)] if said else []
    for mention in said:
        placed = [(m, score) for m in found if (score := _score(mention, m)) >= 2]
        best_other = max((s for m, s in placed if not _same(m, mention)), default=0.0)
        if best_other and best_other > 1 + max(
            (_closeness(mention, m) for m in found if _same(m, mention)), default=0.0
        ):
            yield Problem("role", mention.written)
            return
    if speaker := _wrong_speaker(said, found, sources):
        yield Problem("attribution", speaker)
    elif verb := _reversed_verb(claim, sources):
        yield Problem("role", verb)
    elif office := _unknown_office(claim, sources):
        yield Problem("role", office)


def _score(one: Mention, other: Mention) -> float:
    if one.left != other.left or one.right != other.right:
        return 0.0
    both_weak = one.left in _WEAK and one.right in _WEAK
    if both_weak and one.left == one.right:
        return 0.0
    return _match(one.left, other.left) + _match(one.right, other.right)


def _closeness(one: Mention, other: Mention) -> float:
    return _match(one.left, other.left) + _match(one.right, other.right)


def _match(one: str, other: str) -> float:
    """Return how much two neighbours that are the same tell: 0 when they are not."""
    if one != other:
        return 0.0
    return 0.5 if not one else 1.0 if one in _WEAK else 2.0


def _same(one: Mention, other: Mention) -> bool:
    """Return whether two mentions may be of the same: they share a word, or are an acronym."""
    if any(same_name(a, b) for a in one.name for b in other.name):
        return True
    short, long = (one, other) if len(one.name) < len(other.name) else (other, one)
    return len(short.name) == 1 and short.name[0] in set(acronyms(long.written))


# Who says it.

_SAYING = frozenset(
    map(
        stem,
        "say said tell told announce add write explain note tweet state warn deny claim allege "
        "argue confirm report insist suggest declare recall admit acknowledge reveal post claim joke "
        "believe think fear predict propose threaten vow promise".split(),
    )
)


def _speaks(mention: Mention) -> bool:
    return (
        mention.right in _SAYING
        or mention.left == "according to"
        or (mention.left == "say" and not mention.right)
    )


def _wrong_speaker(
    said: Sequence[Mention], found: Sequence[Mention], sources: Sequence[str]
) -> str | None:
    speakers = [mention for mention in said if _speaks(mention)]
    if not speakers:
        return None
    known = [mention for mention in found if _speaks(mention)]
    verbs = sum(
        token.stem in _SAYING or token.stem == "according to"
        for source in sources
        for token in tokens(source)
    )
    if not known or verbs > len(known):
        return None  # "he said": who that is cannot be told
    for speaker in speakers:
        if not any(_same(speaker, mention) for mention in known):
            return speaker.written
    return None


# Who did what to whom.

_MUTUAL = frozenset(
    map(
        stem,
        "meet met marry divorce play face fight join match equal resemble tie merge talk agree "
        "discuss share contact replace follow include remain become".split(),
    )
)
REACH = 5  # tokens on either side of a verb that may be its subject or object


def _reversed_verb(claim: str, sources: Sequence[str]) -> str | None:
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


@lru_cache(maxsize=1024)
def _deeds(text: str) -> tuple[tuple[str, Deed], ...]:
    row = tokens(text)
    found = []
    for n, token in enumerate(row):
        verb = token.stem.removesuffix(PASSIVE)
        passive = token.stem != verb or [t.stem for t in row[n + 1 : n + 2]] == ["by"]
        if token.name or not _is_verb(token.written.lower()) or verb in _MUTUAL:
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
        elif token.stem in _WEAK and token.stem != "of" and not (token.stem == "to" and not words):
            break
        elif not token.stem or _is_verb(token.written.lower()):
            break
        elif token.stem not in {"of", "to", *_JOINED}:
            words.append(token.stem)
    return frozenset(words)


# What they are.

_OFFICES = frozenset(
    "president premier senator governor mayor secretary chairman king queen prince princess "
    "colonel lieutenant sergeant judge professor coach singer actor architect spokesman attorney "
    "sheriff ambassador pope bishop commander chancellor emperor empress director author executive "
    "doctor minister general captain justice".split()
)


def _unknown_office(claim: str, sources: Sequence[str]) -> str | None:
    """Return an office in the claim that no source knows."""
    row = tokens(claim)
    wanted = [
        token for n, token in enumerate(row)
        if token.stem in _OFFICES and token.written in ROLES  # a capitalised one is in a name
        and (token.stem not in _ALSO_OTHER or any(t.name for t in row[n + 1 : n + 2]))
    ]  # fmt: skip
    if not wanted:
        return None
    held = {token.stem for source in sources for token in tokens(source)}
    return next((token.written for token in wanted if token.stem not in held), None)


_ALSO_OTHER = frozenset(("general", "justice", "judge", "coach", "captain", "executive"))
