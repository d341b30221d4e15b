"""A sentence of one's own is supported, contradicted, not found, undecided or not checkable."""

from __future__ import annotations

import pytest

from rag.answering.checking.text import check_against
from rag.verification.verifiers import RulesVerifier

SOURCES = [
    "The bridge at Rilla was not closed on Sunday. The ferry carries 120 cars.",
    "Tarn beat Corrin 3–1 in the cup final on Saturday.",
]


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("The ferry carries 120 cars.", "supported"),
        ("The ferry carries 90 cars.", "contradicted"),
        ("The bridge at Rilla was closed on Sunday.", "contradicted"),
        ("The ferry does not carry cars.", "undecided"),
        ("Corrin beat Tarn 3–1.", "undecided"),
        ("It carries 120 cars.", "undecided"),
        ("Wheat prices doubled in Velland.", "not_found"),
        ("Does the ferry carry 120 cars?", "not_checkable"),
        ("I think the ferry carries 120 cars.", "not_checkable"),
        ("<b>The ferry carries 120 cars.</b>", "not_checkable"),
        ("Die Brücke wurde nicht mit der Bahn und dem Schiff gebaut.", "not_checkable"),
        ("", "not_checkable"),
        ("***", "not_checkable"),
    ],
)
def test_a_claim_has_its_verdict(claim: str, verdict: str) -> None:
    assert check_against(claim, SOURCES, RulesVerifier(), "Wheat").verdict == verdict


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("Some birds fly south.", "Some birds do not fly south."),
        ("Room 4 was painted.", "Room 5 was painted."),
        ("The Tern won the cup in 1998.", "The Tern won the cup in 2001."),
        ("Voss was jailed in Tarn.", "Reed was jailed in Tarn."),
        ("The mill employs at least 40 people.", "The mill employs 60 people."),
    ],
)
def test_what_may_both_be_so_is_no_contradiction(claim: str, sentence: str) -> None:
    assert check_against(claim, [sentence], RulesVerifier()).verdict == "undecided"


def test_a_citation_is_a_slice_and_what_differs_is_marked() -> None:
    found = check_against("The ferry carries 120 lorries.", SOURCES, RulesVerifier())
    (cited,) = found.citations
    assert SOURCES[0][cited.start : cited.end] == cited.quote == "The ferry carries 120 cars."
    assert [found.text[s.start : s.end] for s in found.differs] == ["lorries"]
