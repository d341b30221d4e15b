"""Dates are taken for what they surely are, and never guessed."""

from __future__ import annotations

import time

import pytest

from rag.ingest.byline import Heading, day_or_text, iso_day, read_heading
from rag.ingest.loaders.text import parse


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-03-04", "2024-03-04"),
        ("2024-03-04T23:20:00-05:00", "2024-03-04"),
        ("2024/3/4", "2024-03-04"),
        ("20240304T101500Z", "2024-03-04"),
        ("Mon, 04 Mar 2024 18:20:00 GMT", "2024-03-04"),
        ("4 March 2024", "2024-03-04"),
        ("March 4th, 2024", "2024-03-04"),
        ("Sept. 9, 2023", "2023-09-09"),
        ("the 4th of March 2024", "2024-03-04"),
        ("25/12/2023", "2023-12-25"),
        ("12/25/2023", "2023-12-25"),
        ("5/5/2023", "2023-05-05"),
        ("4.3.2024", "2024-03-04"),
        ("03/04/2024", None),
        ("03/04/24", None),
        ("March 2024", None),
        ("4 March", None),
        ("30 February 2024", None),
        ("2024-13-45", None),
        ("4 March 2024 or 5 March 2024", None),
        ("yesterday", None),
    ],
)
def test_a_day_is_named_or_it_is_not(text: str, day: str | None) -> None:
    assert iso_day(text) == day


def test_the_language_settles_what_numbers_leave_open() -> None:
    assert iso_day("03/04/2024", day_first=True) == "2024-04-03"
    assert iso_day("03/04/2024", day_first=False) == "2024-03-04"
    assert iso_day("25/12/2023", day_first=False) is None
    assert day_or_text("03/04/2024") == "03/04/2024"
    assert day_or_text("May 2024") == "May 2024"
    assert day_or_text("2024-01-02, updated 2024-01-05") == "2024-01-02"
    assert day_or_text(" ") is None


@pytest.mark.parametrize(
    ("line", "published", "author"),
    [
        ("By Ann Lee, 4 March 2024", "2024-03-04", "Ann Lee"),
        ("By Ann Lee and Bo Ek", None, "Ann Lee and Bo Ek"),
        ("BY ANN LEE | MARCH 4, 2024", "2024-03-04", "ANN LEE"),
        ("By Ann de la Cruz for The Herald", None, "Ann de la Cruz for The Herald"),
        ("Published: 4 March 2024", "2024-03-04", None),
        ("Published on Monday, 4 March 2024 at 10:15 GMT", "2024-03-04", None),
        ("First published on 03/04/2024", "03/04/2024", None),
        ("March 4, 2024 10:15 am", "2024-03-04", None),
    ],
)
def test_bylines(line: str, published: str | None, author: str | None) -> None:
    assert read_heading(line) == Heading(published, author)


@pytest.mark.parametrize(
    "line",
    [
        "By 4 March 2024 the bridge had been closed for a year.",
        "By then it was late",
        "By the river",
        "London, 4 March 2024 – The council met.",
        "On 4 March 2024 it rained.",
        "Updated: 4 March 2024",
        "Monday",
        "",
        "By " + "Ann " * 60,
    ],
)
def test_sentences_are_no_bylines(line: str) -> None:
    assert read_heading(line) is None


def test_a_text_says_its_date_in_its_first_lines_and_stays_as_it_is() -> None:
    text = "A flood\n\nBy Ann Lee\n4 March 2024\n\nIt rained on 5 May 2025."
    article = parse("a.txt", text)
    assert (article.published, article.author) == ("2024-03-04", "Ann Lee")
    assert article.published_from == "line: 4 March 2024"
    assert (article.text, article.body_start) == (text, len("A flood\n"))
    article = parse("a.txt", "A flood\nPublished: 4 March 2024\n\nBy Ann Lee\n\nIt rained.")
    assert (article.published, article.author) == ("2024-03-04", "Ann Lee")
    assert article.published_from == "line: Published: 4 March 2024"
    article = parse("a.txt", "A flood\n\nIt rained.\nBy Ann Lee, 4 March 2024")
    assert (article.published, article.author, article.published_from) == (None, None, None)


@pytest.mark.parametrize(
    "text", ["1" * 200_000, "1/" * 100_000, "4 March " * 40_000, "By " * 90_000]
)
def test_reading_dates_takes_linear_time(text: str) -> None:
    began = time.thread_time()  # what is quadratic takes many minutes
    iso_day(text)
    day_or_text(text)
    read_heading(text)
    assert time.thread_time() - began < 30
