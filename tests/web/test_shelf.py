"""The list of articles: search, outlet, period, order, time line, and what adding says."""

from __future__ import annotations

import datetime as dt
import re
from html import escape, unescape
from itertools import pairwise

import pytest
from fake_rag import HOSTILE, FakeRag

from rag import texts
from rag.server.background import Status
from rag.texts import day, period_in_words, time_left
from rag.types import ArticleSummary, Scope
from rag.web.articles import Outcome, status_html
from rag.web.articles_html import BARS, View, bars, shelf, timeline


def summary(
    path: str, title: str, published: str | None = None, source: str | None = None
) -> ArticleSummary:
    return ArticleSummary(path, title, published, source, 3, 100)


NEWS = (
    summary("a.txt", "Bridge closed", "2024-03-08", "Herald"),
    summary("b.txt", "bridge opened", "2024-05-20", "Post"),
    summary("c/d.txt", "Café burns", "2023-11-02", "Herald"),
    summary("e.txt", "Undated owls", None, None),
    summary("f.txt", "Alder wins", "2024-05-01T10:00", "Post"),
    summary("uploads/rows.json/1", "Row one", "May 2024", None),
)
ROW = "uploads/rows.json/1"


def listed(markup: str) -> list[str]:
    return [unescape(path) for path in re.findall(r'data-pick="([^"]*)"', markup)]


# -- which articles ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "paths"),
    [
        (View(), ["b.txt", "f.txt", "a.txt", "c/d.txt", "e.txt", ROW]),
        (View(order="oldest"), ["c/d.txt", "a.txt", "f.txt", "b.txt", "e.txt", ROW]),
        (View(order="title"), ["f.txt", "a.txt", "b.txt", "c/d.txt", ROW, "e.txt"]),
        (View("BRIDGE"), ["b.txt", "a.txt"]),
        (View("herald bridge"), ["a.txt"]),
        (View("c/d"), ["c/d.txt"]),
        (View(source="Post"), ["b.txt", "f.txt"]),
        (View(first="2024-05-01", last="2024-05-31"), ["b.txt", "f.txt"]),
        (View(last="2023-12-31"), ["c/d.txt"]),
        (View("nothing like it"), []),
    ],
)
def test_search_outlet_period_and_order(view: View, paths: list[str]) -> None:
    assert [article.path for article in view.matching(NEWS)] == paths
    assert listed(shelf(NEWS, view)) == paths


def test_the_count_says_what_is_left_out_and_offers_to_ask_only_the_rest() -> None:
    assert "6 articles indexed · 18 sentences" in shelf(NEWS)
    assert "data-ask-listed" not in shelf(NEWS)
    narrowed = shelf(NEWS, View(first="2024-05-01", last="2024-05-31"))
    assert "2 of 6 articles · May 2024" in narrowed
    assert "data-ask-listed" in narrowed
    none = shelf(NEWS, View("nothing like it"))
    assert "No article matches." in none
    assert "data-ask-listed" not in none
    assert "data-show-all" in none


def test_what_is_listed_is_what_a_question_is_limited_to() -> None:
    assert View(first="2024-05-01").scope(NEWS) == Scope(first="2024-05-01")
    assert View("bridge").scope(NEWS) == Scope(paths=frozenset({"a.txt", "b.txt"}))
    both = View("bridge", first="2024-05-01").scope(NEWS)
    assert both == Scope(paths=frozenset({"b.txt"}))


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        [],
        "x",
        {},
        {"query": None, "most": "x"},
        {"order": "; drop", "first": "2024-02-31"},
        {"most": "-5"},
        {"most": "٣"},
        {"first": {"a": 1}, "last": "2024-01-01T00:00"},
    ],
)
def test_what_the_browser_sends_is_not_trusted(wanted: object) -> None:
    assert View.of(wanted) == View()


