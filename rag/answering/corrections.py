"""Corrections and retractions inside an article: "Correction: an earlier version of this article
misstated …". When one concerns a claim, it is quoted with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice

from rag.text.numbers import MAGNITUDES, UNITS, WORDS
from rag.text.terms import STOPWORDS, content_terms, stem
from rag.types import Sentence

MOST_SENTENCES = 3  # sentences of a correction, its first one included
FIRST_CHARACTERS = 2_000  # characters of its first sentence
SHARED_TERMS = 2  # content terms that a correction has in common with what it concerns

_PIECE = r"(?:article|story|report|piece|post|page|column|dispatch|interview|review)"
_THIS = rf"(?:this|the|that|our) (?:\w+ )?{_PIECE}(?:['’]s (?:headline|caption|title))?"
_EARLIER = (
    rf"(?:earlier|previous|original|prior|initial) version(?: of (?:{_THIS}|this headline|the "
    rf"headline))?|earlier {_PIECE}|{_THIS}|(?:headline|caption) (?:of|on|to) {_THIS}"
)
_WRONG = (
    r"(?:mis(?:stated|identified|spelled|spelt|quoted|reported|attributed|characteri[sz]ed|named"
    r"|represented)|(?:incorrectly|wrongly|mistakenly|erroneously|inaccurately) \w+"
    r"|gave (?:the wrong|an? (?:incorrect|inaccurate|wrong))|attributed"
    r"|(?:included|contained|had|used|cited) (?:an? |the )?(?:\w+ )?(?:incorrect|inaccura\w+|wrong"
    r"|error|mistake|outdated)\w*|omitted|transposed)"
)
# "Correction: …", "Corrections & clarifications: …", "*Corrected: …"
_LABEL = (
    r"\b(?:corrections?|corrected|clarifications?|retractions?|errat(?:um|a))"
    r"(?: (?:and|&) (?:corrections?|clarifications?))?(?: \([^()]{1,30}\))? ?[:—–-]"
)
_CHANGED = r"(?:has (?:since )?been|have been|was|is)"
MARKERS = (
    # "An earlier version of this story misstated …"
    rf"\b(?:{_EARLIER})(?: \w+){{0,3}}? {_WRONG}",
    # "This story has been updated to correct …"
    rf"\b{_THIS} {_CHANGED} (?:updated|amended|changed|edited|revised)\b[^.]{{0,80}}?\b(?:to|and) "
    r"(?:correct|clarify|fix|accurately|remove|say|show|state|reflect (?!the latest))",
    # "This article has been retracted."
    rf"\b{_THIS} {_CHANGED} (?:corrected|retracted|withdrawn|clarified)\b",
    r"\b(?:we|the editors|the (?:news)?paper) (?:(?:have|has) )?(?:regrets? the (?:error|mistake)"
    rf"|retract(?:ed|s)? {_THIS})",
    # "… but later retracted that statement"
    r"\b(?:later|since|then|subsequently) (?:retracted|withdrew|corrected|took back|walked back) "
    r"(?:the|that|this|its|his|her|their) (?:\w+ )?(?:statements?|claims?|figures?|numbers?"
    r"|reports?|counts?|tolls?|remarks?|announcements?|estimates?)\b",
)
_MARKER = re.compile("|".join([r"\A\W*" + _LABEL, *MARKERS]), re.IGNORECASE)
_ANYWHERE = re.compile("|".join([_LABEL, *MARKERS]), re.IGNORECASE)
_RETRACTED = re.compile(
    rf"\b{_THIS} {_CHANGED} (?:retracted|withdrawn)\b|\bretract {_THIS}", re.IGNORECASE
)
# One of them stands in every correction; looking for them is fast in an article of any length.
_HINTS = (
    "orrect/ORRECT/larifi/LARIFI/etract/ETRACT/rrat/misst/missp/misid/misq/arlier version/"
    "arlier story/arlier article/arlier report/revious version/riginal version/nitial version/"
    "rior version/ version of th/een updated/een amended/een revised/een changed/een edited/"
    "as updated/as amended/as revised/as changed/as edited/withdr/egret/took back/walked back/"
    "this story in/this article in/his report in/his story wrong/his article wrong"
).split("/")
MOST_HINTS = 2_000  # hints in one article that are looked at
HINT_CHARACTERS = 200  # characters around a hint in which the marker stands
# What corrections say about themselves and not about their subject.
_ABOUT_ITSELF = frozenset(
    map(
        stem,
        """article story report piece post page version earlier previous original prior initial
        correction corrected correct clarification clarify update updated misstated misidentified
        misspelled incorrect incorrectly inaccurate inaccuracy wrong wrongly mistake mistakenly
        error erroneously said say stated state reflect headline editor editors note new information
        added add include included day time first date name name's spelling it fixed amended
        retracted retraction later statement claim figure number""".split(),
    )
) | frozenset(map(stem, [*STOPWORDS, *WORDS, *MAGNITUDES, *UNITS]))


def is_correction(sentence: str) -> bool:
    """Return whether a sentence corrects or retracts what its article says or said."""
    if len(sentence) > FIRST_CHARACTERS or not any(hint in sentence for hint in _HINTS):
        return False
    return bool(_MARKER.search(" ".join(sentence.split())))


@lru_cache(maxsize=256)
def marked(text: str) -> tuple[int, ...]:
    """Return the offsets near which an article may have a correction: a quick look at all of it."""
    offsets: list[int] = []
    budget = MOST_HINTS
    for hint in _HINTS:
        offset = text.find(hint)
        while offset >= 0 and budget:
            budget -= 1
            if _ANYWHERE.search(
                " ".join(text[max(0, offset - HINT_CHARACTERS) : offset + HINT_CHARACTERS].split())
            ):
                offsets.append(offset)
            offset = text.find(hint, offset + HINT_CHARACTERS)
    return tuple(sorted(offsets))


def corrections(
    text: str, sentences_from: Callable[[int], Iterator[Sentence]]
) -> Iterator[tuple[Sentence, ...]]:
    """Yield the corrections of an article: each a marked sentence and those that follow it on
    the same line, MOST_SENTENCES at most.

    ``sentences_from``: yields the sentences that begin at or after an offset.
    """
    end = 0
    for offset in marked(text):
        for sentence in sentences_from(max(end, offset - HINT_CHARACTERS - FIRST_CHARACTERS)):
            if sentence.start > offset + HINT_CHARACTERS:
                break
            if sentence.start < end or not is_correction(text[sentence.start : sentence.end]):
                continue
            note = [sentence]
            for after in islice(sentences_from(sentence.end), MOST_SENTENCES - 1):
                if "\n" in text[note[-1].end : after.start]:
                    break
                note.append(after)
            end = note[-1].end
            yield tuple(note)


def concerns(correction: str, claim: str) -> bool:
    """Return whether a correction has to do with a claim (and the sentence that it rests on): a
    retraction of the whole article with each, another with those that share its subject.
    """
    if _RETRACTED.search(correction):
        return True
    subject = set(content_terms(correction)) - _ABOUT_ITSELF
    return len(subject.intersection(content_terms(claim))) >= min(
        SHARED_TERMS, max(1, len(subject))
    )
