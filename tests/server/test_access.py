"""Who may come in: passwords, tokens, hosts and origins, on every path."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import httpx
import pytest
from fake_rag import FakeRag
from served import Server, free_port, serving

from rag.errors import InputError
from rag.server.access import LASTS, Access, Who, hashed, is_among, is_right, parsed, token_digest
from rag.server.engine import Running

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
TOKEN = "a-token-of-sufficient-length"
PASSWORD = "correct horse battery"
PLACES = (
    "/",
    "/config",
    "/v1/articles",
    "/v1/models",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/mcp",
    "/gradio_api/info",
    "/gradio_api/heartbeat/x",
    "/nothing",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    from rag.app import Options

    access = Access({"ana": hashed(PASSWORD)}, (token_digest(TOKEN),))
    with serving(FakeRag(), options=Options(access, origins=("https://app.example",))) as served:
        yield served


def test_without_a_password_or_token_nothing_is_told(server: Server) -> None:
    for path in PLACES:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "footnote_session=x"}):
            assert server.problem("GET", path, headers=headers)["status"] == 401
            assert server.problem("POST", path, headers=headers)["status"] == 401
    assert server.http.get("/healthz").status_code == 200
    assert server.http.get("/readyz").status_code == 200
    page = server.http.get("/", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login")


def test_a_token_opens_everything(server: Server) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert server.http.get("/v1/articles", headers=headers).status_code == 200
    assert server.http.get("/config", headers=headers).status_code == 200


def test_a_token_opens_the_tools_for_agents(server: Server) -> None:
    pytest.importorskip("mcp")
    headers = {"authorization": f"Bearer {TOKEN}"}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"accept": "application/json, text/event-stream"}
    assert server.problem("POST", "/mcp", json=asked, headers=accept)["status"] == 401
    told = server.http.post("/mcp", json=asked, headers={**accept, **headers})
    assert "search_articles" in told.text


def test_a_password_opens_a_session_that_ends(server: Server) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as browser:
        form = browser.get("/login")
        assert "<script" not in form.text
        wrong = browser.post("/login", data={"user": "ana", "password": "no"})
        nobody = browser.post("/login", data={"user": "bo", "password": PASSWORD})
        assert (wrong.status_code, nobody.status_code) == (401, 401)
        assert wrong.text == nobody.text
        done = browser.post("/login", data={"user": "ana", "password": PASSWORD})
        assert done.status_code == 303
        cookie = done.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert browser.get("/config").status_code == 200
        assert browser.post("/v1/answer", json={"question": "When?"}).status_code == 200
        kept = dict(browser.cookies)
        assert browser.post("/logout").status_code == 303
        assert httpx.get(f"{server.url}/config", cookies=kept).status_code == 401


def test_a_session_knows_its_user_and_a_token_is_nobody() -> None:
    users = {"ana": hashed(PASSWORD), "token": hashed(PASSWORD)}
    access = Access(users, (token_digest(TOKEN),))

    def whose(user: str, password: str) -> Who | None:
        secret = access.log_in(user, password)
        return access.who({b"cookie": f"footnote_session={secret}".encode()})

    assert whose("ana", PASSWORD) == Who("user-ana", "ana")
    assert whose("token", PASSWORD) == Who("user-token", "token")
    program = access.who({b"authorization": f"Bearer {TOKEN}".encode()})
    assert program is not None
    assert program.program
    for user in ("ana", "token", "", "nobody"):
        assert whose(user, TOKEN) == Who(program.name)
    assert whose("ana", "wrong") is None


def cookie(access: Access) -> dict[bytes, bytes]:
    """Log in; return what the browser sends from then on."""
    return {b"cookie": f"footnote_session={access.log_in('', TOKEN)}".encode()}


def test_a_session_ends_with_its_time() -> None:
    now = [0.0]
    access = Access({}, (token_digest(TOKEN),), lambda: now[0])
    first = cookie(access)
    now[0] = LASTS - 1
    second = cookie(access)
    assert access.who(first) is not None
    now[0] = LASTS
    assert access.who(first) is None
    assert access.who(second) is not None
    now[0] = 2 * LASTS
    assert access.who(second) is None


def test_an_ended_session_opens_nothing() -> None:
    from rag.app import Options

    now = [0.0]
    access = Access({}, (token_digest(TOKEN),), lambda: now[0])
    with (
        serving(FakeRag(), options=Options(access)) as served,
        httpx.Client(base_url=served.url, timeout=30) as browser,
    ):
        assert browser.post("/login", data={"password": TOKEN}).status_code == 303
        assert browser.post("/v1/search", json={"question": "When?"}).status_code == 200
        now[0] = LASTS
        for path in PLACES:
            assert browser.get(path).status_code == 401
        page = browser.get("/", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/login")
        assert browser.get("/login").status_code == 200  # and not sent on to the page
        assert browser.post("/login", data={"password": TOKEN}).status_code == 303
        assert browser.get("/config").status_code == 200


def test_after_too_many_tries_the_right_password_has_to_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from rag.app import Options

    monkeypatch.setattr("rag.server.login.TRIES", 2)
    now = [0.0]
    access = Access({}, (token_digest(TOKEN),), lambda: now[0])
    with serving(FakeRag(), options=Options(access)) as served:
        for said in (401, 401, 429):
            assert served.http.post("/login", data={"password": "no"}).status_code == said
        late = served.http.post("/login", data={"password": TOKEN})
        assert (late.status_code, late.headers["retry-after"]) == (429, "30")
        now[0] = 30.0
        assert served.http.post("/login", data={"password": TOKEN}).status_code == 303


def test_the_oldest_of_too_many_sessions_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.server.access.SESSIONS", 2)
    access = Access({}, (token_digest(TOKEN),))
    sessions = [cookie(access) for _ in range(4)]
    assert [access.who(each) is not None for each in sessions] == [False, False, True, True]


def test_logging_out_ends_the_own_session_alone() -> None:
    access = Access({}, (token_digest(TOKEN),))
    here, there = cookie(access), cookie(access)
    access.log_out(here)
    access.log_out({})
    access.log_out({b"cookie": b"footnote_session=unknown"})
    assert access.who(here) is None
    assert access.who(there) is not None


def test_logging_out_shows_the_login_page_and_only_the_own_page_may_ask_for_it(
    server: Server,
) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as browser:
        browser.post("/login", data={"user": "ana", "password": PASSWORD})
        assert browser.get("/logout").status_code == 405  # a link or an image ends nothing
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            assert browser.post("/logout", headers=headers).status_code == 403
        page = browser.get("/", headers={"accept": "text/html"})
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"  # nothing to go back to
        done = browser.post("/logout", headers={"origin": server.url})
        assert (done.status_code, done.headers["location"]) == (303, "/login")
        assert browser.get("/config").status_code == 401


def test_a_token_can_be_typed_in(server: Server) -> None:
    done = server.http.post("/login", data={"password": TOKEN})
    server.http.cookies.clear()
    assert done.status_code == 303


def test_pages_of_other_sites_cannot_change_anything(server: Server) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    for origin in (
        "https://evil.example",
        "null",
        server.url.replace("127.0.0.1", "127.0.0.1.evil"),
    ):
        for path in ("/v1/answer", "/mcp", "/login", "/logout", "/gradio_api/queue/join"):
            given = {**headers, "origin": origin}
            assert server.problem("POST", path, headers=given)["status"] == 403
    cross = {**headers, "sec-fetch-site": "cross-site"}
    assert server.problem("POST", "/v1/answer", headers=cross)["status"] == 403
    own = {**headers, "origin": server.url}
    asked = {"question": "When?"}
    assert server.http.post("/v1/answer", json=asked, headers=own).status_code == 200
    response = server.http.post("/v1/answer", json=asked, headers=own)
    assert "access-control-allow-origin" not in response.headers
    named = {**headers, "origin": "https://app.example"}
    response = server.http.post("/v1/answer", json=asked, headers=named)
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    asks = {"origin": "https://app.example", "access-control-request-method": "POST"}
    assert server.http.options("/v1/answer", headers=asks).status_code == 200
    asks["origin"] = "https://evil.example"
    assert server.http.options("/v1/answer", headers=asks).status_code == 400


def test_secrets_and_questions_are_not_logged(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"authorization": f"Bearer {TOKEN}", "x-request-id": "request-1234"}
    with caplog.at_level(logging.DEBUG, logger="rag"):
        server.http.post("/v1/answer", json={"question": "Is it SECRET?"}, headers=headers)
        server.http.post("/login", data={"user": "ana", "password": "SECRET"})
    seen = [record for record in caplog.records if record.name == "rag.requests"]
    assert seen[0].getMessage().startswith("POST /v1/answer 200 in ")
    assert vars(seen[0])["request_id"] == "request-1234"
    assert vars(seen[0])["client"].startswith("token-")
    everything = "".join(str(vars(record)) for record in seen)
    assert "SECRET" not in everything
    assert TOKEN not in everything


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "somewhere"])
def test_other_addresses_need_a_password_or_a_token(host: str) -> None:
    from rag.app import launch

    with pytest.raises(InputError, match=rf"(?s){host}.*password or a token"):
        launch(FakeRag(), Running(), host=host, port=7860)


def test_a_name_that_others_use_needs_one_too() -> None:
    from rag.app import Options, launch

    with pytest.raises(InputError, match=r"articles\.example\.org"):
        launch(
            FakeRag(),
            Running(),
            host="127.0.0.1",
            port=7860,
            options=Options(hosts=("articles.example.org",)),
        )


def test_with_a_token_other_addresses_are_served() -> None:
    from rag.app import Options, launch

    port = free_port()
    options = Options(Access({}, (token_digest(TOKEN),)))
    served = launch(FakeRag(), Running(), host="0.0.0.0", port=port, options=options)
    headers = {"authorization": f"Bearer {TOKEN}", "host": "articles.example.org"}
    assert httpx.get(f"http://127.0.0.1:{port}/v1/models", headers=headers).status_code == 200
    served.close()
    del served
    gc.collect()


def test_passwords_are_salted_and_slow_to_try() -> None:
    one, two = hashed(PASSWORD), hashed(PASSWORD)
    assert one != two
    assert one.startswith("scrypt$32768$8$1$")
    assert is_right(PASSWORD, one)
    assert is_right(PASSWORD, two)
    assert not is_right(PASSWORD + " ", one)
    with pytest.raises(InputError, match="at least 12"):
        hashed("short")
    for damaged in ("", "scrypt$1$8$1$eA==$eA==", "md5$x", one.replace("32768", "999999999")):
        with pytest.raises(InputError, match="python -m rag password"):
            parsed(damaged)


def test_tokens_are_long_and_kept_as_digests() -> None:
    digest = token_digest(TOKEN)
    assert TOKEN.encode() not in digest
    assert is_among(TOKEN, (b"x" * 32, digest))
    assert not is_among(TOKEN[:-1], (digest,))
    with pytest.raises(InputError, match="at least 20"):
        token_digest("short")
