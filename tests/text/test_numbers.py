"""Numbers and dates come out in one form, however they are written."""

from __future__ import annotations

import pytest

from rag.text.dates import dates
from rag.text.numbers import numbers


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("12,000 troops", 12_000, None),
        ("twelve thousand troops", 12_000, None),
        ("some 12 thousand men", 12_000, None),
        ("3.5% of voters", 3.5, "percent"),
        ("3.5 per cent", 3.5, "percent"),
        ("seventy percent", 70, "percent"),
        ("2.5 percentage points", 2.5, "point"),
        ("$4m", 4e6, "dollar"),
        ("four million dollars", 4e6, "dollar"),
        ("US$1.5 billion", 1.5e9, "dollar"),
        ("€ 20", 20, "euro"),
        ("twenty-one years", 21, "year"),
        ("a 21-year-old", 21, "year"),
        ("two hundred and five people", 205, None),
        ("5 km", 5, "kilometre"),
        ("5 miles", 5, "mile"),
        ("half a dozen", 12, None),
        ("the 3rd time", 3, None),
        ("in 1984", 1984, None),
    ],
)
def test_number(text: str, value: float, unit: str | None) -> None:
    assert [(number.value, number.unit) for number in numbers(text)] == [(value, unit)]


def test_no_number_in_one_of_them() -> None:
    assert numbers("one of them, the hundreds of others and a million") != []
    assert numbers("one of them") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 23 October 2024", (None, 2024, 10, 23)),
        ("on Oct. 23, 2024,", (None, 2024, 10, 23)),
        ("2024-10-23", (None, 2024, 10, 23)),
        ("the 3rd of May", (None, None, 5, 3)),
        ("in May", (None, None, 5, None)),
        ("since March 2020", (None, 2020, 3, None)),
        ("on Wednesday", ("wednesday", None, None, None)),
    ],
)
def test_date(text: str, expected: tuple[str | None, int | None, int | None, int | None]) -> None:
    (date,) = dates(text)
    assert (date.weekday, date.year, date.month, date.day) == expected
    assert numbers(text) == []


def test_the_verbs_may_and_march_are_no_dates() -> None:
    assert dates("They may march on the capital.") == []