def test_a_request_is_bounded() -> None:
    view = View.of({"query": "x" * 10_000, "most": "999999999", "order": "title"})
    assert len(view.query) == 500
    assert view.most == 100
    assert View.of({"most": "7000"}).most == 5_000


def test_a_long_list_comes_in_parts() -> None:
    many = [summary(f"{n}.txt", f"Title {n}") for n in range(1_234)]
    first = shelf(many)
    assert len(listed(first)) == 100
    assert 'data-most="1100"' in first
    assert "Show 1,000 more" in first
    assert len(listed(shelf(many, View(most=1_100)))) == 1_100
    assert "Show 134 more" in shelf(many, View(most=1_100))


def test_few_articles_need_no_search() -> None:
    assert "data-list" not in shelf(NEWS[:3])
    assert 'data-list="source"' in shelf(NEWS)
    one_outlet = [summary(f"{n}.txt", "A title", None, "Herald") for n in range(9)]
    assert 'data-list="source"' not in shelf(one_outlet)
    assert "python -m rag index" in shelf(())
    assert "Add some above" in shelf((), adding=True)


def test_only_what_may_be_removed_has_a_button() -> None:
    assert "data-remove" not in shelf(NEWS)
    added = shelf(NEWS, removable=("uploads/",))
    assert re.findall(r'data-remove="([^"]*)"', added) == ["uploads/rows.json"]  # the file, whole
    assert 'data-whole="uploads/rows.json"' in added
    assert shelf(NEWS, removable=("",)).count("data-remove=") == 6


def test_files_that_could_not_be_read_are_listed_with_their_reason() -> None:
    summaries = FakeRag().contents()
    assert "could not be read" not in shelf(summaries)
    one = shelf(summaries, skipped=[("<b>.pdf", "is encrypted: save it without a password")])
    assert "1 file could not be read" in one
    assert "&lt;b&gt;.pdf</span> is encrypted: save it without a password" in one
    many = shelf(summaries, skipped=[(f"{n}.pdf", "is empty") for n in range(1_234)])
    assert "1,234 files could not be read" in many
    assert many.count(".pdf</span>") == 100
    assert "and 1,134 more" in many


# -- the time line ----------------------------------------------------------------------------


def days(*written: str) -> list[dt.date]:
    return [dt.date.fromisoformat(text) for text in written]


@pytest.mark.parametrize(
    ("dates", "number", "first", "last"),
    [
        (("2024-03-01", "2024-03-05"), 5, "2024-03-01", "2024-03-05"),
        (("2024-03-08", "2024-06-20"), 4, "2024-03-01", "2024-06-30"),
        (("2004-03-08", "2024-06-20"), 21, "2004-01-01", "2024-12-31"),
        (("1901-03-08", "2024-06-20"), 13, "1900-01-01", "2029-12-31"),
        (("5500-01-01", "9999-12-31"), 45, "5500-01-01", "9999-12-31"),
        (("2024-03-08",), 1, "2024-03-08", "2024-03-08"),
    ],
)
def test_bars_are_as_fine_as_fits(
    dates: tuple[str, ...], number: int, first: str, last: str
) -> None:
    found = bars(days(*dates))
    assert len(found) == number
    assert (found[0].first.isoformat(), found[-1].last.isoformat()) == (first, last)
    assert sum(bar.articles for bar in found) == len(dates)
    assert all((b.first - a.last).days == 1 for a, b in pairwise(found))
    assert len(found) <= BARS


def test_a_date_that_cannot_be_right_does_not_take_the_time_line_away() -> None:
    found = bars(days("0001-01-01", "2024-03-01", "9999-12-31"))
    assert len(found) == BARS
    assert found[-1].articles == 1


def test_no_days_have_no_bars() -> None:
    assert bars([]) == []
    assert timeline([NEWS[3]] * 9) == ""
    assert timeline([NEWS[0]] * 9) == ""  # all of one day


