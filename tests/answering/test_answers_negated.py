"""Questions with a "not", and questions for a yes or a no: the real encoder, the default
thresholds, quotations or a scripted draft.
"""

from __future__ import annotations

import pytest
from scripted import Drafting
from valley import BAKER, CUP, LATE, NOBODY, NORDIS, PROTECTED, QUIST, SAFE, check

from rag.answering.pipeline import Rag

pytestmark = pytest.mark.models


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Which animals may not be caught?", PROTECTED),
        ("What can't be caught or moved?", PROTECTED),
        ("Which animals mustn't be moved?", PROTECTED),
        ("Which founder could not attend the opening of the clock museum?", QUIST),
        ("Why couldn't Edda Quist attend the opening?", QUIST),
        ("Who wasn't hurt in the fire?", BAKER),
        ("Why won't Nordis fly from Velmar any more?", NORDIS),
        ("Who has not been arrested?", NOBODY),
        ("Hasn't anybody been arrested?", NOBODY),
        ("Does the dam not have to be evacuated?", SAFE),
        ("Isn't the Orrin dam safe?", SAFE),
        ("Didn't Liv Sander win the chess cup?", CUP),
    ],
)
def test_a_question_with_a_not_gets_the_sentence_that_says_it(
    quoting: Rag, question: str, sentence: str
) -> None:
    answer = quoting.answer(question)
    assert sentence in [claim.text for claim in answer.claims]
    check(quoting, answer)


@pytest.mark.parametrize(
    ("question", "draft"),
    [
        ("Which animals may not be caught?", "The beavers may not be caught or moved. [1]"),
        ("What can't be caught or moved?", "The animals may not be caught or moved. [1]"),
        (
            "Why couldn't Edda Quist attend the opening?",
            "Edda Quist could not attend because she broke a leg. [1]",
        ),
        (
            "What was not found after the fire in the bakery?",
            "The takings of the day were not found. [1]",
        ),
        ("Which takings weren't found?", "The takings of the day weren't found. [1]"),
        ("Who wasn't hurt in the fire?", "Nobody else was hurt. [1]"),
        ("Has anybody been arrested?", "No, nobody has been arrested. [1]"),
        ("Hasn't anybody been arrested?", "No, nobody has been arrested. [1]"),
        ("Does the dam not have to be evacuated?", "The dam would not have to be evacuated. [1]"),
        ("Isn't the Orrin dam safe?", "Yes, the dam was safe. [1]"),
        ("Didn't Liv Sander win the chess cup?", "Yes, Liv Sander won the chess cup. [1]"),
    ],
)
def test_a_claim_with_or_for_a_not_is_shown_and_raises_the_confidence(
    drafting: Drafting, question: str, draft: str
) -> None:
    rag, _ = drafting(draft)
    before = rag.search(question).confidence
    answer = rag.answer(question)
    assert answer.claims
    assert answer.confidence > before
    check(rag, answer)


@pytest.mark.parametrize(
    ("question", "draft", "false"),
    [
        (
            "Who said that the dam was not safe?",
            "Tove Lindqvist said that it was not safe. [1]",
            "not safe",
        ),
        (
            "Which animals may be caught?",
            "The animals may be caught or moved. [1]",
            "may be caught",
        ),
        ("Who has been arrested?", "Somebody has been arrested. [1]", "Somebody"),
        ("Was anybody hurt in the bakery fire?", "Yes, everybody was hurt. [1]", "everybody"),
    ],
)
def test_the_opposite_of_what_is_written_is_never_said(
    drafting: Drafting, question: str, draft: str, false: str
) -> None:
    rag, _ = drafting(draft)
    answer = rag.answer(question)
    assert false not in " ".join(claim.text for claim in answer.claims)
    check(rag, answer)


POLAR = (
    "Did Ilse Marrow study medicine?",
    "Did the tram open on time?",
    "Is the Orrin dam safe?",
    "Was the Osk bakery insured?",
    "Does Nordis own the airport?",
    "Isn't the Orrin dam safe?",
)


@pytest.mark.parametrize("question", POLAR)
def test_a_refusal_never_raises_the_confidence_whatever_is_quoted_in_its_place(
    drafting: Drafting, question: str
) -> None:
    rag, _ = drafting("Not found")
    before = rag.search(question).confidence
    answer = rag.answer(question)
    assert answer.confidence < before
    assert {claim.verdict for claim in answer.claims} <= {"quoted"}
    assert {claim.repair for claim in answer.claims} <= {"quoted"}
    check(rag, answer)


@pytest.mark.parametrize(
    ("question", "draft", "sentence"),
    [
        ("Did the tram open on time?", "No. [1]", LATE),
        ("Is the Orrin dam safe?", "Yes. [1]", SAFE),
        ("Has anybody been arrested?", "No. [1]", NOBODY),
    ],
)
def test_a_bare_yes_or_no_becomes_the_sentence(
    drafting: Drafting, question: str, draft: str, sentence: str
) -> None:
    rag, _ = drafting(draft)
    answer = rag.answer(question)
    assert [claim.text for claim in answer.claims] == [sentence]
    assert answer.claims[0].verdict == "quoted"
    check(rag, answer)


@pytest.mark.parametrize(
    "draft",
    ["The sentences do not mention it.", "Her studies are not mentioned.", "It is not stated."],
)
def test_a_refusal_in_other_words_declines_too(drafting: Drafting, draft: str) -> None:
    rag, _ = drafting(draft)
    question = "Who is the owner of Nordis?"
    before = rag.search(question).confidence
    answer = rag.answer(question)
    assert answer.declined
    assert answer.confidence < before
    check(rag, answer)
