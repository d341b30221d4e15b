"""What a sentence that answers a kind of question contains: "when" a date, "how many" a number."""

from __future__ import annotations

import re

MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DAYS = "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
NUMBER = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|"
    r"thousand|million|billion|half|twice|double)\b"
)
ANSWER_TYPES = (
    (r"\bhow (?:many|much|old|long|far|tall|big|large|fast|often)\b|\bwhat (?:number|percent"
     r"|proportion|amount|age|price|share)", NUMBER),
    (r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b",
     rf"\d|\b(?:{MONTHS}|{DAYS}|yesterday|today|century|week|month|year|ago)\b"),
    (r"\bwho(?:m|se)?\b", r"(?<!^)(?<![.!?] )\b[A-Z][a-z]|\b(?:he|she|they)\b"),
    (r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town|county|continent|region)\b",
     r"\b(?:in|at|near|from|to|of|on) (?:the )?(?:\w+ )?[A-Z]"),
    (r"\bwhy\b", r"\b(?:because|since|due|to|so|after|for|as|therefore|cause)\b"),
)  # fmt: skip
_ANSWER_TYPES = [(re.compile(q, re.IGNORECASE), re.compile(a)) for q, a in ANSWER_TYPES]


def answer_type(question: str) -> re.Pattern[str] | None:
    """Return what a sentence that answers this kind of question contains, where that is known."""
    return next((answer for asked, answer in _ANSWER_TYPES if asked.search(question)), None)
