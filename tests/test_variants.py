"""Other ways to write what a question asks for."""

from __future__ import annotations

import pytest

from rag.terms import content_terms, terms
from rag.variants import near_spelling, variants_of


def added(question: str, text: str, unknown: str = "") -> set[str]:
    """Return what the text holds of the question in another way."""
    return set(variants_of(question, set(terms(unknown))).added(terms(text), text))


def test_a_capital_stands_for_its_government() -> None:
    assert "pyongyang" in added("What does Pyongyang want?", "North Korea wants aid.")
    assert {"north", "korea"} <= added("What does North Korea want?", "Pyongyang wants aid.")
    assert "kyiv" in added("What does Kyiv want?", "Kiev asked for help.")
    assert "moscow" in added("Why would Moscow do it?", "The Kremlin said so.")
    assert "us" in added("What did the US confirm?", "Pentagon officials confirmed it.")
    assert "washington" in added("What does Washington say?", "The White House is ruling it out.")


def test_a_name_of_two_words_must_stand_together() -> None:
    assert not added("What does Pyongyang want?", "Korea lies north of Japan.")
    assert not added("Who lives in the north?", "Pyongyang wants aid.")


def test_acronyms_in_both_directions() -> None:
    long, short = "The North Atlantic Council will meet.", "The NAC will meet."
    assert added("When will the NAC meet?", long) == {"nac"}
    assert added("When will the North Atlantic Council meet?", short) == set(
        terms("North Atlantic Council")
    )
    assert not added("When will the NAC meet?", "The council will meet.")


def test_only_unknown_terms_are_looked_for_in_another_spelling() -> None:
    text = "Farah Dakhlallah is the spokeswoman."
    assert added("Who is Farah Dakhlalah?", text, unknown="Dakhlalah") == {"dakhlalah"}
    assert added("Who is Farah Dakhlalah?", text) == set()
    assert added("Who is Mark Rute?", "Mark Rutte spoke.", unknown="Rute") == {"rute"}
    assert added("Who is Ruta?", "Rute spoke.", unknown="Ruta.") == set()  # too short to be sure


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("zelensky", "zelenskyy", True),  # added
        ("dakhlalah", "dakhlallah", True),
        ("jonson", "johnson", True),  # left out
        ("obema", "obama", True),  # changed
        ("micheal", "michael", True),  # swapped
        ("russian", "russia", True),
        ("washington", "warrington", False),
        ("house", "mouse", False),  # another first letter
        ("rute", "rutte", True),
        ("rute", "rota", False),  # short
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
