"""SEAM Verifier: does this sentence say this claim?

A newcomer adds a verifier by writing one class and one row in VERIFIERS.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.config import Config
from rag.errors import UnknownName
from rag.models import files
from rag.verification.literal import says
from rag.verification.nli import NliModel
from rag.verification.wording import tokens

ENTAILED = 0.5  # least probability of entailment with which a claim passes


@dataclass(frozen=True, slots=True)
class Check:
    """A verifier's judgement of a claim."""

    passed: bool
    support: float  # 0..1


class Verifier(Protocol):
    """Judges a claim against the sentence that it cites."""

    def check(self, claim: str, sentence: str, before: Sequence[str] = (), /) -> Check:
        """Return the judgement. ``before``: earlier sentences, the nearest first, for what a
        pronoun of the sentence refers to.
        """


class RulesVerifier:
    """The claim's words stand in the sentence, in its order: see rag/verification/literal.py."""

    def check(self, claim: str, sentence: str, before: Sequence[str] = (), /) -> Check:
        passed = says(claim, sentence, before)
        return Check(passed, float(passed))


class NoVerifier:
    """Takes every claim as it is: what others do, for measuring against it."""

    def check(self, _claim: str, _sentence: str, _before: Sequence[str] = (), /) -> Check:
        return Check(passed=True, support=1.0)


class NliVerifier:
    """What the words say; else the probability of entailment by a model of the hub (see
    rag/verification/nli.py), if the sentences have every number and name of the claim.
    """

    def __init__(self, model: NliModel) -> None:
        self._model = model

    def check(self, claim: str, sentence: str, before: Sequence[str] = (), /) -> Check:
        if says(claim, sentence, before):
            return Check(passed=True, support=1.0)
        premise = " ".join([*reversed(before), sentence])
        support = self._model.entailment(premise, claim)
        held = {token.key for token in tokens(premise)}
        exact = all(t.key in held for t in tokens(claim) if t.name or t.kind == "number")
        return Check(exact and support >= ENTAILED, support)


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
