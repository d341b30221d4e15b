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
    has_form,
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
    text_words = [folded_words(text) for text in texts]
    all_words = [word for words in text_words for word in words]
    present = frozenset(all_words)
    stems = frozenset(map(stem, present))
    acronyms = frozenset(short for text in texts for short in acronyms_of(text))
    pairs = frozenset(pairwise(all_words))
    for name in dict.fromkeys(runs):
        run = [part for word in name for part in word.split("-")]  # as the texts are
        missing = [
            word
            for n, word in enumerate(run)
            if not has_form(word, present, stems)
            and word not in acronyms
            and not expands(word, present, pairs)
            and not _is_initial(run, n, tuple(texts))
        ]
        initials = "".join(word[0] for word in run)
        # "North Atlantic Council", in the source "NAC"; the initials of "Author Trump" are no name.
        short = len(run) >= 2 and initials in present and initials not in STOPWORDS
        if missing and not short:
            yield Problem("name", " ".join(missing))
        elif not missing and not all(
            _are_near(pair, text_words, acronyms) for pair in dict.fromkeys(pairwise(run))
        ):
            yield Problem("name", " ".join(run))


@lru_cache(maxsize=256)
def _preceding_words(texts: tuple[str, ...]) -> dict[str, set[str]]:
    """Return the two words before each word of the texts."""
    preceding: dict[str, set[str]] = {}
    for text in texts:
        words = folded_words(text)
        for n, word in enumerate(words):
            preceding.setdefault(word, set()).update(words[max(0, n - 2) : n])
    return preceding


def _is_initial(run: Sequence[str], n: int, texts: tuple[str, ...]) -> bool:
    """Return whether a word is the initial of a first name that the texts write out before the
    same surname ("L. Okafor" is Lena Okafor), or is written out where they have the initial.
    """
    return n + 1 < len(run) and any(
        word[0] == run[n][0] and 1 in {len(word), len(run[n])}
        for word in _preceding_words(texts).get(run[-1], ())
        if word
    )


_OFFICES = frozenset(
    "president prime minister secretary chancellor senator governor mayor king queen prince "
    "princess general coach captain ambassador director chairman chief spokesman".split()
)


def _are_near(
    pair: tuple[str, str], text_words: Sequence[Sequence[str]], acronyms: frozenset[str]
) -> bool:
    """Return whether the two words of a name stand near one another in one of the texts."""
    if not acronyms.isdisjoint(pair):
        return True
    offices = _OFFICES | SHORT_TITLES.keys()
    if pair[1] in offices and pair[0] not in offices:
        return True  # "UNESCO Director General": the sources have both
    for text in text_words:
        first = [i for i, word in enumerate(text) if same_name(pair[0], word)]
        second = {i for i, word in enumerate(text) if same_name(pair[1], word)}
        if any(i + step in second for i in first for step in range(-3, 4)):
            return True
    # In two sources: "Okafor" here, "Harbour Minister" there.
    return not any(same_name(pair[0], w) for text in text_words[:1] for w in text)
