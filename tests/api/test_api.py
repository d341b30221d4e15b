"""The HTTP interface, over a scripted engine and over a real small index."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_rag import FakeRag
from served import Server, free_port, serving

from rag.answering.pipeline import Rag
from rag.api.schemas import AnswerRow, ArticleRow, SearchRow
from rag.config import Config
from rag.errors import IndexCorrupt, InputError
from rag.server.engine import Running
from rag.types import Answer, ArticleSummary

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SLOW = "A slow question"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(FakeRag()) as served:
        yield served


def events(text: str) -> list[tuple[str, Any]]:
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", text)
    return [(name, json.loads(data)) for name, data in found]


def test_an_answer_is_the_row_of_to_dict(server: Server) -> None:
    response = server.http.post("/v1/answer", json={"question": "When?", "more": 1})
    *_, answer = server.rag.stream("When?")
    assert isinstance(answer, Answer)
    assert response.json() == answer.to_dict()
    assert set(response.json()) == set(AnswerRow.model_fields)
    assert AnswerRow.model_validate_json(response.text, strict=True)
    assert response.headers["content-security-policy"].startswith("default-src 'self'")


def test_a_search_is_the_row_of_to_dict(server: Server) -> None:
    response = server.http.post("/v1/search", json={"question": "When?", "k": 2})
    assert response.json() == server.rag.search("When?", 2).to_dict()
    assert set(response.json()) == set(SearchRow.model_fields)
    assert SearchRow.model_validate_json(response.text, strict=True)


@pytest.mark.parametrize(("more", "accept"), [({"stream": True}, "*/*"), ({}, "text/event-stream")])
def test_a_stream_has_the_evidence_the_claims_and_the_answer(
    server: Server, more: dict[str, Any], accept: str
) -> None:
    asked = {"question": "When?", **more}
    response = server.http.post("/v1/answer", json=asked, headers={"accept": accept})
    assert response.headers["content-type"].startswith("text/event-stream")
    found = events(response.text)
    assert [name for name, _ in found] == ["evidence", "claim", "claim", "claim", "answer"]
    *_, answer = server.rag.stream("When?")
    assert found[-1][1] == answer.to_dict()
    assert found[0][1] == {"evidence": answer.to_dict()["evidence"], "confidence": 0.9}
    assert [data["claim"] for name, data in found if name == "claim"] == answer.to_dict()["claims"]


def test_history_and_date_reach_the_engine(server: Server) -> None:
    history = [{"role": "user", "text": "Who?"}, {"role": "assistant", "text": "Ana."}]
    asked = {"question": "When?", "history": history, "date": "2024-10-25"}
    assert server.http.post("/v1/answer", json=asked).status_code == 200
    assert [turn.text for turn in server.rag.calls[-1][1]] == ["Who?", "Ana."]


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_ends_the_work(server: Server, stream: bool) -> None:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as client:
        asked = json.dumps({"question": SLOW, "stream": stream})
        client.request("POST", "/v1/answer", asked, {"content-type": "application/json"})
        server.rag.until(running=1)
        if stream:
            lines = client.getresponse()
            assert b"event: claim\n" in iter(lines.readline, b"")
    server.rag.until(running=0)
    server.http.get("/healthz")  # what came before it has been done
    assert not server.running.any()


def test_health(server: Server) -> None:
    assert server.http.get("/healthz").json() == {"status": "alive"}
    assert server.http.get("/readyz").json() == {"ready": True, "index": "open", "model": "loaded"}


def test_what_is_not_ready_is_said_without_paths() -> None:
    class Damaged(FakeRag):
        def contents(self) -> tuple[ArticleSummary, ...]:
            raise IndexCorrupt("/home/ana/embeddings/vectors.npy is damaged.")

    with serving(Damaged()) as server:
        response = server.http.get("/readyz")
        assert response.status_code == 503
        assert "home" not in response.text
        assert "index cannot be used" in response.json()["index"]
        assert server.problem("GET", "/v1/articles")["status"] == 503


def test_metrics_count_requests_questions_and_stages(server: Server) -> None:
    server.http.post("/v1/answer", json={"question": "When?"})
    server.http.post("/v1/answer", json={"question": "Who landed on the moon?"})
    server.http.post("/v1/answer", json={"question": "Is it broken?"})
    text = server.http.get("/metrics").text
    route = 'route="/v1/answer"'
    assert f'footnote_http_requests_total{{method="POST",{route},status="200"}}' in text
    assert f'footnote_http_requests_total{{method="POST",{route},status="503"}}' in text
    for outcome in ("answered", "declined", "failed"):
        assert f'footnote_questions_total{{outcome="{outcome}"}}' in text
    assert 'footnote_stage_seconds_bucket{le="0.1",stage="first_evidence"}' in text
    assert "footnote_questions_in_progress 0.0" in text


def test_articles_are_listed_and_read(server: Server) -> None:
    found = server.http.get("/v1/articles", params={"offset": 1, "limit": 1}).json()
    assert (found["total"], found["skipped"]) == (3, [])
    assert [article["path"] for article in found["articles"]] == ["islands/vis.txt"]
    article = server.http.get("/v1/articles/islands/vis.txt").json()
    assert set(article) == set(ArticleRow.model_fields)
    span = article["sentences"][0]
    assert article["text"][span["start"] : span["end"]] == "Vis has dug tunnels."
    assert server.problem("GET", "/v1/articles/..%2f..%2fetc%2fpasswd")["status"] == 404
    assert server.problem("GET", "/v1/articles/none.txt")["status"] == 404


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("POST", "/v1/answer", {}, 422),
        ("POST", "/v1/answer", {"question": ""}, 422),
        ("POST", "/v1/answer", {"question": "When?", "date": "2024-02-30"}, 422),
        ("POST", "/v1/search", {"question": "When?", "k": 0}, 422),
        ("POST", "/v1/answer", {"question": "Is it broken?"}, 503),
        ("POST", "/v1/answer", {"question": "Is it broken?", "stream": True}, 503),
        ("POST", "/v1/answer", {"question": "A fault?"}, 500),
        ("GET", "/v1/answer", None, 405),
        ("GET", "/v1/nothing", None, 404),
        ("POST", "/healthz", None, 405),
        ("POST", "/v1/answer", {"question": "x", "pad": "x" * 1_000_000}, 413),
    ],
)
def test_errors_have_one_shape_and_tell_nothing(
    server: Server, method: str, path: str, sent: object, status: int
) -> None:
    problem = server.problem(method, path, json=sent)
    assert problem["status"] == status
    assert set(problem) <= {"type", "title", "status", "detail", "request_id", "errors"}
    assert not re.search(r"Traceback|qwen|not one of ours|/tmp|\.py", json.dumps(problem))


def test_a_body_without_a_length_is_measured_while_it_is_read(server: Server) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    assert server.problem("POST", "/v1/answer", content=pieces())["status"] == 413


def test_a_failure_in_the_middle_of_a_stream_is_an_event(server: Server) -> None:
    response = server.http.post("/v1/answer", json={"question": "A fault?", "stream": True})
    name, problem = events(response.text)[-1]
    assert (name, problem["status"]) == ("error", 500)
    assert "not one of ours" not in response.text


def test_other_hosts_are_refused_everywhere(server: Server) -> None:
    for path in ("/healthz", "/v1/articles", "/openapi.json", "/metrics"):
        response = server.http.get(path, headers={"host": "rebound.example.org"})
        assert response.status_code == 400


def test_the_document_describes_each_route_with_an_example(server: Server) -> None:
    document = server.http.get("/openapi.json").json()
    assert {"/v1/answer", "/v1/search", "/v1/articles", "/healthz"} <= set(document["paths"])
    assert document["components"]["schemas"]["Question"]["examples"][0]["question"]


def test_a_response_does_not_wait_for_its_reader_to_confirm_the_headers() -> None:
    """Without TCP_NODELAY each takes 40 ms, once a connection is a few requests old."""
    from rag.app import launch

    served = launch(FakeRag(), Running(), host="127.0.0.1", port=free_port())
    with httpx.Client(base_url=served.url, timeout=30) as client:
        assert client.get("/healthz").status_code == 200
        (connection,) = served.server.server_state.connections
        opened = connection.transport.get_extra_info("socket")
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    served.close()


def test_closing_hands_over_what_has_been_verified() -> None:
    from rag.app import launch

    got: list[httpx.Response] = []
    rag, port = FakeRag(), free_port()
    served = launch(rag, Running(), host="127.0.0.1", port=port)
    asked = {"question": SLOW}
    client = threading.Thread(
        target=lambda: got.append(httpx.post(f"{served.url}v1/answer", json=asked, timeout=30))
    )
    client.start()
    rag.until(running=1)
    served.close()
    client.join(timeout=30)
    assert [claim["text"] for claim in got[0].json()["claims"]] == [
        "The ferry leaves Split at seven."
    ]


@pytest.fixture
def real(articles: Path, config: Config, tmp_path: Path) -> Iterator[Rag]:
    with Rag.for_articles(articles, config, tmp_path / "index") as rag:
        yield rag


@pytest.mark.parametrize("most", [50, 3_000])  # less and more than the default
def test_the_setting_says_how_long_a_question_may_be(
    articles: Path, config: Config, tmp_path: Path, most: int
) -> None:
    config = replace(config, question_characters=most)
    whole = "What do tickets for the ferry to Lisk cost?".ljust(most, "?")
    with Rag.for_articles(articles, config, tmp_path / "index") as rag, serving(rag) as server:

        def sent(question: str) -> list[tuple[str, dict[str, Any]]]:
            return [
                ("/v1/answer", {"question": question}),
                ("/v1/answer", {"question": question, "stream": True}),
                ("/v1/search", {"question": question}),
                ("/v1/chat/completions", {"messages": [{"role": "user", "content": question}]}),
            ]

        for path, body in sent(whole):
            assert server.http.post(path, json=body).status_code == 200
        for path, body in sent(f"{whole}?"):
            refused = server.problem("POST", path, json=body)
            assert (refused["status"], f"{most:,}" in refused["detail"]) == (422, True)
        schemas = server.http.get("/openapi.json").json()["components"]["schemas"]
        for name in ("Question", "Search"):
            assert "maxLength" not in schemas[name]["properties"]["question"]


def test_over_a_real_index(real: Rag) -> None:
    with serving(real) as server:
        asked = {"question": "What do tickets for the ferry to Lisk cost?"}
        answer = server.http.post("/v1/answer", json=asked).json()
        assert "nine euros" in answer["answer"]
        cited = answer["citations"][0]
        article = server.http.get(f"/v1/articles/{cited['article']}").json()
        assert article["text"][cited["start"] : cited["end"]] == cited["quote"]
        found = server.http.post("/v1/search", json={**asked, "k": 1}).json()
        assert len(found["evidence"]) == 1
        listed = server.http.get("/v1/articles").json()
        assert [each["path"] for each in listed["articles"]] == [
            "bridge.txt",
            "café.txt",
            "ferry.txt",
            "islands/owls.md",
        ]
        assert server.http.get("/v1/articles/café.txt").json()["title"].startswith("Le café")


class Kept:
    """A manager that keeps files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def add(self, name: str, data: bytes) -> str:
        if not name.endswith(".txt"):
            raise InputError(f"{name} is no kind of file that can be read.")
        self.files[name] = data
        return f"added/{name}"

    def remove(self, path: str) -> None:
        if self.files.pop(path.removeprefix("added/"), None) is None:
            raise InputError("There is no such file.")


def test_articles_are_added_and_removed_where_somebody_may() -> None:
    from rag.app import Options

    kept = Kept()
    with serving(FakeRag(), options=Options(manager=kept)) as server:
        long = b"News.\n" * 300_000  # more than other requests may have
        added = server.http.post("/v1/articles", files={"file": ("news.txt", long)})
        assert (added.status_code, added.json()) == (201, {"path": "added/news.txt"})
        assert kept.files == {"news.txt": long}
        refused = server.problem("POST", "/v1/articles", files={"file": ("news.exe", b"MZ")})
        assert refused["status"] == 422
        assert server.http.delete("/v1/articles/added/news.txt").status_code == 204
        assert kept.files == {}
        assert server.problem("DELETE", "/v1/articles/added/news.txt")["status"] == 422


def test_articles_cannot_be_changed_otherwise(server: Server) -> None:
    added = server.problem("POST", "/v1/articles", files={"file": ("news.txt", b"News.")})
    assert added["status"] == 405
    assert server.problem("DELETE", "/v1/articles/ferry.txt")["status"] == 405
    assert "post" not in server.http.get("/openapi.json").json()["paths"]["/v1/articles"]
