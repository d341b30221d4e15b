"""Rule checks of a claim against its sources: what a paraphrase must not change.

Each file ``rules_….py`` holds one idea: numbers, dates, names, negation, modality with attribution,
and roles (who did it, said it, holds the office). A rule yields a Problem for what the claim says
and its sources, with their article's title, do not. When unsure it is silent: a false alarm costs
a good claim, which is then quoted instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.text.terms import words
from rag.verification.dates import date_problems
from rag.verification.modality import modality_problems
from rag.verification.names import name_problems
from rag.verification.negation import negation_problems
from rag.verification.numbers import number_problems
from rag.verification.problem import Problem
from rag.verification.roles import role_problems
from rag.verification.rules_nearness import nearness_problems


def problems(claim: str, sources: Sequence[str], title: str) -> tuple[Problem, ...]:
    """Return what the claim says and its sources (with the title) do not."""
    whole = "\n".join([*sources, title])
    return (
        *number_problems(claim, whole),
        *date_problems(claim, whole),
        *_quotation_problems(claim, whole),
        *name_problems(claim, [*sources, title]),
        *negation_problems(claim, sources),
        *modality_problems(claim, sources),
        *role_problems(claim, sources, title),
        *nearness_problems(claim, sources),
    )


QUOTED = re.compile(r"[\"“”«„]([^\"“”«»„]{2,}?)[\"“”»]")


def _quotation_problems(claim: str, whole: str) -> Iterator[Problem]:
    found = list(QUOTED.finditer(claim))
    text = _letters(whole) if found else ""
    for match in found:
        if _letters(match[1]).strip() not in text:
            yield Problem("quotation", match[1])


def _letters(text: str) -> str:
    return f" {' '.join(words(text))} "
