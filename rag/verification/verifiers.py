"""SEAM Verifier: do these sentences support this claim?

A newcomer adds a verifier by writing one class and one row in VERIFIERS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.config import Config
from rag.errors import UnknownName
from rag.models import files
from rag.text.names import same_name
from rag.text.numbers import MAGNITUDES, WORDS
from rag.text.terms import content_terms, stem
from rag.verification.nli import NliModel
from rag.verification.problem import Problem
from rag.verification.rules import problems

SUPPORTED = 0.7  # least support of a claim that is shown in the draft's own words
# Terms that are not looked for as words: numbers have rules of their own, "yes" says nothing.
_OWN_RULES = frozenset(stem(word) for word in [*WORDS, *MAGNITUDES, "yes"])


@dataclass(frozen=True, slots=True)
class Check:
    """A verifier's judgement of a claim."""

    support: float  # 0..1
    problems: tuple[Problem, ...] = ()
    needed: float = SUPPORTED  # least support with which it passes
    unsaid: tuple[str, ...] = ()  # content terms that are new in the claim

    @property
    def passed(self) -> bool:
        return self.support >= self.needed and not self.problems and not self.unsaid


class Verifier(Protocol):
    """Judges a claim against its sources, which are to be read together with their title."""

    def check(
        self, claim: str, sources: Sequence[str], title: str, weights: Mapping[str, float], /
    ) -> Check:
        """Return the judgement. ``weights`` of terms (see ``rag.text.terms``); 1 where not
        given.
        """


class RulesVerifier:
    """The rules of rag/verification/rules.py, then the words: its sources or their title hold each
    of the claim's, in some form, and the sources alone most of them.
    """

    def check(
        self, claim: str, sources: Sequence[str], title: str, weights: Mapping[str, float], /
    ) -> Check:
        # Words that only the title holds count half: every sentence of the article would have them.
        missing = missing_terms(claim, [*sources, title])
        support = (recall(claim, sources, weights) + _coverage(claim, missing, weights)) / 2
        return Check(support, problems(claim, sources, title), unsaid=missing)


class NoVerifier:
    """Takes every claim as it is: what others do, for measuring against it."""

    def check(
        self, _claim: str, _sources: Sequence[str], _title: str, _weights: Mapping[str, float], /
    ) -> Check:
        return Check(1.0)


class NliVerifier:
    """The rules, and the probability of entailment by a model of the hub (see
    rag/verification/nli.py).
    """

    def __init__(self, model: NliModel) -> None:
        self._model = model

    def check(
        self, claim: str, sources: Sequence[str], title: str, _weights: Mapping[str, float], /
    ) -> Check:
        premise = " ".join([f"{title}.", *sources])
        support = self._model.entailment(premise, claim) if sources else 0.0
        return Check(support, problems(claim, sources, title), needed=0.5)


VERIFIERS: dict[str, Callable[[], Verifier]] = {"rules": RulesVerifier, "none": NoVerifier}
NLI = "nli:"  # followed by a hub id or the folder of a model


def load_verifier(name: str, config: Config | None = None) -> Verifier:
    """Return a registered verifier, or the one of "nli:" and a hub id or folder.

    Raises UnknownName, and ModelError if its model is not on this machine or cannot be used.
    """
    config = config or Config()
    if name.startswith(NLI) and name != NLI:
        return NliVerifier(NliModel(files.locate(name.removeprefix(NLI), config.models_dir)))
    if name not in VERIFIERS:
        raise UnknownName("verifier", name, [*sorted(VERIFIERS), f"{NLI}HUB_ID"])
    return VERIFIERS[name]()


def recall(claim: str, sources: Sequence[str], weights: Mapping[str, float]) -> float:
    """Return the weighted share of the claim's content terms that the sources hold, 0..1."""
    return _coverage(claim, missing_terms(claim, sources), weights)


def _coverage(claim: str, missing: Sequence[str], weights: Mapping[str, float]) -> float:
    claim_terms = _claim_terms(claim)
    if not claim_terms:
        return 0.0
    whole = sum(weights.get(term, 1.0) for term in claim_terms)
    return 1 - sum(weights.get(term, 1.0) for term in missing) / max(1e-9, whole)


def missing_terms(claim: str, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the claim's content terms that no source holds in any form."""
    source_terms = {term for source in sources for term in content_terms(source)}
    return tuple(
        term
        for term in _claim_terms(claim)
        if term not in source_terms and not any(same_name(term, other) for other in source_terms)
    )


def _claim_terms(claim: str) -> tuple[str, ...]:
    terms = dict.fromkeys(content_terms(claim))
    return tuple(term for term in terms if term not in _OWN_RULES)
