"""Relative dates of a question."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import pytest

from rag.config import Config
from rag.index.index import Index
from rag.index.sync import sync
from rag.models.encoder import HashedEncoder
from rag.retrieval.period import UNKNOWN, Latest, Period, overlap, period_of, years_in
from rag.retrieval.ranking import find_candidates, make_query, ranked

FRIDAY = "2024-10-25"


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("What happened today?", "2024-10-24", "2024-10-25"),
        ("Who resigned yesterday?", "2024-10-23", "2024-10-25"),
        ("Which country elected a leader this week?", "2024-10-18", "2024-10-25"),
        ("Who won over the past weekend?", "2024-10-18", "2024-10-25"),
        ("What did the court decide last week?", "2024-10-14", "2024-10-20"),
        ("What was banned this month?", "2024-10-01", "2024-10-25"),
        ("What was banned last month?", "2024-09-01", "2024-09-30"),
        ("How many fires were there in the past month?", "2024-09-24", "2024-10-25"),
        ("Who has been elected this year?", "2024-01-01", "2024-10-25"),
        ("Who was elected last year?", "2023-01-01", "2023-12-31"),
        ("What changed in the last 3 days?", "2024-10-22", "2024-10-25"),
        ("What changed in the past 2 weeks?", "2024-10-11", "2024-10-25"),
        ("What did Okafor say on Wednesday?", "2024-10-23", "2024-10-24"),
        ("What did Okafor say last Friday?", "2024-10-25", "2024-10-26"),
        ("Which show was recently green lit?", "2024-09-25", "2024-10-25"),
        ("What happened two weeks ago?", "2024-10-08", "2024-10-15"),
        ("Who has resigned in the past few days?", "2024-10-21", "2024-10-25"),
        ("What changed in the last couple of weeks?", "2024-10-11", "2024-10-25"),
        ("Who was elected last March?", "2024-03-01", "2024-03-31"),
        ("Who was elected last November?", "2023-11-01", "2023-11-30"),
    ],
)
def test_a_relative_date_becomes_a_period(question: str, first: str, last: str) -> None:
    expected = Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    assert period_of(question, FRIDAY) == expected


@pytest.mark.parametrize(
    "question",
    [
        "Who leads the council?",
        "What happened in June 2022?",
        "What did he say on Friday, 3 May?",
        "Who knows the lastweek magazine?",
    ],
)
def test_other_questions_speak_of_no_period(question: str) -> None:
    assert period_of(question, FRIDAY) is None


def test_without_a_date_nothing_else_is_resolved() -> None:
    assert period_of("What happened this week?", None) is None


@pytest.mark.parametrize(
    "question",
    [
        "What is the latest on the strike?",
        "What is the newest figure?",
        "What do the most recent polls say?",
        "Who is the current mayor of Lisk?",
        "How many people are now missing?",
        "How many people are missing now?",
        "Where does she currently live?",
        "How many have died so far?",
    ],
)
def test_the_latest_is_asked_for_with_and_without_a_date(question: str) -> None:
    assert period_of(question, FRIDAY) == Latest(dt.date(2024, 10, 25))
    assert period_of(question, None) == Latest(None)


@pytest.mark.parametrize(
    "question",
    [
        "Who owned the now-defunct airline?",
        "Prices have been falling now for weeks. What was the highest?",
        "What is an electric current in a wire?",
        "What did he know?",
    ],
)
def test_other_questions_do_not_ask_for_the_latest(question: str) -> None:
    assert period_of(question, None) is None


def test_the_newest_article_is_the_newest_that_the_question_can_know() -> None:
    published = ["2024-10-01", "2024-10-20", "2024-12-01", None, "in autumn"]
    assert Latest(None).newest(published) == dt.date(2024, 12, 1)
    assert Latest(dt.date(2024, 10, 25)).newest(published) == dt.date(2024, 10, 20)
    assert Latest(dt.date(2024, 9, 1)).newest(published) is None


def test_closeness_to_the_latest_falls_with_age() -> None:
    newest = dt.date(2024, 10, 20)
    ages = [Latest(None).closeness(day, newest) for day in ("2024-10-20", "2024-10-19", "2023-10")]
    assert ages[0] == 1.0 > ages[1] > 0.9
    assert ages[2] == Latest(None).closeness(None, newest) == UNKNOWN


def test_the_newer_article_comes_first_when_the_latest_is_asked_for(
    tmp_path: Path, config: Config, encoder: HashedEncoder
) -> None:
    folder = tmp_path / "strike"
    folder.mkdir()
    for name, day, says in (
        ("a", "2019-05-01", "one ship"),
        ("b", "2019-06-01", "two ships"),
        ("c", "2018-01-01", "three ships"),
    ):
        text = f"Strike\nPublished: {day}\n\nThe strike at the port holds {says} back.\n"
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    (folder / "d.txt").write_text("Bread\nPublished: 2024-01-01\n\nBread is dear.\n", "utf-8")
    sync(folder, tmp_path / "index", config, encoder)
    index = Index.open(tmp_path / "index", config, encoder)
    for question, date in (
        ("What is the latest on the strike at the port?", None),
        ("What is the latest on the strike at the port?", "2026-01-01"),
    ):
        query = make_query(question, index, encoder, date)
        best = ranked(find_candidates(query, index, config))
        assert [c.article.path for c in best[:3]] == ["b.txt", "a.txt", "c.txt"]
    index.close()


def test_the_first_days_of_the_calendar_are_no_error() -> None:
    assert period_of("last 9999 years", "0001-01-01") == Period(dt.date.min, dt.date.min)


def test_closeness_falls_with_the_distance() -> None:
    week = Period(dt.date(2024, 10, 18), dt.date(2024, 10, 25))  # 8 days: scale 4
    assert week.closeness("2024-10-18") == week.closeness("2024-10-25") == 1.0
    assert week.closeness("2024-10-29") == pytest.approx(math.exp(-1))
    assert week.closeness("2024-10-10") == pytest.approx(math.exp(-2))
    assert week.closeness("2024-10-20T08:00:00Z") == 1.0
    assert week.closeness(None) == week.closeness("in autumn") == UNKNOWN


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("Who led it in 1998?", ((1998, 1998),)),
        ("from 1998 to 2001", ((1998, 2001),)),
        ("from Nov 2007 to Jun 2011", ((2007, 2011),)),
        ("between 1976 and 1980", ((1976, 1980),)),
        ("the 1998–99 season", ((1998, 1999),)),
        ("in 1999–01 and 2010", ((1999, 1999), (2010, 2010))),  # what goes back is no range
        ("about 1,500 people, room 20051", ()),
        ("no year at all", ()),
    ],
)
def test_years_are_read_as_ranges(text: str, years: tuple[tuple[int, int], ...]) -> None:
    assert years_in(text) == years


def test_ranges_of_years_overlap_when_they_share_one() -> None:
    assert overlap(((1998, 2001),), ((2001, 2004),))
    assert overlap(((1999, 1999),), ((1990, 1991), (1998, 2001)))
    assert not overlap(((1998, 2001),), ((2002, 2004),))
    assert not overlap((), ((1998, 2001),))
