"""Names in a text: which words are names, and what counts as the same one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import pairwise

from rag.text.dates import DAYS, MONTHS
from rag.text.numbers import MAGNITUDES, ORDINALS, WORDS
from rag.text.terms import STOPWORDS, fold, stem, words

_OPENERS = frozenset(
    "yes no none nobody nothing neither never according both some many most several few other "
    "others another each every people officials authorities residents police scientists "
    "researchers experts critics reports currently however although though because since during "
    "despite under over among between within without through instead even still just now today "
    "only more less here that's it's there's they're additionally finally simply originally "
    "initially eventually recently subsequently similarly consequently previously formerly "
    "generally usually typically particularly especially specifically notably apparently allegedly "
    "reportedly ultimately actually basically essentially unfortunately moreover furthermore "
    "therefore thus hence meanwhile nevertheless nonetheless otherwise likewise due given besides "
    "almost nearly roughly approximately exactly precisely based around overall early late later "
    "further again once when while where after before".split()
)
_INITIALS = re.compile(r"(?:[^\W_]\.)+[^\W_]?|[^.]+")
_WRITTEN_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+(?:[.'’-](?:[^\W_][\u0300-\u036f]*)+)*\.?")
_NOT_NAMES = frozenset([*DAYS, *MONTHS, *ORDINALS, *WORDS, *MAGNITUDES])


def names(text: str) -> list[tuple[str, ...]]:
    """Return the runs of neighbouring capitalised words in a text, each word folded.

    The first word of a sentence counts when it is not a common opener.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    runs: list[list[str]] = []
    goes_on, opening = False, True
    for match in _WRITTEN_WORD.finditer(text):
        word = match[0]
        if word.islower() and word.isalpha():  # no name, and no end of a sentence
            goes_on = False
            opening = text[match.end() : match.end() + 1] in _OPENING
            continue
        folded = fold(word).replace("’", "'").removesuffix("'s").rstrip(".")
        bare = folded.replace(".", "")
        named = is_name(word, bare, opening=opening)
        # "amazon.com" is two words, as it is in ``words``; "u.s." is one.
        parts = [bare] if _INITIALS.fullmatch(folded) else folded.split(".")
        if named and goes_on:
            runs[-1] += parts
        elif named:
            runs.append(parts)
        ended = word.endswith(".") and "." not in word[:-1] and len(word) > 3
        ended = ended and bare not in _TITLES
        rest = text[match.end() : match.end() + 2]
        goes_on = named and not ended and rest[:1] in {" ", "\u00a0", "-"}
        goes_on = goes_on and rest[1:2].isalnum()
        opening = ended or rest[:1] in _OPENING
    return [tuple(run) for run in runs]


_OPENING = tuple('.!?:\n"“')
_TITLES = frozenset("gen sen gov rep prof capt col sgt rev maj lieut".split())


def is_name(word: str, bare: str, *, opening: bool) -> bool:
    """Return whether a word as written, and folded without points, is (part of) a name;
    ``opening``: it opens a sentence.
    """
    if len(word) == 2 and word[0].isupper() and word[1] == ".":
        return True  # an initial
    if not word[0].isupper() or bare in STOPWORDS or bare in _NOT_NAMES:
        return word.isupper() and len(word) > 1 and bare in {"us", "who"}
    return not (opening and bare in _OPENERS)


def has_form(word: str, others: AbstractSet[str], stems: AbstractSet[str]) -> bool:
    """Return whether one of the other words, each with its stem in ``stems``, is a form of the same
    name as the word: one of the two is the other with an ending, which may take the place of its
    last letter ("ukraine", "ukrainian").
    """
    if word in others or stem(word) in stems:
        return True
    bare = word[:-1] if len(word) >= 6 and word[-1] in "aey" else word
    return any(
        (len(word) >= 4 and (word + end in others or bare + end in others))
        or (len(word) >= 4 + len(end) and word.endswith(end) and word[: -len(end)] in others)
        or (
            len(word) >= 5 + len(end)
            and word.endswith(end)
            and any(word[: -len(end)] + last in others for last in "aey")
        )
        for end in _ENDINGS
    )


def missing_names(question: str, text: str) -> set[str]:
    """Return the words of the names in a question that a text does not hold, folded."""
    text_words = folded_words(text)
    present = frozenset(text_words)
    question_words = {part for run in names(question) for word in run for part in word.split("-")}
    stems = frozenset(map(stem, present))
    shorts = frozenset(acronyms_of(text)) if question_words - present else frozenset()
    return {
        name
        for name in question_words - present - shorts
        if not expands(name, present, frozenset(pairwise(text_words)))
        and not has_form(name, present, stems)
    }


@lru_cache(maxsize=256)
def folded_words(text: str) -> tuple[str, ...]:
    """Return the words of a text without full stops, hyphened ones apart."""
    return tuple(word.replace(".", "") for part in words(text) for word in part.split("-"))


def same_name(one: str, other: str) -> bool:
    """Return whether two words are forms of one name or stem: "estonia" and "estonian"."""
    if one == other:
        return True
    if one[:4] != other[:4]:  # no ending can make one of the other
        return stem(one) == stem(other)  # "struck" and "strike"
    return has_form(one, {other}, {stem(other)})


_ENDINGS = frozenset("s n ns an ans ian ians ese ish 's er ers".split())


def acronyms(text: str) -> Iterator[str]:
    """Yield the initials of runs of capitalised words: "nac" for "North Atlantic Council"."""
    for match in re.finditer(r"(?:\b[A-Z][\w'’]*(?:\s(?:of|the|and|for)\s|[\s-])?){2,}", text):
        capitals = [word[0].lower() for word in re.findall(r"\b[A-Z][\w'’]*", match[0])]
        for start in range(len(capitals)):
            for end in range(start + 2, min(len(capitals), start + 6) + 1):
                yield "".join(capitals[start:end])


acronyms_of = lru_cache(maxsize=256)(lambda text: frozenset(acronyms(text)))


LONG_FORMS = {
    "us": ("united", "states"),
    "uk": ("united", "kingdom"),
    "un": ("united", "nations"),
    "eu": ("european", "union"),
    "fed": ("federal", "reserve"),
    "ceo": ("chief", "executive"),
}


SHORT_TITLES = dict(
    forms.split()
    for forms in (
        "sen senator; gov governor; gen general; rep representative; prof professor; dr doctor; "
        "capt captain; col colonel"
    ).split(";")
)
_LONG_TITLES = {long: short for short, long in SHORT_TITLES.items()}


def expands(word: str, others: frozenset[str], pairs: frozenset[tuple[str, str]]) -> bool:
    """Return whether a text, given by its words and their pairs, has the long or the short form of
    a word: "us" for "united", "states".
    """
    if word in {"american", "america", "americans"}:
        return "us" in others or ("united", "states") in pairs
    if others & {SHORT_TITLES.get(word), _LONG_TITLES.get(word)}:
        return True
    if word in LONG_FORMS:
        return LONG_FORMS[word] in pairs
    return any(word in long and short in others for short, long in LONG_FORMS.items())
