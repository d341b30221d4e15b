"""Terms: the same word is the same term, whatever its case, accents, form or script."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from rag.text.terms import content_terms, fold, stem, terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The ferry’s captain", ["the", "ferry", "captain"]),
        ("don’t don't", ["don't", "don't"]),
        ("In the U.S. at 10 a.m.", ["in", "the", "us", "at", "10", "am"]),
        ("$1,250,000.50 and 3.5%", ["1250000.50", "and", "3.5"]),
        ("on 2024-03-08, 19th", ["on", "2024", "03", "08", "19", "th"]),
        ("Zoë Brandt’s CAFÉ", ["zoe", "brandt", "cafe"]),
        ("Zoe\u0308 İstanbul ﬁne", ["zoe", "istanbul", "fine"]),
        ("北京 2024年", ["北", "京", "2024", "年"]),
        ("한국 사람", ["한", "국", "사", "람"]),
        ("かが ガス", ["か", "が", "ガ", "ス"]),
        ("covid19 x_y e-mail", ["covid19", "x", "y", "e", "mail"]),
        ("", []),
        ("… — 😀 \0", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_terms_are_stemmed_words() -> None:
    assert terms("Bridges repaired, repairs, RÉPAIRING") == ["bridg", "repair", "repair", "repair"]


@pytest.mark.parametrize(
    ("forms", "base"),
    [
        ("struck stricken strikes", "strike"),
        ("sent", "send"),
        ("began begun", "begin"),
        ("women", "woman"),
        ("withdrew withdrawn", "withdraw"),
    ],
)
def test_irregular_forms_are_the_same_term(forms: str, base: str) -> None:
    assert set(terms(forms)) == set(terms(base))


def test_what_founders_founded_is_not_what_finders_found() -> None:
    assert stem("founded") != stem("found") == stem("find")
    assert stem("laid") != stem("lied")


def test_content_terms_leave_out_what_questions_are_made_of() -> None:
    assert content_terms("Who was the mayor of Maldon?") == ["mayor", stem("maldon")]
    assert content_terms("What is it?") == []


def test_folding_is_the_same_for_composed_and_decomposed_text() -> None:
    assert fold("Ｚｏë") == fold("zoe\u0308") == "zoe"
    assert fold("한") == fold("\u1112\u1161\u11ab") == "한"


def test_stemming_from_many_threads() -> None:
    text = " ".join(f"running{n} bridges{n}" for n in range(500))
    stem.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(terms, [text] * 16))
    assert all(one == found[0] for one in found)
