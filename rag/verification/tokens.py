"""A text as words and names in order, and each name with what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.text.names import is_name
from rag.text.terms import BASE_FORM, fold, stem

# Offices and the like, brought to one word each: what a person is, not how they are called.
ROLES = {
    word: group.split()[0]
    for group in (
        "president; premier; prime; minister; senator sen sens; governor gov; mayor; secretary; "
        "director; chairman chairwoman chair chairperson; king; queen; prince; princess; "
        "general gen; colonel col; captain capt; lieutenant lt; sergeant sgt; judge; justice; "
        "professor prof; doctor dr; coach; manager; executive ceo; actor actress; singer; author; "
        "architect; spokesman spokeswoman spokesperson; attorney; sheriff; ambassador; pope; "
        "bishop archbishop; commander; congressman congresswoman representative rep reps; "
        "chancellor; duke; duchess; emperor; empress; founder; owner; editor; journalist; "
        "officer; chief; leader; officials official; rabbi; reverend rev; sir; lord; lady"
    ).split(";")
    for word in group.split()
}
_SKIPPED = frozenset(
    "the a an this that these those his her its their is are was were be been being am has have "
    "had do does did will would can could may might shall should must not n't also then later now "
    "just only even still already soon both either first often never ever again once it he she "
    "they who which whom former then-president reportedly probably certainly".split()
)
JOINED = frozenset(("and", "or", "&"))
WEAK = frozenset(
    "in on at of by to from with for as into onto over under about after before during through "
    "between among against near since until while when where than like but so if because".split()
)
_TOKEN = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*|[.!?;:](?=\s|\Z|[\"”])|[,()\n\"“”—–]")
_BEFORE_PASSIVE = frozenset("is are was were be been being got".split())
PASSIVE = "+"
LONGEST_TEXT = 400  # tokens of a text that are looked at


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


@lru_cache(maxsize=256)
def tokens(text: str) -> tuple[Token, ...]:
    """Return the words and names of a text in order, without articles and auxiliaries.

    The stem of a verb in the passive ("was beaten") ends in "+".
    """
    row: list[Token] = []
    opening, last_end = True, -1
    matches = list(_TOKEN.finditer(text))[:LONGEST_TEXT]
    folds = [fold(match[0]).replace("’", "'").removesuffix("'s") for match in matches]
    for n, (match, word) in enumerate(zip(matches, folds, strict=True)):
        if not word[0].isalnum():
            opening = word in {".", "!", "?", "\n", "“", '"', ":"} and not (
                word == "." and row and len(row[-1].written) <= 3 and bool(row[-1].name)
            )
            if not (word == "." and not opening):
                row.append(Token("", match[0]))
            continue
        bare = word.replace(".", "").removeprefix("then-")
        if word == match[0] and bare in _SKIPPED:
            opening, last_end = False, match.end()
            continue
        if bare in ROLES:
            deputy = row and row[-1].stem == "vice"
            before = "vice " if deputy and row.pop() else ""
            row.append(Token(before + ROLES[bare], match[0]))
        elif bare == "vice":
            row.append(Token(bare, match[0]))
        elif match[0][0].isupper() and is_name(match[0], bare, opening=opening):
            adjoins = row and row[-1].name and text[last_end : match.start()] in {" ", ". "}
            if adjoins and not opening:
                row[-1] = Token("", f"{row[-1].written} {match[0]}", (*row[-1].name, bare))
            else:
                row.append(Token("", match[0], (bare,)))
        elif bare == "to" and row and row[-1].stem == "accord":
            row[-1] = Token("according to", "according to")
        elif bare not in _SKIPPED:
            passive = n and folds[n - 1] in _BEFORE_PASSIVE and is_verb(word)
            root = bare if bare in WEAK else "beat" if bare == "beaten" else stem(bare)
            row.append(Token(root + (PASSIVE if passive else ""), match[0]))
        opening, last_end = False, match.end()
    return tuple(row)


def is_verb(word: str) -> bool:
    """Return whether a word may be the past of a verb."""
    irregular = word in BASE_FORM or word in _UNCHANGED
    return irregular or (word.endswith("ed") and word not in _NO_VERBS)


_UNCHANGED = frozenset(
    "beat beaten hit cut put set let shut hurt quit split spread cast burst".split()
)


_NO_VERBS = frozenset("need seed speed hundred indeed feed weed reed greed bed red".split())


@lru_cache(maxsize=256)
def mentions(text: str) -> tuple[Mention, ...]:
    """Return the names of a text with what stands beside them; names that are joined ("Ann, Bo
    and Cy") have the same neighbours.
    """
    row = tokens(text)
    all_mentions: list[Mention] = []
    n = 0
    while n < len(row):
        if row[n].name:
            last = _joined(row, n)
            left, right = _beside(row, n - 1), _beside(row, last + 1)
            all_mentions += (
                Mention(t.name, t.written, left, right) for t in row[n : last + 1] if t.name
            )
            n = last
        n += 1
    return tuple(dict.fromkeys(all_mentions))


def _joined(row: Sequence[Token], n: int) -> int:
    """Return where the list of names that begins at ``n`` ends: only an "and" makes it a list."""
    end, closed = n, n
    while True:
        step = end + 1
        comma = step < len(row) and row[step].written == ","
        step += comma
        joins = step < len(row) and row[step].stem in JOINED
        step += joins
        if not (comma or joins) or step >= len(row) or not row[step].name:
            return closed
        end = step
        closed = end if joins else closed


def _beside(row: Sequence[Token], n: int) -> str:
    if not 0 <= n < len(row):
        return ""
    return f"@{row[n].name[-1]}" if row[n].name else row[n].stem
