"""Corrections inside an article: which sentences are some, and which claims they concern."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from rag.answering import corrections as corrections_of
from rag.answering.corrections import (
    HINT_CHARACTERS,
    MOST_HINTS,
    concerns,
    corrections,
    is_correction,
    marked,
)
from rag.text.sentences import split
from rag.types import Sentence

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


def corrections_in(text: str) -> list[list[str]]:
    spans = split(text)

    def spans_from(start: int) -> Iterator[Sentence]:
        return (span for span in spans if span.start >= start)

    return [[text[s.start : s.end] for s in note] for note in corrections(text, spans_from)]


@pytest.mark.parametrize("sentence", CORRECTIONS)
def test_corrections_are_found(sentence: str) -> None:
    assert is_correction(sentence)
    assert corrections_in(f"Ferries\n\nThey sail at seven. {sentence}\n") == [[sentence]]


@pytest.mark.parametrize("sentence", CORRECTIONS)
def test_corrections_are_found_in_wrapped_lines(sentence: str) -> None:
    wrapped = re.sub(r"(\S+ \S+) ", r"\1\n", sentence)
    text = f"They sail at seven. {wrapped}\n"
    start = text.index(wrapped)
    whole = (Sentence(0, start - 1), Sentence(start, start + len(wrapped)))
    found = corrections(text, lambda at: (s for s in whole if s.start >= at))
    assert list(found) == [(whole[1],)]


def test_every_correction_is_found_once_wherever_it_stands() -> None:
    other = "The corrected figures were withdrawn, and the mayor regrets the error of the press.\n"
    text = other * 30 + f"{CORRECTIONS[0]}\n{CORRECTIONS[4]}\n" + "Ferries sail.\n" * 500
    text += f"{CORRECTIONS[5]} {CORRECTIONS[8]}\n" + other * 30 + CORRECTIONS[2]
    assert corrections_in(text) == [
        [CORRECTIONS[0]],
        [CORRECTIONS[4]],
        [CORRECTIONS[5], CORRECTIONS[8]],
        [CORRECTIONS[2]],
    ]


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
    assert corrections_in(text) == [
        [
            "Correction: An earlier version of this story misstated how many boats sank.",
            "It was six.",
            "The owner is Ann Okoye.",
        ]
    ]


def test_a_correction_concerns_what_it_is_about() -> None:
    note = "Correction: An earlier version of this story misstated how many boats sank off Lisk."
    assert concerns(note, "Nine boats sank off Lisk in the storm.")
    assert not concerns(note, "The mayor of Maldon said that repairs would cost $4 million.")


def test_numbers_alone_do_not_relate_them() -> None:
    note = "Correction: An earlier version incorrectly reported a grant. It is $27.1 million."
    assert not concerns(note, "The state will lend $400 million, and grant more.")


def test_a_retraction_concerns_every_claim() -> None:
    assert concerns("This article has been retracted.", "Nine boats sank.")


class Searches:
    """A pattern that notes how much it is asked to search."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern
        self.sizes: list[int] = []

    def search(self, text: str) -> re.Match[str] | None:
        self.sizes.append(len(text))
        return self.pattern.search(text)


@pytest.mark.parametrize("junk", ["this story in ", "correct", "an earlier version of ", "( "])
def test_of_a_long_article_little_is_looked_at(junk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = [Searches(corrections_of._ANYWHERE), Searches(corrections_of._MARKER)]
    for name, pattern in zip(("_ANYWHERE", "_MARKER"), patterns, strict=True):
        monkeypatch.setattr(f"rag.answering.corrections.{name}", pattern)
    text = junk * (2_000_000 // len(junk))
    marked(text)
    assert not is_correction(text)
    assert len(patterns[0].sizes) <= MOST_HINTS
    assert max(patterns[0].sizes, default=0) <= 2 * HINT_CHARACTERS
    assert patterns[1].sizes == []
