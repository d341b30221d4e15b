"""A question that does not say which of several things it means is answered with a question back.

Only where its form is certain: it points ("this treaty", "it") at what neither it nor the
conversation has named, and several articles come near. That several come equally near
does not by itself tell such a question from a clear one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rag.retrieval.search import TURNS
from rag.text.names import names
from rag.text.terms import STOPWORDS, content_terms, stem, words
from rag.types import Hit, Turn

TURN_CHARACTERS = 2000  # most characters of one
SCORE_GAP = 0.15  # retrieval score by which an article that is listed may trail the best one
MOST_TITLES = 4  # most articles

_LETTERS = r"[^\W\d_][\w’'-]*"
# "this treaty", "these kinds of owls"; not "this week", "this is".
THIS = re.compile(
    rf"\b(?:this|these)\s+(?!(?:is|was|are|were|has|have|had|does|do|did|can|will|would|mean|year"
    r"|week|month|day|morning|afternoon|evening|night|time|season|century|summer|winter|spring"
    r"|autumn|fall|weekend|decade|quarter|past|last|article|text|story|passage|collection|and|or"
    rf"|in|on|at|of|to|from|than|different|kind|sort|way)\b)({_LETTERS}(?:\s+{_LETTERS})?)",
    re.IGNORECASE,
)
IT = re.compile(r"\b(?:he|she|it|they|him|her|his|its|their|them)\b", re.IGNORECASE)
IMPERSONAL = re.compile(
    r"\bit\s+(?:is|was|takes?|took|true|possible|mean|means|rains?)\b|\b(?:is|was|does|did) it "
    r"(?:true|possible|take|mean|rain|important|legal|safe|ok|okay|like)\b",
    re.IGNORECASE,
)
FEW_WORDS = 2  # content words beside which a pronoun without a conversation stands alone


def points_at(question: str, history: Sequence[Turn]) -> str | None:
    """Return the words of a question that point at what neither it nor the conversation names."""
    conversation = {
        stem(word) for turn in history[-TURNS:] for word in words(turn.text[:TURN_CHARACTERS])
    }
    if match := THIS.search(question):
        named = names(question[: match.start()])  # perhaps what the words point back at
        return None if named or conversation & set(content_terms(match[1])) else match[0]
    alone = not history and not names(question) and not IMPERSONAL.search(question)
    if alone and (match := IT.search(question)):
        content = {word for word in words(question) if word not in STOPWORDS}
        return match[0] if len(content) <= FEW_WORDS else None
    return None


def asking_back(
    question: str, history: Sequence[Turn], found: Sequence[Hit], title: Callable[[str], str]
) -> str | None:
    """Return a note that asks what a question means and lists what the articles offer, or None for
    a question that is clear enough, or about which only one article comes near.

    ``found``: passages, best first. ``title``: of an article, by its path.
    """
    if not found or not (pointer := points_at(question, history)):
        return None
    paths = dict.fromkeys(hit.article for hit in found if hit.score >= found[0].score - SCORE_GAP)
    titles = [f"“{title(path)}”" for path in paths][:MOST_TITLES]
    if len(titles) < 2:
        return None
    return (
        f"The question does not say what “{_head(pointer)}” is. The articles that come nearest: "
        f"{', '.join(titles)}. Which one do you mean?"
    )


def _head(pointer: str) -> str:
    """Return what is pointed at without a preposition or an adverb that came with it."""
    parts = pointer.split()
    goes_on = parts[-1].lower() not in STOPWORDS and not parts[-1].endswith("ly")
    return " ".join(parts if goes_on else parts[:2])