def test_the_time_line_says_each_period_and_what_has_no_date() -> None:
    markup = timeline(NEWS, "2024-05-01", "2024-05-31")
    assert 'aria-label="May 2024: 2 articles"' in markup
    assert 'aria-label="November 2023: 1 article"' in markup
    assert markup.count('aria-pressed="true"') == 1
    assert markup.count('tabindex="0"') == 1
    assert "2 without a date" in markup


# -- what adding and removing says ------------------------------------------------------------


def test_while_files_are_read_the_time_left_is_said() -> None:
    running = Status(1, running=True, done=3, all=12, seconds_left=47.0)
    markup = status_html(running, Outcome(kept=("uploads/a.txt", "uploads/b.txt")))
    assert "a.txt</b> and <b" in markup
    assert "3 of 12 files · about 45 s left" in markup
    assert 'max="12" value="3"' in markup
    unknown = status_html(Status(1, running=True), Outcome(kept=("uploads/a.txt",)))
    assert "<progress aria-label" in unknown


def test_at_the_end_what_can_be_asked_and_what_was_refused() -> None:
    outcome = Outcome(
        ("uploads/a.zip",),
        ("b.exe is no format.",),
        articles=2,
        skipped=(("uploads/a.zip/c.pdf", "is damaged"),),
    )
    markup = status_html(Status(1), outcome)
    assert "2 articles can be asked about." in markup
    assert "2 files could not be read" in markup
    assert "b.exe is no format." in markup
    assert "uploads/a.zip/c.pdf is damaged." in markup
    assert "1 file could not be added" in status_html(Status(), Outcome(refused=("b is none.",)))
    assert "Nothing was added" in status_html(Status(), Outcome(refused=("b.exe is no format.",)))
    removed = status_html(Status(1), Outcome(removed="uploads/a.txt", place="x.footnote/removed"))
    assert "Removed <b" in removed
    assert "x.footnote/removed" in removed


def test_hostile_names_stay_text() -> None:
    name = HOSTILE.replace("/", "")
    for outcome in (
        Outcome(kept=(name,)),
        Outcome(refused=(name,)),
        Outcome(removed=name, place=name),
        Outcome(kept=(name,), skipped=((name, name),)),
    ):
        for status in (Status(), Status(running=True), Status(error=name)):
            markup = status_html(status, outcome)
            assert not re.search(r"<(?:script|img|svg)\b", markup)
    assert (
        '"'
        not in re.findall(
            r'data-remove="(.*?)" data-name', shelf([summary(HOSTILE, HOSTILE)], removable=("",))
        )[0]
    )


# -- in words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2024-03-01", "2024-03-31", "March 2024"),
        ("2024-01-01", "2024-12-31", "2024"),
        ("2020-01-01", "2024-12-31", "2020 to 2024"),
        ("2024-02-01", "2024-03-31", "February 2024 to March 2024"),
        ("2024-03-08", "2024-03-08", "8 March 2024"),
        ("2024-03-08", "2024-03-09", "8 March 2024 to 9 March 2024"),
        ("2024-03-08", "", "since 8 March 2024"),
        ("", "2024-03-08", "until 8 March 2024"),
        ("", "", ""),
    ],
)
def test_periods(first: str, last: str, said: str) -> None:
    assert period_in_words(first, last) == said


@pytest.mark.parametrize(
    ("published", "shown"),
    [("2024-05-03", "3 May 2024"), ("May 2024", "May 2024"), ("<2024>", "<2024>")],
)
def test_dates(published: str, shown: str) -> None:
    assert day(published) == shown
    assert f"<span>{escape(shown)}</span>" in shelf([summary("a.txt", "A", published)])


def test_counts_and_times() -> None:
    assert (texts.files(1), texts.files(1_200)) == ("1 file", "1,200 files")
    assert [time_left(s) for s in (2, 32, 200)] == [
        "a few seconds left",
        "about 30 s left",
        "about 3 min left",
    ]
