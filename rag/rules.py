"""Rule checks of a claim against its sources: what a paraphrase must not change.

Numbers with their units, dates, quoted words, names and negation. Each rule yields a Problem for
what the claim says and its sources, with their article's title, do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from rag.numbers import DAYS, MAGNITUDES, MONTHS, ORDINALS, WORDS, Number, dates, numbers
from rag.terms import STOPWORDS, content_terms, fold, stem, words

Kind = Literal["number", "date", "quotation", "name", "negation"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the claim that its sources do not say."""

    kind: Kind
    text: str  # as written in the claim


def problems(claim: str, sources: Sequence[str], title: str) -> tuple[Problem, ...]:
    """Return what the claim says and its sources (with the title) do not."""
    whole = "\n".join([*sources, title])
    return (
        *_number_problems(claim, whole),
        *_date_problems(claim, whole),
        *_quotation_problems(claim, whole),
        *_name_problems(claim, [*sources, title]),
        *_negation_problems(claim, sources),
    )


# Numbers and dates.


def _number_problems(claim: str, whole: str) -> Iterator[Problem]:
    known = numbers(whole)
    in_dates = {part for d in dates(whole) for part in (d.year, d.day)}
    for number in numbers(claim):
        if not any(_same_number(number, other) for other in known) and (
            number.unit or number.value not in in_dates
        ):
            yield Problem("number", number.written)
    said = {ORDINALS[word] for word in words(whole) if word in ORDINALS}
    said |= {int(number.value) for number in known}
    for word in words(claim):
        if word in ORDINALS and ORDINALS[word] not in said:
            yield Problem("number", word)


def _same_number(claimed: Number, known: Number) -> bool:
    same_unit = claimed.unit == known.unit or claimed.unit is None or known.unit is None
    return same_unit and abs(claimed.value - known.value) <= 1e-9 * abs(known.value)


def _date_problems(claim: str, whole: str) -> Iterator[Problem]:
    known = dates(whole)
    for date in dates(claim):
        if not any(date.agrees(other) for other in known):
            yield Problem("date", date.written)


# Quotations.

QUOTED = re.compile(r"[\"“”«„]([^\"“”«»„]{2,}?)[\"“”»]")


def _quotation_problems(claim: str, whole: str) -> Iterator[Problem]:
    text = _letters(whole)
    for match in QUOTED.finditer(claim):
        if _letters(match[1]).strip() not in text:
            yield Problem("quotation", match[1])


def _letters(text: str) -> str:
    return f" {' '.join(words(text))} "


# Names.

_OPENERS = frozenset(
    "yes no none nobody nothing neither never according both some many most several few other "
    "others another each every people officials authorities residents police scientists "
    "researchers experts critics reports currently however although though because since during "
    "despite under over among between within without through instead even still just now today "
    "only more less here that's it's there's they're".split()
)
_WORD = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*\.?")
_NOT_NAMES = frozenset([*DAYS, *MONTHS, *ORDINALS, *WORDS, *MAGNITUDES])


def names(text: str) -> list[tuple[str, ...]]:
    """Return the runs of neighbouring capitalised words in a text, each word folded.

    The first word of a sentence counts when it is not a common opener.
    """
    runs: list[list[str]] = []
    goes_on, opening = False, True
    for match in _WORD.finditer(text):
        word = match[0]
        folded = fold(word).replace("’", "'").removesuffix("'s").rstrip(".")
        bare = folded.replace(".", "")
        is_name = _is_name(word, bare, opening=opening)
        if is_name and goes_on:
            runs[-1].append(bare)
        elif is_name:
            runs.append([bare])
        ended = word.endswith(".") and "." not in word[:-1] and len(word) > 3
        ended = ended and bare not in _TITLES
        rest = text[match.end() : match.end() + 2]
        goes_on = is_name and not ended and rest[:1] in {" ", "\u00a0", "-"}
        goes_on = goes_on and rest[1:2].isalnum()
        opening = ended or rest[:1] in tuple('.!?:\n"“')
    return [tuple(run) for run in runs]


_TITLES = frozenset("gen sen gov rep prof capt col sgt rev maj lieut".split())


def _is_name(word: str, bare: str, *, opening: bool) -> bool:
    if not word[0].isupper() or bare in STOPWORDS or bare in _NOT_NAMES:
        return word.isupper() and len(word) > 1 and bare in {"us", "who"}
    return not (opening and bare in _OPENERS)


def _name_problems(claim: str, texts: Sequence[str]) -> Iterator[Problem]:
    held = [_folded_words(text) for text in texts]
    every = [word for of_text in held for word in of_text]
    shorts = {short for text in texts for short in acronyms(text)}
    for whole in names(claim):
        run = [part for word in whole for part in word.split("-")]  # as the texts are
        missing = [w for w in run if w not in shorts and not _expands(w, every) and
                   not any(same_name(w, other) for other in every)]  # fmt: skip
        if missing and not _abbreviates(run, every):
            yield Problem("name", " ".join(missing))
        elif not missing and not all(_near(pair, held, shorts) for pair in pairwise(run)):
            yield Problem("name", " ".join(run))


