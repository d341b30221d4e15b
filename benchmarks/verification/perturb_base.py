"""What the ways to make a correct claim wrong share.

A way is a function that takes a claim, what is known of its article and a source of chance, and
returns the wrong claim, or None where it does not apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Item:
    """A sentence of an article, which is a correct claim of itself."""

    set: str
    article: str
    claim: str
    around: tuple[str, ...]  # the sentence with the one before it and the one after it
    title: str
    names: tuple[str, ...]  # of the article


Perturbation = Callable[[str, Item, Random], str | None]

SMALL = "two three four five six seven eight nine ten eleven twelve".split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
MONTHS = (
    "January February March April May June July August September October November December"
).split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
FIRST_NAMES = (
    "James John Robert Michael William David Richard Joseph Thomas Charles Christopher Daniel "
    "Matthew Anthony Mark Donald Steven Paul Andrew Joshua Kenneth Kevin Brian George Edward "
    "Ronald Timothy Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin "
    "Scott Brandon Benjamin Samuel Gregory Frank Alexander Raymond Patrick Jack Dennis Jerry "
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Betty "
    "Margaret Sandra Ashley Emily Donna Michelle Carol Amanda Dorothy Melissa Deborah Rebecca "
    "Laura Helen Anna Emma Joe Kamala Barack Boris Vladimir Elon Bill Hillary Martin Peter Henry "
    "Simon Tom Tim Mike Steve Chris Ben Sam Ian Alan Adam Arthur Louis Albert Victoria Jane"
).split()
ROLES = (
    "president|prime minister|vice president|senator|governor|mayor|secretary|minister|director|"
    "chairman|chairwoman|king|queen|prince|princess|general|colonel|captain|judge|justice|"
    "professor|doctor|coach|actor|actress|singer|author|architect|spokesman|spokeswoman|"
    "spokesperson|chief executive|ceo|attorney general|sheriff|ambassador|pope|bishop|commander"
)
PERSONS = tuple(f"{name} " for name in FIRST_NAMES)
PERSON = r"[A-Z][a-z’']+(?:\s(?:[A-Z]\.\s)?[A-Z][a-zA-Z’']+)?"
NAME = re.compile(
    r"\b[A-Z][\w’'-]*[a-z][\w’'-]*(?:\s(?:[A-Z]\.|[A-Z][\w’'-]*[a-z][\w’'-]*))*|\b[A-Z]{2,5}\b"
)
COMMON = frozenset(
    "The A An In On At By For From He She It They We I You His Her Its Their But And Or If As When "
    "While After Before Since This That These Those There Here What Who Which How Why Where Then "
    "However Although Though Because During With Without Both Some Many Most All Each Every No Not "
    "Yes One Two Three Four Five Six Seven Eight Nine Ten Also Despite Under Over Our My Your So "
    "To Of First Second Third Other Another Such Today Yesterday Following According More Mr Mrs "
    "Ms Dr Other Several Only Even Now Still Instead Once Until About Between".split()
) | {*MONTHS, *DAYS, *(month[:3] for month in MONTHS), "Sept"}
NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SINGLE = (
    "an? (?:decade|year|month|week|day|hour|minute|century|mile|dollar|half|third|quarter|"
    "hundred|thousand|million|billion|dozen)"
)
AFTER = rf"(?=[$€£]?(?:\d|(?:{'|'.join([*SMALL, *TENS, 'half', _SINGLE])})\b))"


def names_of(text: str) -> list[str]:
    """Return the runs of capitalised words that are names, without the common openers."""
    found = []
    for match in NAME.finditer(text):
        parts = match[0].split()
        while parts and parts[0] in COMMON:
            parts.pop(0)
        while parts and parts[-1] in COMMON:
            parts.pop()
        whole = " ".join(parts)
        if len(whole) > 2 and parts[0].lower() not in ROLES.split("|"):
            found.append(re.sub(r"['’]s?$", "", whole))
    return found


def pick(pattern: str, claim: str, random: Random, flags: int = 0) -> re.Match[str] | None:
    found = list(re.finditer(pattern, claim, flags))
    return random.choice(found) if found else None


def put(claim: str, span: tuple[int, int], new: str) -> str:
    old = claim[span[0] : span[1]]
    if old[:1].isupper() and new[:1].islower():
        new = new[0].upper() + new[1:]
    return claim[: span[0]] + new + claim[span[1] :]


def swap_words(table: Mapping[str, str | Sequence[str]], after: str = "") -> Perturbation:
    """Return the kind that writes one of the words in the table as another."""
    keys = sorted(table, key=len, reverse=True)
    pattern = r"\b(?:" + "|".join(map(re.escape, keys)) + r")\b" + after

    def change(claim: str, _: Item, random: Random) -> str | None:
        if not (match := pick(pattern, claim, random, re.IGNORECASE)):
            return None
        new = table[match[0].lower()]
        return put(claim, match.span(), new if isinstance(new, str) else random.choice(new))

    return change


def others(words: Sequence[str]) -> dict[str, list[str]]:
    return {word.lower(): [other for other in words if other != word] for word in words}


def by_word(table: str) -> dict[str, str | list[str]]:
    """Return a table for swap_words from "word: other; word: other, another"."""
    rows = [row.split(": ") for row in table.split("; ")]
    return {word: new.split(", ") if ", " in new else new for word, new in rows}
