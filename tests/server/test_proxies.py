"""Who a client is: its address, or what a proxy says that is named; over a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fake_rag import FakeRag
from served import Server, serving

from rag.server.access import Access, hashed
from rag.server.settings import Limits

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PASSWORD = "correct horse battery"
HERE = ["127.0.0.1", "127.0.0.0/8"]
WHEN = {"question": "When?"}


@contextmanager
def behind(*proxies: str, users: bool = False) -> Iterator[Server]:
    """Serve with one question a minute; where people log in, on a clock that stands still."""
    from rag.app import Options

    access = Access({"ana": hashed(PASSWORD)} if users else {}, now=lambda: 0.0)
    limits = Limits(questions_per_minute=1)
    with serving(FakeRag(), options=Options(access, limits, proxies=proxies)) as server:
        yield server


def ask(server: Server, *forwarded: str) -> int:
    """Ask as a client of these addresses, the last one that of who came to the proxy."""
    headers = {"x-forwarded-for": ", ".join(forwarded)}
    return server.http.post("/v1/answer", json=WHEN, headers=headers).status_code


def log_in(server: Server, address: str, password: str = "wrong") -> int:
    sent = {"user": "ana", "password": password}
    headers = {"x-forwarded-for": address}
    return server.http.post("/login", data=sent, headers=headers).status_code


@pytest.mark.parametrize("proxies", [(), ("198.51.100.0/24", "::1")])
def test_what_anybody_says_of_its_address_gives_no_new_allowance(
    monkeypatch: pytest.MonkeyPatch, proxies: tuple[str, ...]
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")  # uvicorn's own setting
    with behind(*proxies) as server:
        assert [ask(server, f"198.51.100.{n}") for n in range(4)] == [200, 429, 429, 429]


def test_what_anybody_says_of_its_address_gives_no_more_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rag.server.login.TRIES", 2)
    with behind(users=True) as server:
        tried = [log_in(server, f"198.51.100.{n}") for n in range(4)]
        assert tried == [401, 401, 429, 429]
        assert log_in(server, "198.51.100.9", PASSWORD) == 429


@pytest.mark.parametrize("proxy", HERE)
def test_behind_a_named_proxy_each_client_has_its_own_allowance(proxy: str) -> None:
    with behind(proxy) as server:
        assert [ask(server, "198.51.100.1") for _ in range(2)] == [200, 429]
        assert [ask(server, "198.51.100.2") for _ in range(2)] == [200, 429]
        # What the client itself said stands before what the proxy has added.
        assert ask(server, "198.51.100.3", "198.51.100.1") == 429


def test_behind_a_named_proxy_each_client_has_its_own_tries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rag.server.login.TRIES", 2)
    with behind(*HERE, users=True) as server:
        assert [log_in(server, "198.51.100.1") for _ in range(3)] == [401, 401, 429]
        assert log_in(server, "198.51.100.1", PASSWORD) == 429
        assert log_in(server, "198.51.100.2", PASSWORD) == 303


@pytest.mark.parametrize("proxies", [(), ("127.0.0.1",)])
def test_only_a_named_proxy_says_that_a_client_came_by_https(proxies: tuple[str, ...]) -> None:
    with behind(*proxies, users=True) as server:
        sent = {"user": "ana", "password": PASSWORD}
        for scheme in ("https", "http"):
            headers = {"x-forwarded-proto": scheme}
            done = server.http.post("/login", data=sent, headers=headers)
            server.http.cookies.clear()
            secure = "; secure" in done.headers["set-cookie"].lower()
            assert (done.status_code, secure) == (303, bool(proxies) and scheme == "https")
