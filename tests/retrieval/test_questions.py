"""A question, articles, and the sentence that must be found first, with either encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from scripted import ScriptedGenerator

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.models.encoder import Encoder
from rag.types import Answer, EvidenceFound

Ask = Callable[..., Answer]


@pytest.fixture(params=["encoder", pytest.param("minilm", marks=pytest.mark.models)])
def ask(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ask]:
    """Ask one question of {path: text of the article}, of hashed words and of the real encoder."""
    encoder: Encoder = request.getfixturevalue(request.param)
    name = "hashed" if request.param == "encoder" else "all-MiniLM-L6-v2"
    config = Config(encoder=name, generator="extractive", store="numpy", decline_below=0.0)
    rags: dict[int, Rag] = {}

    def asked(
        question: str, articles: Mapping[str, str], date: str | None = None, *, draft: str = ""
    ) -> Answer:
        folder = tmp_path / str(len(rags))
        for path, text in articles.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        generator = ScriptedGenerator(draft) if draft else None
        rag = Rag.for_articles(
            folder, config, folder / "index", encoder=encoder, generator=generator
        )
        rags[len(rags)] = rag
        *events, answer = rag.stream(question, date=date)
        assert isinstance(answer, Answer)
        found = [event for event in events if isinstance(event, EvidenceFound)]
        assert events[: len(found)] == found  # at once, and when it has been read
        assert len(found) == (1 if name == "hashed" else 2)
        assert answer.evidence == found[-1].evidence
        assert answer.evidence[:10] == rag.search(question, date=date).evidence
        return answer

    yield asked
    for rag in rags.values():
        rag.close()


def dated(day: str, body: str, title: str = "News") -> str:
    return f"{title}\nPublished: {day}\n\n{body}\n"


# -- the order of the evidence ------------------------------------------------------------------

HARBOUR = {
    "a.txt": "Weather\n\nIt rained in Lisk all of the week. The harbour was quiet.\n",
    "b.txt": "Ferry\n\nThe ferry to Lisk costs nine euros. Children travel free on the ferry.\n",
    "c.txt": "Bridge\n\nThe harbour bridge was closed for repairs on Friday. The repairs of the "
    "harbour bridge will cost about $4 million. Nobody was hurt.\n",
    "d.txt": "Museum\n\nA museum of ships will open beside the harbour in spring.\n",
}


def test_evidence_is_in_the_order_of_its_scores(ask: Ask) -> None:
    answer = ask("What will the repairs of the harbour bridge cost?", HARBOUR)
    scores = [evidence.score for evidence in answer.evidence]
    assert len({*scores}) > 4
    assert scores == sorted(scores, reverse=True)
    cost, closed = [e.quote for e in answer.evidence[:2]]
    assert cost == "The repairs of the harbour bridge will cost about $4 million."
    assert closed == "The harbour bridge was closed for repairs on Friday."
    assert answer.evidence[-1].quote not in HARBOUR["c.txt"]
    assert answer.claims[0].text == cost


# -- near spelling ------------------------------------------------------------------------------

ANNOUNCED = {
    f"{name}.txt": f"Politics\n\n{who} announced {what} on the radio.\n"
    for name, who, what in (
        ("a", "Paul Reyes", "a new ferry"),
        ("b", "Zoe Brandt", "an old plan"),
        ("c", "Ann Okoye", "a long strike"),
        ("d", "Omar Sato", "a short vote"),
        ("z", "Farah Dakhlallah", "a boycott"),
    )
}
BOYCOTT = "Farah Dakhlallah announced a boycott on the radio."


@pytest.mark.parametrize(
    "name", ["Dakhlallah", "Dakhlalah", "Dakhllallah", "Dakhlollah", "Dakhlalalh"]
)  # as it is; a letter left out, added, changed; two swapped
def test_a_name_is_found_in_a_near_spelling(ask: Ask, name: str) -> None:
    answer = ask(f"What did {name} announce?", ANNOUNCED)
    assert answer.evidence[0].quote == BOYCOTT
    assert answer.evidence[0].score > answer.evidence[1].score + 0.1
    assert [claim.text for claim in answer.claims] == [BOYCOTT]


@pytest.mark.parametrize("name", ["Dombrovska", "Dakota", "Dakhlilleh", "Makhlallah"])
def test_another_name_is_not_found(ask: Ask, name: str) -> None:
    draft = f"{name} announced a boycott on the radio."
    answer = ask(f"What did {name} announce?", ANNOUNCED, draft=draft)
    assert answer.declined
    assert answer.reason == f"They do not mention “{name}”."
    assert answer.confidence < ask("What did Dakhlalah announce?", ANNOUNCED).confidence


# -- the time that is asked about -------------------------------------------------------------

SHIPS = dict(  # day: how many ships
    pair.split()
    for pair in (
        "2022-03-03 eleven; 2023-05-20 twelve; 2023-12-12 thirteen; 2024-03-14 fourteen; "
        "2024-04-10 fifteen; 2024-04-24 sixteen; 2024-05-08 seventeen; 2024-05-14 eighteen; "
        "2024-08-30 nineteen"
    ).split(";")
)
STRIKE = {
    f"{n}.txt": dated(day, f"The strike at the port of Maldon held {many} ships back.")
    for n, (day, many) in enumerate(SHIPS.items())
}


@pytest.mark.parametrize(
    ("when", "asked", "day"),
    [
        ("yesterday", "2024-05-15", "2024-05-14"),
        ("on Tuesday", "2024-05-15", "2024-05-14"),
        ("last week", "2024-05-15", "2024-05-08"),
        ("three weeks ago", "2024-05-15", "2024-04-24"),
        ("two months ago", "2024-05-15", "2024-03-14"),
        ("last month", "2024-04-20", "2024-03-14"),
        ("last December", "2024-05-15", "2023-12-12"),
        ("last year", "2023-02-01", "2022-03-03"),
    ],
)
def test_the_article_of_the_time_that_is_asked_about_comes_first(
    ask: Ask, when: str, asked: str, day: str
) -> None:
    answer = ask(f"What did the strike at the port of Maldon hold back {when}?", STRIKE, asked)
    assert f"{SHIPS[day]} ships" in answer.evidence[0].quote
    assert answer.evidence[0].score > answer.evidence[1].score
    assert f"{SHIPS[day]} ships" in answer.claims[0].text


@pytest.mark.parametrize(("year", "club"), [(1999, "Hull"), (2003, "Lisk"), (2008, "Varel")])
def test_the_sentence_with_the_years_that_are_asked_about_comes_first(
    ask: Ask, year: int, club: str
) -> None:
    articles = {
        f"{of}.txt": f"Sport\n\nThe player Paul Reyes was at {of} from {first} to {last}.\n"
        for of, first, last in (("Varel", 2007, 2009), ("Hull", 1998, 2001), ("Lisk", 2002, 2005))
    }
    answer = ask(f"Where was the player Paul Reyes in {year}?", articles)
    assert f" at {club} " in answer.evidence[0].quote
    assert f" at {club} " in answer.claims[0].text


@pytest.mark.parametrize(
    ("date", "day"), [("2024-05-15", "2024-05-14"), ("2023-06-01", "2023-05-20")]
)
def test_the_latest_is_the_newest_that_the_question_can_know(ask: Ask, date: str, day: str) -> None:
    answer = ask("How many ships does the latest strike at the port hold back?", STRIKE, date)
    assert f"{SHIPS[day]} ships" in answer.evidence[0].quote


# -- copies -----------------------------------------------------------------------------------

VOTE = "The council of Maldon approved the new harbour bridge on Friday by 12 votes to 3."
RAIN = "It rained in Lisk."
ON_THE_VOTE = "What did the council of Maldon decide about the harbour bridge?"


@pytest.mark.parametrize("other", [VOTE, VOTE.replace("new harbour", "“new” harbour")])
def test_a_copy_in_another_article_is_one_piece_of_evidence(ask: Ask, other: str) -> None:
    articles = {
        "wire.txt": dated("2024-03-09", f"{VOTE} {RAIN}", "Bridge vote"),
        "echo.txt": dated("2024-03-09", other, "Bridge vote"),
    }
    answer = ask(ON_THE_VOTE, articles)
    quotes = [evidence.quote for evidence in answer.evidence]
    assert sum("bridge" in quote for quote in quotes) == 1
    (copy,) = answer.evidence[0].also_in
    assert {answer.evidence[0].article, copy.article} == {*articles}
    assert sum("bridge" in claim.text for claim in answer.claims) == 1


@pytest.mark.parametrize(
    "other",
    [
        VOTE.replace("12 votes", "9 votes"),
        VOTE.replace("approved", "rejected"),
        VOTE.replace("approved", "has not approved"),
        VOTE.replace("Friday", "Monday"),
        VOTE.replace("Maldon", "Varel"),
        VOTE.replace("new harbour", "north harbour"),
    ],
)
def test_what_says_something_else_is_no_copy(ask: Ask, other: str) -> None:
    first = VOTE.replace("new harbour", "south harbour") if "north" in other else VOTE
    articles = {
        "wire.txt": dated("2024-03-09", f"{first} {RAIN}", "Bridge vote"),
        "echo.txt": dated("2024-03-09", other, "Bridge vote"),
    }
    answer = ask(ON_THE_VOTE, articles)
    assert {first, other} <= {evidence.quote for evidence in answer.evidence}
    assert all(evidence.also_in == () for evidence in answer.evidence)
