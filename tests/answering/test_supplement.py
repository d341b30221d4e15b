"""An answer says that articles disagree, and quotes the corrections of what it cites."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.answering.pipeline import Rag
from rag.config import Config
from rag.types import ClaimVerified

OLD = "Fire on the ferry\nPublished: 2024-02-03\nSource: Coast Daily\n\n"
NEW = "Ferry victims mourned\nPublished: 2024-02-06\nSource: Inland Post\n\n"
TWELVE = "Twelve people died in the Tarnholm ferry fire, the coast guard said."
FIFTEEN = "Fifteen people died in the Tarnholm ferry fire, the harbour master said."
QUESTION = "How many people died in the Tarnholm ferry fire?"
Opened = Callable[[dict[str, str]], Rag]


@pytest.fixture
def open_rag(tmp_path: Path) -> Iterator[Opened]:
    rags: list[Rag] = []

    def opened(articles: dict[str, str]) -> Rag:
        folder = tmp_path / "articles"
        folder.mkdir()
        for name, text in articles.items():
            (folder / name).write_text(text, encoding="utf-8")
        config = Config(encoder="hashed", generator="extractive", store="numpy", decline_below=0.0)
        rags.append(Rag.for_articles(folder, config, tmp_path / "index"))
        return rags[-1]

    yield opened
    for rag in rags:
        rag.close()


@pytest.mark.parametrize("swapped", [False, True])
def test_both_values_are_quoted_the_newer_first_and_a_note_says_so(
    open_rag: Opened, swapped: bool
) -> None:
    names = ("b.txt", "a.txt") if swapped else ("a.txt", "b.txt")
    rag = open_rag({names[0]: f"{OLD}{TWELVE}\n", names[1]: f"{NEW}{FIFTEEN}\n"})
    events = list(rag.stream(QUESTION))
    answer = rag.answer(QUESTION)
    assert [claim.text for claim in answer.claims[:2]] == [FIFTEEN, TWELVE]
    (note,) = answer.notes
    newer, older = note.split(";")
    for part in ("Ferry victims mourned", "2024-02-06", "Inland Post", "fifteen"):
        assert part in newer
    for part in ("Fire on the ferry", "2024-02-03", "Coast Daily", "twelve"):
        assert part in older
    streamed = [event.claim.text for event in events if isinstance(event, ClaimVerified)]
    assert sorted(streamed) == sorted(claim.text for claim in answer.claims)
    for citation in answer.citations:
        text = rag.article(citation.article).text
        assert text[citation.start : citation.end] == citation.quote
    assert answer.to_dict()["notes"] == list(answer.notes)


def test_articles_that_agree_are_not_said_to_disagree(open_rag: Opened) -> None:
    same = TWELVE.replace("Twelve", "12").replace("coast guard", "harbour master")
    rag = open_rag({"a.txt": f"{OLD}{TWELVE}\n", "b.txt": f"{NEW}{same}\n"})
    assert rag.answer(QUESTION).notes == ()


def test_a_correction_follows_the_claim_that_it_concerns(open_rag: Opened) -> None:
    note = (
        "Correction: An earlier version of this story misstated how many people died in the fire."
    )
    rag = open_rag({"a.txt": f"{OLD}{TWELVE}\nThe ship is old.\n{note} It was ten.\n"})
    answer = rag.answer(QUESTION)
    assert [claim.text for claim in answer.claims][:3] == [TWELVE, note, "It was ten."]
    assert {claim.verdict for claim in answer.claims} == {"quoted"}


def test_a_correction_of_something_else_is_left_out(open_rag: Opened) -> None:
    note = "Correction: An earlier version of this story misspelled the name of Mayor Ann Okoye."
    rag = open_rag({"a.txt": f"{OLD}{TWELVE}\nThe ship is old.\n{note}\n"})
    assert note not in [claim.text for claim in rag.answer(QUESTION).claims]
