"""A name in the claim stands in its sources, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

from rag.text.names import (
    SHORT_TITLES,
    acronyms_of,
    expands,
    folded_words,
    is_held,
    names,
    same_name,
)
from rag.text.terms import STOPWORDS, stem
from rag.verification.problem import Problem


def name_problems(claim: str, texts: Sequence[str]) -> Iterator[Problem]:
    """Yield the names of a claim that its texts (sources and title) do not have as they are."""
    runs = names(claim)
    if not runs:
        return
    held = [folded_words(text) for text in texts]
    every = [word for of_text in held for word in of_text]
    known = frozenset(every)
    stems = frozenset(map(stem, known))
    shorts = frozenset(short for text in texts for short in acronyms_of(text))
    pairs = frozenset(pairwise(every))
    for whole in dict.fromkeys(runs):
        run = [part for word in whole for part in word.split("-")]  # as the texts are
        missing = [
            word
            for n, word in enumerate(run)
            if not is_held(word, known, stems)
            and word not in shorts
            and not expands(word, known, pairs)
            and not _is_initial(run, n, tuple(texts))
        ]
        if missing and not _abbreviates(run, known):
            yield Problem("name", " ".join(missing))
        elif not missing and not all(
            _near(pair, held, shorts) for pair in dict.fromkeys(pairwise(run))
        ):
            yield Problem("name", " ".join(run))


@lru_cache(maxsize=256)
def _before(texts: tuple[str, ...]) -> dict[str, set[str]]:
    """Return the two words before each word of the texts."""
    found: dict[str, set[str]] = {}
    for text in texts:
        every = folded_words(text)
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


def _abbreviates(run: Sequence[str], every: frozenset[str]) -> bool:
    # "North Atlantic Council" in the claim, "NAC" in the source.
    initials = "".join(word[0] for word in run)
    # The initials of "Author Trump" are no name.
    return len(run) >= 2 and initials in every and initials not in STOPWORDS


_OFFICES = frozenset(
    "president prime minister secretary chancellor senator governor mayor king queen prince "
    "princess general coach captain ambassador director chairman chief spokesman".split()
)


def _near(pair: tuple[str, str], held: Sequence[Sequence[str]], shorts: frozenset[str]) -> bool:
    """Return whether the two words of a name stand near one another in one of the texts."""
    if not shorts.isdisjoint(pair):
        return True
    offices = _OFFICES | SHORT_TITLES.keys()
    if pair[1] in offices and pair[0] not in offices:
        return True  # "UNESCO Director General": the sources have both
    for text in held:
        first = [i for i, word in enumerate(text) if same_name(pair[0], word)]
        second = {i for i, word in enumerate(text) if same_name(pair[1], word)}
        if any(i + step in second for i in first for step in range(-3, 4)):
            return True
    # In two sources: "Okafor" here, "Harbour Minister" there.
    return not any(same_name(pair[0], w) for text in held[:1] for w in text)
