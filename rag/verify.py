"""SEAM Verifier: do these sentences support this claim?

A newcomer adds a verifier by writing one class and one row in VERIFIERS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag import meaning, models
from rag.config import Config
from rag.encoder import Encoder, load_encoder
from rag.errors import UnknownName
from rag.nli import NliModel
from rag.numbers import MAGNITUDES, WORDS
from rag.rules import Problem, problems, same_name
from rag.terms import content_terms, stem

SUPPORTED = 0.7  # least support of a claim that is shown in the draft's own words
_NUMBER_TERMS = frozenset(stem(word) for word in [*WORDS, *MAGNITUDES])


@dataclass(frozen=True, slots=True)
class Check:
    """A verifier's judgement of a claim."""

    support: float  # 0..1
    problems: tuple[Problem, ...] = ()
    needed: float = SUPPORTED  # least support with which it passes
    strict: bool = True  # whether a problem fails it, whatever its support

    @property
    def passed(self) -> bool:
        return self.support >= self.needed and not (self.strict and self.problems)


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


class MeaningVerifier:
    """P(supported) of rag/meaning.py, which what the rules find lowers; ``strict``: or fails."""

    def __init__(self, encoder: Encoder, needed: float, *, strict: bool) -> None:
        self._reader = meaning.Reader(encoder)
        self._needed = needed
        self._strict = strict

    def check(
        self, claim: str, sources: Sequence[str], title: str, _weights: Mapping[str, float], /
    ) -> Check:
        said, *held = self._reader.read([claim, *sources])
        found = problems(claim, sources, title)
        support = meaning.probability(meaning.signals(said, held, found))
        return Check(support, found, self._needed, self._strict)


class NliVerifier:
    """The rules, and the probability of entailment by a model of the hub (see rag/nli.py)."""

    def __init__(self, model: NliModel) -> None:
        self._model = model

    def check(
        self, claim: str, sources: Sequence[str], title: str, _weights: Mapping[str, float], /
    ) -> Check:
        premise = " ".join([f"{title}.", *sources])
        support = self._model.entailment(premise, claim) if sources else 0.0
        return Check(support, problems(claim, sources, title), needed=0.5)


# What makes each from the settings and the encoder that is loaded already, if one is.
VERIFIERS: dict[str, Callable[[Config, Encoder | None], Verifier]] = {
    "rules": lambda _config, _encoder: RulesVerifier(),
    "meaning": lambda config, encoder: MeaningVerifier(
        encoder or load_encoder(config.encoder, config.models_dir), meaning.BALANCED, strict=False
    ),
    "rules+meaning": lambda config, encoder: MeaningVerifier(
        encoder or load_encoder(config.encoder, config.models_dir), SUPPORTED, strict=True
    ),
    "none": lambda _config, _encoder: NoVerifier(),
}
NLI = "nli:"  # followed by a hub id or the folder of a model


def load_verifier(
    name: str, config: Config | None = None, encoder: Encoder | None = None
) -> Verifier:
    """Return a registered verifier, or the one of "nli:" and a hub id or folder.

    Raises UnknownName, and ModelError if its model is not on this machine or cannot be used.
    """
    config = config or Config()
    if name.startswith(NLI) and name != NLI:
        return NliVerifier(NliModel(models.locate(name.removeprefix(NLI), config.models_dir)))
    if name not in VERIFIERS:
        raise UnknownName("verifier", name, [*sorted(VERIFIERS), f"{NLI}HUB_ID"])
    return VERIFIERS[name](config, encoder)


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
