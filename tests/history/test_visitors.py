"""The cookie by which a visitor is known, and the downloads of that visitor's conversations."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from fake_rag import FakeRag
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from test_kept import asked

from rag.history.storage import Store, is_visitor, new_id, new_visitor, of_user
from rag.history.visitors import COOKIE, Visitors, visitor_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "conversations")


def fetch(
    store: Store,
    path: str,
    cookies: str = "",
    method: str = "GET",
    base: str = "http://here",
    **state: object,
) -> httpx.Response:
    """Ask for a path; ``state`` is what rag/server/access.py has found out. The page names the
    visitor.
    """

    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"the page of {visitor_of(request)!r}")

    methods = ["GET", "POST"]
    inner = Starlette(routes=[Route("/{rest:path}", page, methods=methods)])
    visitors = Visitors(inner, store, FakeRag().article)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        await visitors({**scope, "state": dict(state)}, receive, send)

    transport = httpx.ASGITransport(guarded)

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            headers = {"Cookie": cookies} if cookies else {}
            return await client.request(method, path, headers=headers)

    return asyncio.run(send())


def test_a_new_visitor_gets_a_secret_that_scripts_cannot_read(store: Store) -> None:
    header = fetch(store, "/").headers["set-cookie"]
    value = header.split(";")[0].removeprefix(f"{COOKIE}=")
    assert is_visitor(value)
    assert fetch(store, "/").headers["set-cookie"] != header
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    assert "Secure" not in header
    assert fetch(store, "/", base="https://here").headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize(
    "cookies", ["", f"{COOKIE}=short", f'{COOKIE}="../../x"', "=;;=\x7f", "a" * 9]
)
def test_what_is_no_secret_is_replaced(store: Store, cookies: str) -> None:
    assert COOKIE in fetch(store, "/", cookies).headers["set-cookie"]


def test_a_known_visitor_keeps_the_secret(store: Store) -> None:
    visitor = new_visitor()
    cookies = f"other=1; {COOKIE}={visitor}"
    assert "set-cookie" not in fetch(store, "/", cookies).headers
    for path, method in (("/config", "GET"), ("/", "POST"), ("/conversations", "POST")):
        response = fetch(store, path, cookies, method=method)
        assert response.text == f"the page of {visitor!r}"
        response = fetch(store, path, method=method)
        assert response.text == "the page of ''"
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize("cookies", ["", f"{COOKIE}=x", "other=y", f"{COOKIE}=user:ana"])
def test_without_a_secret_there_is_no_visitor(store: Store, cookies: str) -> None:
    assert fetch(store, "/", cookies).text == "the page of ''"
    assert visitor_of(None) == ""  # nor without the layer


def test_who_has_logged_in_is_the_user_whatever_the_browser(store: Store) -> None:
    cookies = f"{COOKIE}={new_visitor()}"
    for given in ("", cookies):
        response = fetch(store, "/", given, user="ana", program=False)
        assert response.text == "the page of 'user:ana'"
        assert "set-cookie" not in response.headers  # nothing to follow a browser by
    # Without a name it is the browser's, as it was before.
    assert "user:" not in fetch(store, "/", cookies, user=None, program=False).text
    name = store.put(of_user("ana"), new_id(), asked("When?"))
    path = f"/conversations/{name}.md"
    assert fetch(store, path, user="ana", program=False).status_code == 200
    for state in ({"user": "Ana"}, {"user": ""}, {"user": None}, {}, {"program": True}):
        assert fetch(store, path, cookies, **state).status_code == 404


def test_a_program_is_no_visitor(store: Store) -> None:
    cookies = f"{COOKIE}={new_visitor()}"
    for given in ("", cookies):
        response = fetch(store, "/", given, user=None, program=True)
        assert response.text == "the page of ''"
        assert "set-cookie" not in response.headers


def test_downloads_are_for_their_visitor_and_never_shown_in_the_browser(store: Store) -> None:
    visitor = new_visitor()
    name = store.put(visitor, new_id(), asked("When?"))
    mine = f"{COOKIE}={visitor}"
    for suffix, kind in (("md", "text/markdown"), ("json", "application/json")):
        response = fetch(store, f"/conversations/{name}.{suffix}", mine)
        assert response.headers["content-type"] == f"{kind}; charset=utf-8"
        assert response.headers["content-disposition"].startswith("attachment; ")
        assert response.headers["cache-control"] == "no-store"
        assert "Tickets cost nine euros" in response.text
    for path in (f"{name}.html", f"{name}", "x.md", ".md", f"{name}.md.md"):
        assert fetch(store, f"/conversations/{path}", mine).status_code == 404
    other = f"{COOKIE}={new_visitor()}"
    for cookies in ("", other):
        assert fetch(store, f"/conversations/{name}.md", cookies).status_code == 404
