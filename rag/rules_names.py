"""Names: that the sources have them, and their words together."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import pairwise

from rag.numbers import DAYS, MAGNITUDES, MONTHS, ORDINALS, WORDS
from rag.problem import Problem
from rag.terms import STOPWORDS, fold, stem, words

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
_WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+(?:[.'’-](?:[^\W_][\u0300-\u036f]*)+)*\.?")
_NOT_NAMES = frozenset([*DAYS, *MONTHS, *ORDINALS, *WORDS, *MAGNITUDES])


def names(text: str) -> list[tuple[str, ...]]:
    """Return the runs of neighbouring capitalised words in a text, each word folded.

    The first word of a sentence counts when it is not a common opener.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    runs: list[list[str]] = []
    goes_on, opening = False, True
    for match in _WORD.finditer(text):
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


def name_problems(claim: str, texts: Sequence[str]) -> Iterator[Problem]:
    """Yield the names of a claim that its texts (sources and title) do not have as they are."""
    runs = names(claim)
    if not runs:
        return
    held = [_folded_words(text) for text in texts]
    every = [word for of_text in held for word in of_text]
    known = frozenset(every)
    stems = frozenset(map(stem, known))
    shorts = frozenset(short for text in texts for short in _acronyms(text))
    pairs = frozenset(pairwise(every))
    for whole in dict.fromkeys(runs):
        run = [part for word in whole for part in word.split("-")]  # as the texts are
        missing = [
            word for n, word in enumerate(run)
            if not _is_held(word, known, stems) and word not in shorts
            and not _expands(word, known, pairs) and not _is_initial(run, n, tuple(texts))
        ]  # fmt: skip
        if missing and not _abbreviates(run, known):
            yield Problem("name", " ".join(missing))
        elif not missing and not all(
            _near(pair, held, shorts) for pair in dict.fromkeys(pairwise(run))
        ):
            yield Problem("name", " ".join(run))


def _is_held(word: str, known: AbstractSet[str], stems: AbstractSet[str]) -> bool:
    """Return whether a known word, each with its stem in ``stems``, is a form of the same name as
    the word: one of the two is the other with an ending, which may take the place of its last
    letter ("ukraine", "ukrainian").
    """
    if word in known or stem(word) in stems:
        return True
    bare = word[:-1] if len(word) >= 6 and word[-1] in "aey" else word
    return any(
        (len(word) >= 4 and (word + end in known or bare + end in known))
        or (len(word) >= 4 + len(end) and word.endswith(end) and word[: -len(end)] in known)
        or (
            len(word) >= 5 + len(end)
            and word.endswith(end)
            and any(word[: -len(end)] + last in known for last in "aey")
        )
        for end in _ENDINGS
    )


@lru_cache(maxsize=256)
def _before(texts: tuple[str, ...]) -> dict[str, set[str]]:
    """Return the two words before each word of the texts."""
    found: dict[str, set[str]] = {}
    for text in texts:
        every = _folded_words(text)
        for n, word in enumerate(every):
            found.setdefault(word, set()).update(every[max(0, n - 2) : n])
    return found


def _is_initial(run: Sequence[str], n: int, texts: tuple[str, ...]) -> bool:
    """Return whether a word is the initial of a first name that the texts write out before the
    same surname ("L. Okafor" is Lena Okafor), or is written out where they have the initial.
    """
    return n + 1 < len(run) and any(
        word[0] == run[n][0] and 1 in {len(word), len(run[n])}
        for word in _before(texts).get(run[-1], ())
        if word
    )


def missing_names(question: str, text: str) -> set[str]:
    """Return the words of the names in a question that a text does not hold, folded."""
    every = _folded_words(text)
    held = frozenset(every)
    wanted = {part for run in names(question) for word in run for part in word.split("-")}
    stems = frozenset(map(stem, held))
    shorts = frozenset(_acronyms(text)) if wanted - held else frozenset()
    return {
        name
        for name in wanted - held - shorts
        if not _expands(name, held, frozenset(pairwise(every))) and not _is_held(name, held, stems)
    }


@lru_cache(maxsize=256)
def _folded_words(text: str) -> tuple[str, ...]:
    return tuple(word.replace(".", "") for part in words(text) for word in part.split("-"))


def same_name(one: str, other: str) -> bool:
    """Return whether two words are forms of one name or stem: "estonia" and "estonian"."""
    if one == other:
        return True
    if one[:4] != other[:4]:  # no ending can make one of the other
        return stem(one) == stem(other)  # "struck" and "strike"
    return _is_held(one, {other}, {stem(other)})


_ENDINGS = frozenset("s n ns an ans ian ians ese ish 's er ers".split())


def acronyms(text: str) -> Iterator[str]:
    """Yield the initials of runs of capitalised words: "nac" for "North Atlantic Council"."""
    for match in re.finditer(r"(?:\b[A-Z][\w'’]*(?:\s(?:of|the|and|for)\s|[\s-])?){2,}", text):
        capitals = [word[0].lower() for word in re.findall(r"\b[A-Z][\w'’]*", match[0])]
        for start in range(len(capitals)):
            for end in range(start + 2, min(len(capitals), start + 6) + 1):
                yield "".join(capitals[start:end])


_acronyms = lru_cache(maxsize=256)(lambda text: frozenset(acronyms(text)))


def _abbreviates(run: Sequence[str], every: frozenset[str]) -> bool:
    # "North Atlantic Council" in the claim, "NAC" in the source.
    initials = "".join(word[0] for word in run)
    # The initials of "Author Trump" are no name.
    return len(run) >= 2 and initials in every and initials not in STOPWORDS


LONG_FORMS = {"us": ("united", "states"), "uk": ("united", "kingdom"), "un": ("united", "nations"),
               "eu": ("european", "union"), "fed": ("federal", "reserve"),
               "ceo": ("chief", "executive")}  # fmt: skip


_SHORT_TITLES = {
    "sen": "senator", "gov": "governor", "gen": "general", "rep": "representative",
    "prof": "professor", "dr": "doctor", "capt": "captain", "col": "colonel",
}  # fmt: skip
_LONG_TITLES = {long: short for short, long in _SHORT_TITLES.items()}


def _expands(word: str, known: frozenset[str], pairs: frozenset[tuple[str, str]]) -> bool:
    if word in {"american", "america", "americans"}:
        return "us" in known or ("united", "states") in pairs
    if known & {_SHORT_TITLES.get(word), _LONG_TITLES.get(word)}:
        return True
    if word in LONG_FORMS:
        return LONG_FORMS[word] in pairs
    return any(word in long and short in known for short, long in LONG_FORMS.items())


_OFFICES = frozenset(
    "president prime minister secretary chancellor senator governor mayor king queen prince "
    "princess general coach captain ambassador director chairman chief spokesman".split()
)


def _near(pair: tuple[str, str], held: Sequence[Sequence[str]], shorts: frozenset[str]) -> bool:
    """Return whether the two words of a name stand near one another in one of the texts."""
    if not shorts.isdisjoint(pair):
        return True
    offices = _OFFICES | _SHORT_TITLES.keys()
    if pair[1] in offices and pair[0] not in offices:
        return True  # "UNESCO Director General": the sources have both
    for text in held:
        first = [i for i, word in enumerate(text) if same_name(pair[0], word)]
        second = {i for i, word in enumerate(text) if same_name(pair[1], word)}
        if any(i + step in second for i in first for step in range(-3, 4)):
            return True
    # In two sources: "Okafor" here, "Harbour Minister" there.
    return not any(same_name(pair[0], w) for text in held[:1] for w in text)
