"""Corrections inside an article: which sentences are some, and which claims they concern."""

from __future__ import annotations

import time

import pytest

from rag.corrections import concerns, corrections, is_correction, may_hold
from rag.sentences import split

CORRECTIONS = [
    "Correction: an earlier version of this article misstated the number of injured passengers.",
    "CORRECTION (March 9): The ferry is 40 metres long.",
    "Corrections & clarifications: The name of the mayor was misspelled.",
    "*Corrected: A previous version of this story gave the wrong date of the vote.",
    "An earlier version of this story incorrectly reported how many boats sank.",
    "This story has been updated to correct the price of a ticket.",
    "(This article was amended on 3 May to clarify who owns the ferry.)",
    "This article has been retracted.",
    "We retract this story.",
    "Editor's note: The headline of this story misidentified the captain.",
    "The ministry said that 40 people had died, but later retracted that statement.",
]
OTHERS = [
    "This story has been updated with new information.",
    "This story was updated to add a video.",
    "Editor's note: Follow our live coverage of the storm here.",
    "Note: An earlier version of this story first ran in November 2024.",
    "An earlier version of the ship broke apart during a test.",
    "She was assistant director of corrections in the county.",
    "Analysts expect a market correction.",
    "The stadium has a retractable roof.",
    "The navy said that its boats had withdrawn from the island.",
    "The teacher corrected the exams, and the pupils were content.",
]


@pytest.mark.parametrize("sentence", CORRECTIONS)
def test_corrections_are_found(sentence: str) -> None:
    assert is_correction(sentence)
    assert may_hold(f"Ferries\n\nThey sail at seven. {sentence}\n")


@pytest.mark.parametrize("sentence", OTHERS)
def test_other_sentences_are_none(sentence: str) -> None:
    assert not is_correction(sentence)


def test_a_correction_goes_on_to_the_end_of_its_line() -> None:
    text = (
        "Nine boats sank.\n"
        "Correction: An earlier version of this story misstated how many boats sank. It was six."
        " The owner is Ann Okoye. A fourth sentence.\n"
        "The harbour is open.\n"
    )
    found = list(corrections(text, split(text)))
    assert [text[s.start : s.end] for s in found[0]] == [
        "Correction: An earlier version of this story misstated how many boats sank.",
        "It was six.",
        "The owner is Ann Okoye.",
    ]
    assert len(found) == 1


def test_a_correction_concerns_what_it_is_about() -> None:
    note = "Correction: An earlier version of this story misstated how many boats sank off Lisk."
    assert concerns(note, "Nine boats sank off Lisk in the storm.")
    assert not concerns(note, "The mayor of Maldon said that repairs would cost $4 million.")


def test_numbers_alone_do_not_relate_them() -> None:
    note = "Correction: An earlier version incorrectly reported a grant. It is $27.1 million."
    assert not concerns(note, "The state will lend $400 million, and grant more.")


def test_a_retraction_concerns_every_claim() -> None:
    assert concerns("This article has been retracted.", "Nine boats sank.")


@pytest.mark.parametrize("junk", ["this story in ", "correct", "an earlier version of ", "( "])
def test_a_long_article_is_looked_through_fast(junk: str) -> None:
    text = junk * (2_000_000 // len(junk))
    begun = time.perf_counter()
    may_hold(text)
    is_correction(text)
    assert time.perf_counter() - begun < 2
