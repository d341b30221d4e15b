"""What a question supposes and the nearest sentences do not say: told with a refusal, since "Why
did X resign?" may be asked of someone who did not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.text.names import same_name
from rag.text.terms import STOPWORDS, stem, words
from rag.types import Evidence

NEAREST = 3  # sentences that are looked at
MOST_NAMED_WORDS = 3  # words that are named; more of them say nothing
# What a question asks with, rather than about.
_QUESTION_WORDS = frozenset(
    "name names named kind kinds type types sort way ways many much long old often far big large "
    "happen happens happened become became call called know known tell say says said mean means "
    "meant explain describe think get got make made take took give gave please exactly really "
    "ever number amount year date day time people person thing things part first last one two "
    "article articles text passage according".split()
)


def missing_words(question: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Return the words of a question, as written there, that none of the nearest sentences nor
    their titles say in any form; nothing when these are most of the question.
    """
    source_words = {w for e in evidence[:NEAREST] for w in words(f"{e.title} {e.quote}")}
    stems = {stem(word) for word in source_words}
    question_words = [
        (written, word)
        for written in re.findall(r"[^\W_]+(?:['’.-][^\W_]+)*", question)
        for word in words(written)[:1]
        if word not in STOPWORDS and word not in _QUESTION_WORDS
    ]
    missing = dict.fromkeys(
        written
        for written, word in question_words
        if stem(word) not in stems and not any(same_name(word, other) for other in source_words)
    )
    most = min(MOST_NAMED_WORDS, len(question_words) / 2)
    return tuple(missing) if 0 < len(missing) <= most else ()


def why_not(
    question: str, evidence: Sequence[Evidence], unknown_names: Sequence[str], *, refused: bool
) -> str:
    """Return the reason of a refusal: what the question has and the articles or the nearest
    sentences have not. ``refused``: the draft said that it found nothing.
    """
    if unknown_names and not refused:
        return f"They do not mention {', '.join(f'“{name}”' for name in unknown_names)}."
    if missing := missing_words(question, evidence):
        named = " and ".join(f"“{word}”" for word in missing)
        return f"The sentences that come nearest say nothing of {named}."
    if refused:
        return "The sentences that come nearest do not say it."
    return "No answer could be verified against the sentences found."
