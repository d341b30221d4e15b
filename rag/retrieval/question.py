"""What was asked: checked, and completed from the conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.errors import InputError
from rag.text.names import names
from rag.types import Turn

LEANS = re.compile(
    r"^(?:and|but|so|why|how so|what about|how about)\b|\b(?:he|she|it|they|him|her|them|his|its|"
    r"their|this|those|these)\b",
    re.IGNORECASE,
)

POLAR = re.compile(
    r"^(?:so |and |but )?(?:am|is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall"
    r"|should|may|might|must)(?:n't|n’t)?\b(?!.*\bor\b)",
    re.IGNORECASE,
)


PARTS = re.compile(
    r",? (?:and|but) (?:also )?(?:who|whom|whose|what|when|where|why|how|which|do|does|did|is|are"
    r"|was|were|has|have|had|can|could|will|would)\b"
    r"|\b(?:which|what|who) (?:were |are )?(?:the )?(?:two|three|four)\b"
    r"|\b(?:both|each of|differ(?:s|ed|ence)?|compared?)\b",
    re.IGNORECASE,
)


def checked(question: str, most_characters: int) -> str:
    """Return a question without characters that cannot be encoded.

    Raises InputError when it is empty or too long.
    """
    clean = question.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").strip()
    if not clean:
        raise InputError("The question is empty. Ask something.")
    if len(clean) > most_characters:
        raise InputError(
            f"The question is too long ({len(clean):,} characters; the limit is "
            f"{most_characters:,}). Shorten it."
        )
    return clean


def with_history(question: str, history: Sequence[Turn]) -> str:
    """Return what to search for: a question that leans on the one before, together with it."""
    before = [turn.text for turn in history if turn.role == "user"]
    if before and LEANS.search(question) and not names(question):
        return f"{before[-1]} {question}"
    return question


def is_polar(question: str) -> bool:
    """Return whether the answer is yes or no."""
    return bool(POLAR.search(question.strip()))


def has_parts(question: str) -> bool:
    """Return whether the answer probably stands in more than one sentence."""
    return bool(PARTS.search(question))
