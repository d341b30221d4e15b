"""Other ways to write what a question asks for."""

from __future__ import annotations

import pytest

from rag.retrieval.variants import near_spelling, variants_of
from rag.text.terms import content_terms, terms


def added(question: str, text: str, unknown: str = "") -> set[str]:
    """Return what the text holds of the question in another way."""
    return set(variants_of(question, set(terms(unknown))).added(terms(text), text))


def test_a_capital_stands_for_its_government() -> None:
    assert "seoul" in added("What does Seoul want?", "South Korea wants aid.")
    assert {"south", "korea"} <= added("What does South Korea want?", "Seoul wants aid.")
    assert "kyiv" in added("What does Kyiv want?", "Kiev asked for help.")
    assert "pari" in added("Why would Paris do it?", "The Élysée said so.")
    assert "us" in added("What did the US promise?", "Washington promised it.")
    assert "london" in added("What does London say?", "Downing Street says no.")


def test_a_name_of_two_words_must_stand_together() -> None:
    assert not added("What does Seoul want?", "Korea lies south of China.")
    assert not added("Who lives in the south?", "Seoul wants aid.")


def test_acronyms_in_both_directions() -> None:
    long, short = "The Harbour Masters Guild will meet.", "The HMG will meet."
    assert added("When will the HMG meet?", long) == {"hmg"}
    assert added("When will the Harbour Masters Guild meet?", short) == set(
        terms("Harbour Masters Guild")
    )
    assert not added("When will the HMG meet?", "The guild will meet.")


def test_only_unknown_terms_are_looked_for_in_another_spelling() -> None:
    text = "Ines Marchetti is the spokeswoman."
    assert added("Who is Ines Marcheti?", text, unknown="Marcheti") == {"marcheti"}
    assert added("Who is Ines Marcheti?", text) == set()
    assert added("Who is Paul Haldn?", "Paul Haldan spoke.", unknown="Haldn") == {"haldn"}
    assert added("Who is Hald?", "Hold spoke.", unknown="Hald.") == set()  # too short to be sure


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("jovanovich", "jovanovichy", True),  # added
        ("marcheti", "marchetti", True),
        ("jonson", "johnson", True),  # left out
        ("obema", "obama", True),  # changed
        ("micheal", "michael", True),  # swapped
        ("maltese", "malteze", True),
        ("washington", "warrington", False),
        ("house", "mouse", False),  # another first letter
        ("haldn", "haldan", True),
        ("hald", "hold", False),  # short
        ("michael", "mikhail", False),
    ],
)
def test_near_spelling(one: str, other: str, near: bool) -> None:
    assert near_spelling(one, other) is near
    assert near_spelling(other, one) is near


def test_variants_are_terms_to_look_for() -> None:
    variants = variants_of("What does Seoul want?", ())
    assert {"south", "korea"} <= variants.terms
    assert not variants_of("What does the mayor want?", content_terms("mayor")).terms
