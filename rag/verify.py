"""SEAM Verifier: do these sentences support this claim?

A newcomer adds a verifier by writing one class and one row in VERIFIERS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.errors import UnknownName
from rag.numbers import MAGNITUDES, WORDS
from rag.rules import Problem, problems, same_name
from rag.terms import content_terms, stem


@dataclass(frozen=True, slots=True)
class Check:
    """A verifier's judgement of a claim."""

    support: float  # 0..1
    problems: tuple[Problem, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems and self.support >= SUPPORTED


_NUMBER_TERMS = frozenset(stem(word) for word in [*WORDS, *MAGNITUDES])
SUPPORTED = 0.7  # least support of a claim that is shown in the draft's own words


class Verifier(Protocol):
    """Judges a claim against its sources, which are to be read together with their title."""

    def check(
        self, claim: str, sources: Sequence[str], title: str, weights: Mapping[str, float], /
    ) -> Check:
        """Return the judgement. ``weights`` of terms (see ``rag.terms``); 1 where not given."""


class RulesVerifier:
    """The rules of rag/rules.py, then the share of the claim's words that its sources hold."""

    def check(
        self, claim: str, sources: Sequence[str], title: str, weights: Mapping[str, float], /
    ) -> Check:
        # Words that only the title holds count half: every sentence of the article would have them.
        alone = recall(claim, sources, weights)
        titled = recall(claim, [*sources, title], weights)
        return Check((alone + titled) / 2, problems(claim, sources, title))


class NoVerifier:
    """Takes every claim as it is: what others do, for measuring against it."""

    def check(
        self, _claim: str, _sources: Sequence[str], _title: str, _weights: Mapping[str, float], /
    ) -> Check:
        return Check(1.0)


VERIFIERS: dict[str, Callable[[], Verifier]] = {"rules": RulesVerifier, "none": NoVerifier}


def load_verifier(name: str) -> Verifier:
    """Return a registered verifier. Raises UnknownName."""
    if name not in VERIFIERS:
        raise UnknownName("verifier", name, sorted(VERIFIERS))
    return VERIFIERS[name]()


def recall(claim: str, sources: Sequence[str], weights: Mapping[str, float]) -> float:
    """Return the weighted share of the claim's content terms that the sources hold, 0..1."""
    wanted = set(content_terms(claim)) - _NUMBER_TERMS  # these have a rule of their own
    if not wanted:
        return 0.0
    held = {term for source in sources for term in content_terms(source)}
    found = sum(weights.get(term, 1.0) for term in wanted if _held(term, held))
    return found / max(1e-9, sum(weights.get(term, 1.0) for term in wanted))


def _held(term: str, held: set[str]) -> bool:
    return term in held or any(same_name(term, other) for other in held)
