"""How much may be asked: allowances, places, and that each of them is given back."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from fake_rag import FakeRag
from served import Server, serving
from starlette.requests import Request
from starlette.types import Message

from rag.api.asking import Asking
from rag.api.routes import Streamed, server_sent
from rag.errors import Overloaded
from rag.server.engine import Running
from rag.server.limits import Gate
from rag.server.problems import ProblemDetails
from rag.server.settings import Limits
from rag.types import Answer, Event

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SLOW = "A slow question"
WHEN = {"question": "When?"}
TOOL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "answer_question", "arguments": WHEN},
}
JSON_OR_EVENTS = {"accept": "application/json, text/event-stream"}


def refused(work: Callable[[], object]) -> ProblemDetails:
    with pytest.raises(ProblemDetails) as problem:
        work()
    return problem.value


def entered(gate: Gate, client: str) -> None:
    with gate.question(client):
        pass


def answered(asking: Asking, question: str = "When?", client: str = "one") -> Answer:
    return anyio.run(asking.answer, question, (), None, client)


def no_longer_answering() -> None:
    """Return when no thread works for a program any more."""
    for thread in threading.enumerate():
        if thread.name == "answer":
            thread.join(30)


# -- allowances -------------------------------------------------------------------------------


def test_an_allowance_grows_back_and_belongs_to_one_client() -> None:
    now = [0.0]
    gate = Gate(Limits(questions_per_minute=2), lambda: now[0])
    for _ in range(2):
        gate.count("one")
    problem = refused(lambda: gate.count("one"))
    assert (problem.status, problem.retry_after) == (429, 30)
    gate.count("two")
    now[0] = 29.0
    assert refused(lambda: gate.count("one")).retry_after == 1
    now[0] = 31.0
    gate.count("one")
    assert refused(lambda: gate.count("one")).status == 429


def test_at_most_a_minutes_worth_is_saved_up() -> None:
    now = [0.0]
    gate = Gate(Limits(questions_per_minute=2), lambda: now[0])
    gate.count("one")
    now[0] = 3600.0
    for _ in range(2):
        gate.count("one")
    assert refused(lambda: gate.count("one")).status == 429


def test_the_longest_silent_client_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.server.limits.CLIENTS", 3)
    gate = Gate(Limits(questions_per_minute=1), lambda: 0.0)
    for client in ("one", "two", "three"):
        gate.count(client)
    assert refused(lambda: gate.count("one")).status == 429  # no longer the longest silent one
    gate.count("four")
    for client in ("one", "three", "four"):
        assert refused(lambda client=client: gate.count(client)).status == 429  # type: ignore[misc]
    gate.count("two")  # nothing is known of it any more


def test_what_finds_no_room_costs_nothing_and_what_comes_too_often_takes_none() -> None:
    gate = Gate(Limits(questions_per_minute=2, questions_at_once=1), lambda: 0.0)
    with gate.question("one"):
        for _ in range(9):
            problem = refused(lambda: entered(gate, "two"))
            assert (problem.status, problem.retry_after) == (503, 10)
    for _ in range(2):
        entered(gate, "two")
    for _ in range(9):
        assert refused(lambda: entered(gate, "two")).status == 429
    entered(gate, "one")


# -- places, which are given back ------------------------------------------------------------


def test_a_question_that_the_page_leaves_no_place_for_costs_nothing() -> None:
    running = Running(most=1)
    gate = Gate(Limits(questions_per_minute=2, questions_at_once=1), lambda: 0.0)
    asking = Asking(FakeRag(), running, gate)
    with running.question("a visitor"):
        for _ in range(9):
            with pytest.raises(Overloaded):
                answered(asking)
    for _ in range(2):
        assert answered(asking).claims
    assert refused(lambda: answered(asking)).status == 429
    assert not running.any()


def test_an_engine_that_fails_gives_its_place_back() -> None:
    asking = Asking(FakeRag(), Running(most=1), Gate(Limits(questions_at_once=1)))
    for _ in range(3):
        with pytest.raises(RuntimeError, match="not one of ours"):
            answered(asking, "A fault?")
    assert answered(asking).claims


def test_a_thread_that_cannot_be_started_gives_its_place_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking = Asking(FakeRag(), Running(most=1), Gate(Limits(questions_at_once=1)))
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name == "answer":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="new thread"):
                answered(asking)
    assert answered(asking).claims


def test_a_place_is_taken_until_the_work_has_ended_though_the_client_has_gone() -> None:
    rag, running = FakeRag(), Running()
    asking = Asking(rag, running, Gate(Limits(questions_at_once=1)))
    rag.loaded.clear()  # cannot be stopped

    async def ask_and_go() -> None:
        events = asking.events("When?", (), None, "one")
        await anext(events)
        await events.aclose()

    anyio.run(ask_and_go)
    assert not running.any()
    assert refused(lambda: asking.search("When?", 1, (), None, "two")).status == 503
    rag.loaded.set()
    no_longer_answering()
    assert asking.search("When?", 1, (), None, "two").evidence


def test_who_goes_away_at_the_moment_of_an_event_ends_the_work() -> None:
    running, go, gone = Running(), threading.Event(), threading.Event()
    leave: list[Callable[[], object]] = []

    class Engine(FakeRag):
        def _events(self, question: str, cancel: threading.Event) -> Iterator[Event]:
            go.wait(30)
            yield next(super()._events(question, cancel))
            leave[0]()
            gone.set()
            cancel.wait()

    async def ask_and_go() -> None:
        asking = Asking(rag, running, Gate(Limits()))
        working = asyncio.ensure_future(asking.answer("When?", (), None, "one"))
        leave.append(partial(asyncio.get_running_loop().call_soon_threadsafe, working.cancel))
        await anyio.to_thread.run_sync(rag.until, 1)
        go.set()
        gone.wait(30)  # the loop goes on when the event has come, and then the going
        await asyncio.wait({working}, timeout=30)
        assert working.cancelled()
        assert not running.any()

    rag = Engine()
    anyio.run(ask_and_go)
    rag.until(running=0)


@pytest.mark.parametrize("gone", [False, True])
def test_a_stream_that_is_never_sent_ends_its_question(gone: bool) -> None:
    rag, running = FakeRag(), Running()
    asking = Asking(rag, running, Gate(Limits()))
    scope = {"type": "http", "headers": [], "asgi": {"spec_version": "2.3"}}

    async def receive() -> Message:
        if not gone:
            await anyio.sleep_forever()
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        raise OSError("the connection is closed")

    async def respond() -> None:
        events = asking.events(SLOW, (), None, "one")
        sent = server_sent(await anext(events), events, Request(scope))
        with pytest.raises(OSError, match="closed"):
            await Streamed(sent, events)(scope, receive, send)
        assert not running.any()

    anyio.run(respond)
    rag.until(running=0)


# -- the same over HTTP ----------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Server]:
    from rag.app import Options

    options = Options(limits=Limits(questions_at_once=2))
    with serving(FakeRag(), options, Running(most=1)) as served:
        yield served


def asked(server: Server) -> list[httpx.Response]:
    """Return the answers of every interface that answers questions."""
    messages = [{"role": "user", "content": "When?"}]
    return [
        server.http.post("/v1/answer", json=WHEN),
        server.http.post("/v1/answer", json={**WHEN, "stream": True}),
        server.http.post("/v1/chat/completions", json={"messages": messages}),
        server.http.post("/v1/chat/completions", json={"messages": messages, "stream": True}),
    ]


def told(server: Server) -> dict[str, Any]:
    response = server.http.post("/mcp", json=TOOL, headers=JSON_OR_EVENTS)
    result: dict[str, Any] = response.json()["result"]
    return result


def test_programs_are_served_again_after_the_page_was_full(server: Server) -> None:
    pytest.importorskip("mcp")
    with server.running.question("a visitor"):
        for _ in range(3):
            for response in asked(server):
                assert (response.status_code, response.headers["retry-after"]) == (503, "60")
                assert response.headers["content-type"] == "application/problem+json"
            assert "in progress already" in told(server)["content"][0]["text"]
            assert server.http.post("/v1/search", json=WHEN).status_code == 200
    for _ in range(3):
        assert [response.status_code for response in asked(server)] == [200] * 4
        assert not told(server).get("isError")


def test_a_full_machine_says_when_to_come_back() -> None:
    from rag.app import Options

    got: list[httpx.Response] = []
    options = Options(limits=Limits(questions_per_minute=1, questions_at_once=1))
    with serving(FakeRag(), options) as server:

        def wait() -> None:
            got.append(httpx.post(f"{server.url}/v1/answer", json={"question": SLOW}, timeout=30))

        waiting = threading.Thread(target=wait)
        waiting.start()
        server.rag.until(running=1)
        busy = server.http.post("/v1/answer", json=WHEN)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "10")
        server.running.stop_all()
        waiting.join(30)
        assert got[0].status_code == 200
        often = server.http.post("/v1/answer", json=WHEN)
        assert often.status_code == 429
        assert 1 <= int(often.headers["retry-after"]) <= 60
        text = server.http.get("/metrics").text
        assert 'footnote_refused_total{reason="busy"} 1.0' in text
        assert 'footnote_refused_total{reason="rate"} 1.0' in text


def test_an_answer_that_takes_too_long_is_stopped() -> None:
    from rag.app import Options

    limits = Limits(questions_at_once=1, request_seconds=0.05)
    with serving(FakeRag(), options=Options(limits=limits)) as server:
        late = server.problem("POST", "/v1/answer", json={"question": SLOW})
        assert (late["status"], "0.05 seconds" in late["detail"]) == (503, True)
        server.rag.until(running=0)


@pytest.mark.parametrize("stream", [False, True])
def test_a_question_that_is_stopped_without_an_answer_says_so(stream: bool) -> None:
    got: list[httpx.Response] = []
    sent = {"question": "The slowest question", "stream": stream}
    with serving(FakeRag()) as server:

        def wait() -> None:
            got.append(httpx.post(f"{server.url}/v1/answer", json=sent, timeout=30))

        waiting = threading.Thread(target=wait)
        waiting.start()
        server.rag.until(running=1)
        server.running.stop_all()
        waiting.join(30)
    *_, last = got[0].text.split("data: ")
    problem = json.loads(last)
    assert (problem["status"], "stopped" in problem["detail"]) == (503, True)
