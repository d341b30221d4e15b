"""Other ways to write what a question asks for: a capital for its government, an acronym for its
long form and the reverse, another spelling of a name.

Only retrieval uses them, where a wrong one costs a rank; the checks on claims do not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rag.text.names import acronyms
from rag.text.terms import stem, terms, words

Name = tuple[str, ...]  # stemmed terms, one after the other

# What news uses for the same state or its government.
STATES = """
afghanistan afghan kabul; argentina argentine buenos_aires; australia australian canberra; austria
austrian vienna; belarus belarusian minsk; belgium belgian brussels; brazil brazilian brasilia;
britain british uk united_kingdom london downing_street whitehall; canada canadian ottawa; chile
chilean santiago; china chinese beijing peking; colombia colombian bogota; cuba cuban havana; czech
czechia prague; denmark danish copenhagen; egypt egyptian cairo; ethiopia ethiopian addis_ababa;
finland finnish helsinki; france french paris elysee; germany german berlin; greece greek athens;
hungary hungarian budapest; india indian delhi; indonesia indonesian jakarta; iran iranian tehran;
iraq iraqi baghdad; ireland irish dublin; israel israeli jerusalem; italy italian rome; japan
japanese tokyo; kenya kenyan nairobi; lebanon lebanese beirut; mexico mexican mexico_city; myanmar
burma burmese; netherlands dutch hague; nigeria nigerian abuja; north_korea north_korean pyongyang;
norway norwegian oslo; pakistan pakistani islamabad; philippines philippine filipino manila; poland
polish warsaw; portugal portuguese lisbon; qatar qatari doha; romania romanian bucharest; russia
russian moscow kremlin; saudi_arabia saudi riyadh; serbia serbian belgrade; south_korea south_korean
seoul; spain spanish madrid; sweden swedish stockholm; switzerland swiss bern; syria syrian
damascus; taiwan taiwanese taipei; thailand thai bangkok; turkey turkish turkiye ankara; ukraine
ukrainian kyiv kiev; us united_states american america washington white_house pentagon; venezuela
venezuelan caracas; vietnam vietnamese hanoi
"""
_STATES = [
    [tuple(stem(part) for part in name.split("_")) for name in line.split()]
    for line in STATES.split(";")
]


@dataclass(frozen=True, slots=True)
class Variants:
    """What may stand in a text for terms of a question."""

    names: tuple[tuple[Name, tuple[Name, ...]], ...]  # in the question; others for each
    acronyms: frozenset[str]  # terms of the question that may be one
    unknown: tuple[tuple[str, str], ...]  # terms that no article has, and their words: misspelt?

    @property
    def terms(self) -> set[str]:
        """Return the terms to look for besides the question's."""
        return {term for _, others in self.names for other in others for term in other}

    def added(self, text_terms: Sequence[str], text: str) -> list[str]:
        """Return the question's terms that a text, whose terms are given, holds in another way."""
        present = set(text_terms)
        matches = [
            term
            for name, others in self.names
            if any(_has_name(text_terms, present, other) for other in others)
            for term in name
        ]
        if self.acronyms:
            matches += self.acronyms.intersection(acronyms(text))
        if self.unknown:
            written = set(words(text))
            matches += [
                term
                for term, word in self.unknown
                if any(w[0] == word[0] and near_spelling(word, w) for w in written)
            ]
        return [term for term in dict.fromkeys(matches) if term not in present]


def variants_of(question: str, unknown: Collection[str]) -> Variants:
    """Return the variants of a question; ``unknown`` are its terms that no article holds."""
    question_terms = terms(question)
    present = set(question_terms)
    names = [
        (name, tuple(other for other in state if other != name))
        for state in _STATES
        for name in state
        if _has_name(question_terms, present, name)
    ]
    names += [(long, ((short,),)) for short, long in _long_forms(question)]
    capitals = {word.strip(".,?!:;()\"'“”’").replace(".", "") for word in question.split()}
    short = {stem(w.lower()) for w in capitals if w.isalpha() and w.isupper() and 2 <= len(w) <= 6}
    return Variants(
        tuple(names),
        frozenset(short),
        tuple(
            (term, word)
            for word in dict.fromkeys(words(question))
            if (term := stem(word)) in unknown and len(word) >= 4
        ),
    )


def _long_forms(question: str) -> list[tuple[str, Name]]:
    """Return (acronym, terms) of the runs of capitalised words in a question."""
    runs: list[list[str]] = [[]]
    for word in question.split():
        bare = word.strip(".,?!:;()\"'“”")
        if bare[:1].isupper() and bare.isalpha():
            runs[-1].append(bare)
        elif bare not in {"of", "the", "and", "for"}:
            runs.append([])
        if word[-1:] in ",?!:;)":
            runs.append([])
    return [
        ("".join(word[0] for word in run).lower(), tuple(stem(word.lower()) for word in run))
        for run in runs
        if len(run) >= 2
    ]


def _has_name(in_order: Sequence[str], present: Collection[str], name: Name) -> bool:
    if len(name) == 1:
        return name[0] in present
    return all(term in present for term in name) and name in set(pairwise(in_order))


def near_spelling(one: str, other: str) -> bool:
    """Return whether two words differ by one letter added or left out or, if they have five
    letters or more, changed, or by two neighbours swapped.
    """
    short, long = sorted((one, other), key=len)
    if one[:1] != other[:1] or len(long) < 5 or len(long) - len(short) > 1:
        return False
    if one == other:
        return True
    prefix = next(
        (n for n, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short)
    )
    if len(short) < len(long):
        return short[prefix:] == long[prefix + 1 :]
    swapped = short[prefix + 1 : prefix + 2] + short[prefix : prefix + 1] + short[prefix + 2 :]
    return short[prefix + 1 :] == long[prefix + 1 :] or swapped == long[prefix:]
