"""The page that asks for a password, and its end: plain forms, without scripts."""

from __future__ import annotations

from urllib.parse import parse_qs

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from rag import texts
from rag.server.access import COOKIE, LASTS, Access
from rag.server.limits import Gate
from rag.server.problems import ProblemDetails
from rag.server.settings import Limits
from rag.text.templating import environment

TRIES = 10  # a minute, from one address
FORM_BYTES = 4_096  # bytes of the form
TEMPLATES = environment("rag.server")


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
        except ProblemDetails as often:
            response = _page(texts.TOO_MANY_TRIES, 429)
            response.headers["retry-after"] = str(often.retry_after)
            return response
        user, password = _sent((await request.body())[:FORM_BYTES])
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


def _page(alert: str, status: int) -> HTMLResponse:
    page = TEMPLATES.get_template("login.html").render(name=texts.NAME, alert=alert)
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})
