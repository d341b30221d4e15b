"""The OpenAI-compatible interface, used with the official client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fake_rag import FakeRag
from served import Server, serving

from rag.api.openai import written
from rag.types import Answer, Citation, Claim

openai = pytest.importorskip("openai")
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
ASKED = [{"role": "user", "content": "When?"}]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(FakeRag()) as served:
        yield served


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_the_model_is_listed(client: Any) -> None:
    assert [model.id for model in client.models.list()] == ["footnote"]


def test_an_answer_has_markers_sources_and_annotations(server: Server, client: Any) -> None:
    done = client.chat.completions.create(model="footnote", messages=ASKED, temperature=0)
    message = done.choices[0].message
    assert done.choices[0].finish_reason == "stop"
    text, sources = message.content.split("\n\nSources:\n")
    assert text.startswith("The ferry leaves Split at seven. [1] It costs nine euros")
    assert sources.splitlines()[2].startswith("[3] The morning ferry to Hvar (2024-06-03), ferry")
    marked = [1, 2, 1, 3]
    for annotation, number in zip(message.annotations, marked, strict=True):
        place = annotation.url_citation
        assert message.content[place.start_index : place.end_index] == f"[{number}]"
        assert place.url == f"{server.url}/v1/articles/ferry.txt"
        found = annotation.footnote
        article = server.rag.article(found["article"])
        assert article.text[found["start"] : found["end"]] == found["quote"]


def test_a_stream_says_the_same(client: Any) -> None:
    whole = client.chat.completions.create(model="footnote", messages=ASKED).choices[0].message
    chunks = list(
        client.chat.completions.create(
            model="footnote", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )
    said = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in said) == whole.content
    assert len([choice for choice in said if choice.delta.content]) > 3  # claim by claim
    assert said[-1].finish_reason == "stop"
    given = [a.model_dump() for a in whole.annotations]
    assert said[-1].delta.annotations == [
        {**a, "url_citation": {**a["url_citation"]}} for a in given
    ]
    assert chunks[-1].usage.total_tokens == 0


def test_earlier_messages_are_the_history_without_our_sources(server: Server, client: Any) -> None:
    before = client.chat.completions.create(model="footnote", messages=ASKED).choices[0].message
    client.chat.completions.create(
        model="footnote",
        messages=[
            {"role": "system", "content": "Answer like a pirate."},
            *ASKED,
            {"role": "assistant", "content": before.content},
            {"role": "user", "content": [{"type": "text", "text": "And in winter?"}]},
        ],
    )
    question, history = server.rag.calls[-1]
    assert question == "And in winter?"
    assert [(turn.role, turn.text) for turn in history] == [
        ("user", "When?"),
        (
            "assistant",
            "The ferry leaves Split at seven. It costs nine euros in summer, and it runs daily. "
            "Children travel free.",
        ),
    ]


def test_a_refusal_is_a_normal_answer(client: Any) -> None:
    asked = [{"role": "user", "content": "Who landed on the moon?"}]
    message = client.chat.completions.create(model="footnote", messages=asked).choices[0].message
    assert message.footnote["declined"]
    assert message.annotations == []


def test_errors_are_those_that_the_client_knows(client: Any) -> None:
    with pytest.raises(openai.UnprocessableEntityError):
        client.chat.completions.create(model="x", messages=[{"role": "system", "content": "Hi"}])
    with pytest.raises(openai.InternalServerError) as failed:
        client.chat.completions.create(
            model="x", messages=[{"role": "user", "content": "Is it broken?"}]
        )
    assert "qwen" not in str(failed.value)
    with pytest.raises(openai.APIError):
        list(
            client.chat.completions.create(
                model="x", messages=[{"role": "user", "content": "A fault?"}], stream=True
            )
        )


def test_text_of_articles_is_no_markup_for_a_client_that_shows_markdown() -> None:
    hostile = "See ![x](https://evil.example/?q=1) <img src=x> `a` [link](https://evil.example)"
    citation = Citation(1, "a.txt", hostile, None, 0, 9, hostile, 1.0)
    claim = Claim(hostile, (1,), "quoted", 1.0)
    text = written(Answer("q", (claim,), (citation,), (), False, None, 0.9, (hostile,)))
    assert "](" not in text.replace("\\](", "")
    assert "![" not in text
    assert "<img" not in text.replace("\\<", "")
