"""What was asked: checked, and what kind of answer it wants."""

from __future__ import annotations

import re

from rag.errors import InputError

POLAR = re.compile(
    r"^(?:so |and |but )?(?:am|is|are|was|were|do|does|did|has|have|had|can|could|will|would|shall"
    r"|should|may|might|must)(?:n't|n’t)?\b(?!.*\bor\b)",
    re.IGNORECASE,
)


SEVERAL_PARTS = re.compile(
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


def is_polar(question: str) -> bool:
    """Return whether the answer is yes or no."""
    return bool(POLAR.search(question.strip()))


def has_parts(question: str) -> bool:
    """Return whether the answer probably stands in more than one sentence."""
    return bool(SEVERAL_PARTS.search(question))


_NEXT_PART = re.compile(
    r",? (?:and|but) (?:also )?(?=(?:who|whom|whose|what|when|where|why|how|which)\b)"
)


def parts_of(question: str) -> list[str]:
    """Return the questions that one question is made of: "Who won, and by how many points?"."""
    parts = [part.strip() for part in _NEXT_PART.split(question)]
    return parts if all(len(part.split()) > 1 for part in parts) else [question]


# What a sentence that answers a kind of question contains: "when" a date, "how many" a number.

MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
NUMBER = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|"
    r"thousand|million|billion|half|twice|double)\b"
)
ANSWER_TYPES = (
    (
        r"\bhow (?:many|much|old|long|far|tall|big|large|fast|often)\b|\bwhat (?:number|percent"
        r"|proportion|amount|age|price|share)",
        NUMBER,
    ),
    (
        r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b",
        rf"\d|\b(?:{MONTHS}|{DAYS}|yesterday|today|century|week|month|year|ago)\b",
    ),
    (r"\bwho(?:m|se)?\b", r"(?<!^)(?<![.!?] )\b[A-Z][a-z]|\b(?:he|she|they)\b"),
    (
        r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town|county|continent|region)\b",
        r"\b(?:in|at|near|from|to|of|on) (?:the )?(?:\w+ )?[A-Z]",
    ),
    (r"\bwhy\b", r"\b(?:because|since|due|to|so|after|for|as|therefore|cause)\b"),
)
_ANSWER_TYPES = [(re.compile(q, re.IGNORECASE), re.compile(a)) for q, a in ANSWER_TYPES]


def answer_type(question: str) -> re.Pattern[str] | None:
    """Return what a sentence that answers this kind of question contains, where that is known."""
    return next((answer for pattern, answer in _ANSWER_TYPES if pattern.search(question)), None)
