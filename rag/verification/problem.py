"""What the rule checks of a claim find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "number",
    "date",
    "quotation",
    "name",
    "negation",
    "approximation",  # "at least 20" for "at most 20"
    "modality",  # "is" for "may be"
    "attribution",  # as a fact what somebody warned of, claimed, fears …
    "role",  # who did it, said it, or holds the office
    "relation",  # two things that its sources have, but nowhere near each other
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the claim that its sources do not say."""

    kind: Kind
    text: str  # as written in the claim