def missing_names(question: str, text: str) -> set[str]:
    """Return the words of the names in a question that a text does not hold, folded."""
    every = _folded_words(text)
    held = frozenset(every)
    wanted = {part for run in names(question) for word in run for part in word.split("-")}
    shorts = frozenset(acronyms(text)) if wanted - held else frozenset()
    return {
        name
        for name in wanted - held - shorts
        if not _expands(name, every) and not any(same_name(name, other) for other in held)
    }


def _folded_words(text: str) -> list[str]:
    return [word.replace(".", "") for part in words(text) for word in part.split("-")]


def same_name(one: str, other: str) -> bool:
    """Return whether two words are forms of one name or stem: "russia" and "russian"."""
    if one == other or stem(one) == stem(other):
        return True
    short, long = sorted((one, other), key=len)
    return len(short) >= 4 and long.startswith(short) and long[len(short) :] in _ENDINGS


_ENDINGS = frozenset("s n ns an ans ian ians ese ish 's er ers".split())


def acronyms(text: str) -> Iterator[str]:
    """Yield the initials of runs of capitalised words: "nac" for "North Atlantic Council"."""
    for match in re.finditer(r"(?:\b[A-Z][\w'’]*(?:\s(?:of|the|and|for)\s|[\s-])?){2,}", text):
        capitals = [word[0].lower() for word in re.findall(r"\b[A-Z][\w'’]*", match[0])]
        for start in range(len(capitals)):
            for end in range(start + 2, min(len(capitals), start + 6) + 1):
                yield "".join(capitals[start:end])


def _abbreviates(run: Sequence[str], every: Sequence[str]) -> bool:
    # "North Atlantic Council" in the claim, "NAC" in the source.
    return len(run) >= 2 and "".join(word[0] for word in run) in every


_LONG_FORMS = {"us": ("united", "states"), "uk": ("united", "kingdom"), "un": ("united", "nations"),
               "eu": ("european", "union")}  # fmt: skip


def _expands(word: str, every: Sequence[str]) -> bool:
    if word in {"american", "america", "americans"}:
        return "us" in every or ("united", "states") in set(pairwise(every))
    if word in _LONG_FORMS:
        return _LONG_FORMS[word] in set(pairwise(every))
    return any(word in long and short in every for short, long in _LONG_FORMS.items())


def _near(pair: tuple[str, str], held: Sequence[Sequence[str]], shorts: set[str]) -> bool:
    """Return whether the two words of a name stand near one another in one of the texts."""
    if shorts & set(pair):
        return True
    for text in held:
        first = [i for i, word in enumerate(text) if same_name(pair[0], word)]
        second = [i for i, word in enumerate(text) if same_name(pair[1], word)]
        if any(abs(i - j) <= 3 for i in first for j in second):
            return True
    # In two sources: "Austin" here, "Defense Secretary" there.
    return not any(same_name(pair[0], w) for text in held[:1] for w in text)


# Negation.

NEGATION = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|\w+n[’']t|den(?:y|ied|ies)|"
    r"refus(?:e|ed|es|ing)|fail(?:ed|s)? to|rul(?:e|ed|es|ing) out|unable|unlikely|"
    r"reject(?:ed|s|ing)?)\b(?![^.,;]*\buntil\b)",
    re.IGNORECASE,
)
NOT_ONLY = re.compile(r"\bnot (?:only|just|least)\b|\bno (?:less|more) than\b", re.IGNORECASE)
CLAUSE_END = re.compile(r"[,;:.!?—–()\"“”]|\b(?:but|although|however|while|whereas|and then)\b")


@dataclass(frozen=True, slots=True)
class Polarity:
    """The content terms of a text by whether they are negated."""

    inside: frozenset[str]  # in the scope of a negation
    outside: frozenset[str]
    heads: frozenset[str]  # the first term after each negation: what is negated for certain


def polarity(text: str) -> Polarity:
    """Sort the content terms of a text.

    The scope of a negation word goes on to the end of its clause (after Chapman et al. 2001,
    "A simple algorithm for identifying negated findings", who cut it by a word list).
    """
    plain = NOT_ONLY.sub(lambda match: " " * len(match[0]), text)
    inside: set[str] = set()
    outside = set(content_terms(text))
    heads: set[str] = set()
    for match in NEGATION.finditer(plain):
        end = CLAUSE_END.search(plain, match.end())
        after = content_terms(plain[match.end() : end.start() if end else None])
        inside.update(after)
        heads.update(after[:1])
        outside -= {*after, *content_terms(match[0])}
    return Polarity(frozenset(inside), frozenset(outside), frozenset(heads))


def _negation_problems(claim: str, sources: Sequence[str]) -> Iterator[Problem]:
    said = polarity(claim)
    found = [polarity(source) for source in sources]
    inside = {term for source in found for term in source.inside}
    outside = {term for source in found for term in source.outside}
    heads = {term for source in found for term in source.heads}
    denies = said.inside and not said.inside & inside and said.inside & outside
    if denies or (said.inside and not inside):
        yield Problem("negation", "not")
    elif wrong := said.outside & ((inside - outside) if not said.inside else (heads - outside)):
        # The claim says plainly what its source denies.
        yield Problem("negation", " ".join(sorted(wrong)))
