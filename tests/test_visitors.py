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
from test_kept import asked

from rag.kept import Store, is_visitor, new_id, new_visitor
from rag.visitors import COOKIE, Visitors, visitor_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "conversations")


def fetch(
    store: Store, path: str, cookies: str = "", method: str = "GET", base: str = "http://here"
) -> httpx.Response:
    async def page(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("the page")

    methods = ["GET", "POST"]
    inner = Starlette(routes=[Route("/{rest:path}", page, methods=methods)])
    transport = httpx.ASGITransport(Visitors(inner, store, FakeRag().article))

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
    cookies = f"other=1; {COOKIE}={new_visitor()}"
    assert "set-cookie" not in fetch(store, "/", cookies).headers
    for path, method in (("/config", "GET"), ("/", "POST"), ("/conversations", "POST")):
        response = fetch(store, path, method=method)
        assert response.text == "the page"
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize("cookies", [{}, {COOKIE: "x"}, {"other": "y"}, {COOKIE: "é" * 40}])
def test_without_a_secret_there_is_no_visitor(cookies: dict[str, str]) -> None:
    assert visitor_of(cookies) == ""


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
