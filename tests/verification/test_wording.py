"""What is written in several ways is one token, and what differs is another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.verification.wording import is_past, listed, tokens


def keys(text: str) -> list[str]:
    return [token.key for token in tokens(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12,000 troops", "twelve thousand troops"),
        ("12 000 troops", "12\u202f000 troops"),
        ("25 boats", "twenty-five boats"),
        ("1.2m people", "1,200,000 people"),
        ("$3 billion", "3 billion dollars"),
        ("£3bn", "3bn pounds"),
        ("5%", "five per cent"),
        ("5 percent", "5 per cent"),
        ("fell by 5%", "fell 5 per cent"),
        ("a dozen eggs", "12 eggs"),
        ("3m high", "3 metres high"),
        ("3 km", "3 kilometres"),
        ("a quarter of them", "25% of them"),
        ("wasn't", "was not"),
        ("can't swim", "can not swim"),
        ("nearly 40", "almost 40"),
        ("“Go”", '"Go"'),
        ("‘Go home’", '"Go home"'),
        ("Beck’s boat", "Beck's boat"),
        ("U.S. ships", "US ships"),
        ("said that he left", "said he left"),
        ("has left", "had left"),
        ("has 40 boats", "with 40 boats"),
        ("310 cars; the Tern 120", "310 cars; the Tern 120 cars"),
        ("café", "cafe"),
    ],
)
def test_the_same_in_another_notation(one: str, other: str) -> None:
    assert keys(one) == keys(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12,000 troops", "12 troops"),
        ("1.2m people", "1.2 people"),
        ("-5 degrees", "5 degrees"),
        ("2nd", "2"),
        ("$3", "€3"),
        ("$3 million", "$3 billion"),
        ("is", "was"),
        ("was", "has been"),
        ("owns", "owned"),
        ("son", "sons"),
        ("May", "may"),
        ("before", "after"),
        ("rose 5%", "rose to 5%"),
        ("about 40", "40"),
        ("not", ""),
    ],
)
def test_what_differs_stays_different(one: str, other: str) -> None:
    assert keys(f"In {one}") != keys(f"In {other}")


def test_a_year_has_no_noun() -> None:
    assert keys("sold 40 boats in 2009.") == ["sold", "#40", "boats", "in", "#2009", "."]


def test_names_are_capitalised_words_that_do_not_come_first() -> None:
    found = tokens('"Ana Ruiz\'s boat sank," the mayor of Lisk said.')
    assert [t.text for t in found if t.name] == ["ruiz's", "lisk"]
    assert [t.text for t in found if t.first] == ["ana"]
    assert not any(t.first for t in tokens("The mayor left."))


@pytest.mark.parametrize("word", ["jailed", "left", "won", "fled"])
def test_pasts(word: str) -> None:
    assert is_past(tokens(f"Reed {word}")[1])


@pytest.mark.parametrize("word", ["wins", "boat", "men", "is", "Lisk"])
def test_what_is_no_past(word: str) -> None:
    assert not is_past(tokens(f"Reed {word}")[1])


def test_words_that_govern_bind_or_mean_nothing_are_lists_of_small_words() -> None:
    for name in ("governs", "binding", "free", "limits", "titles", "persons"):
        assert all(word == word.lower() for word in listed(name))
    assert not listed("free") & (listed("binding") | listed("governs"))


@given(st.text(max_size=200))
def test_any_text_has_tokens(text: str) -> None:
    assert all(token.key for token in tokens(text))
