"""The page that asks for a password, and its end: plain forms, without scripts."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from rag import texts
from rag.server.access import COOKIE, LASTS, Access
from rag.server.limits import Gate
from rag.server.problems import Problem
from rag.server.settings import Limits

TRIES = 10  # a minute, from one address
MOST = 4_096  # bytes of the form
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="same-origin"><title>{texts.LOG_IN_TITLE}</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:22rem;margin:15vh auto;padding:0 1rem;
color:#1c1b1a;background:#fbfaf7}}label,input,button{{display:block;width:100%;font:inherit;
box-sizing:border-box}}input{{margin:.2rem 0 1rem;padding:.5rem;border:1px solid #8a857c}}
button{{padding:.6rem;border:0;background:#7a2e1f;color:#fff}}[role=alert]{{color:#8c1d10}}
@media (prefers-color-scheme:dark){{body{{background:#1b1a18;color:#eee}}
[role=alert]{{color:#ffb4a6}}}}</style>
<main><h1>{texts.NAME}</h1>{said}<form method="post" action="/login">
<label for="user">{texts.USER}</label>
<input id="user" name="user" autocomplete="username" autofocus>
<label for="password">{texts.PASSWORD}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>{texts.LOG_IN}</button></form></main></html>"""


def logins(access: Access) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    gate = Gate(Limits(questions_per_minute=TRIES), access.now)
    hashing = anyio.CapacityLimiter(2)  # each takes 32 MB

    @router.get("/login")
    async def form(request: Request) -> Response:
        if not access.needed or access.who(dict(request.scope["headers"])):
            return RedirectResponse("/", 303)
        return _page("", 200)

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        try:
            gate.count(request.client.host if request.client else "unknown")
        except Problem as often:
            response = _page(texts.TOO_MANY_TRIES, 429)
            response.headers["retry-after"] = str(often.retry_after)
            return response
        user, password = _sent((await request.body())[:MOST])
        secret = await anyio.to_thread.run_sync(access.log_in, user, password, limiter=hashing)
        if secret is None:
            return _page(texts.NOT_RIGHT, 401)
        done = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        done.set_cookie(COOKIE, secret, LASTS, httponly=True, samesite="lax", secure=secure)
        return done

    @router.post("/logout")
    async def log_out(request: Request) -> Response:
        access.log_out(dict(request.scope["headers"]))
        done = RedirectResponse("/login", 303)
        done.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return done

    return router


def _sent(body: bytes) -> tuple[str, str]:
    try:
        sent = parse_qs(body.decode("utf-8", "replace"), max_num_fields=9)
    except ValueError:
        sent = {}
    return sent.get("user", [""])[0], sent.get("password", [""])[0]


def _page(said: str, status: int) -> HTMLResponse:
    alert = f'<p role="alert">{escape(said)}</p>' if said else ""
    return HTMLResponse(
        PAGE.format(texts=texts, said=alert), status, headers={"cache-control": "no-store"}
    )
