"""Who a visitor is, and the downloads of a conversation: two small layers around the page.

Who has logged in with a name is that user, in every browser; rag/server/access.py says so. Anybody
else is known by a secret in a cookie that scripts cannot read and that other sites' forms and
frames do not send. It opens nothing but the conversations that were kept under it. A program with a
token is no visitor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag import texts
from rag.history.conversation import reopened
from rag.history.export import as_json, as_markdown
from rag.history.storage import Store, is_visitor, new_visitor, of_user
from rag.types import Article

COOKIE = "footnote_visitor"
YEAR = 365 * 24 * 3600  # seconds
_KINDS = {"md": (as_markdown, "text/markdown"), "json": (as_json, "application/json")}


def visitor_of(request: Any) -> str:
    """Return under what the conversations of a request are kept: what ``Visitors`` has found of
    whom it is, or "" where they are not. The request is Gradio's or Starlette's.
    """
    return str(getattr(getattr(request, "state", None), "visitor", ""))


class Visitors:
    """ASGI middleware: who the visitor is, for ``visitor_of``; the cookie with the page; and
    ``/conversations/ID.md`` and ``.json``.
    """

    def __init__(self, app: ASGIApp, store: Store, read: Callable[[str], Article]) -> None:
        self.app, self.store, self.read = app, store, read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["visitor"] = visitor = _visitor(scope)
        if scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", "")).strip("/")
        folder, _, name = path.rpartition("/")
        if folder == "conversations":
            response = await run_in_threadpool(self._download, visitor, name)
            await response(scope, receive, send)
            return
        if path or visitor or state.get("program"):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), _cookie(scope)]
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    def _download(self, visitor: str, name: str) -> Response:
        identity, _, suffix = name.rpartition(".")
        kept = self.store.get(visitor, identity) if suffix in _KINDS else None
        if kept is None:
            return PlainTextResponse(texts.GONE, status_code=404)
        write, kind = _KINDS[suffix]
        text = write(replace(kept, exchanges=reopened(kept.exchanges, self.read)), self.read)
        headers = {
            "Content-Disposition": f'attachment; filename="conversation-{identity}.{suffix}"',
            "Cache-Control": "no-store",
        }
        return Response(text.encode(), headers=headers, media_type=f"{kind}; charset=utf-8")


def _visitor(scope: Scope) -> str:
    state = scope["state"]
    if state.get("program"):
        return ""
    if (user := state.get("user")) is not None:
        return of_user(user)
    secret = _cookies(scope).get(COOKIE, "")
    return secret if is_visitor(secret) else ""


def _cookies(scope: Scope) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                parsed = SimpleCookie(value.decode("latin-1"))
            except CookieError:
                continue
            found.update({key: morsel.value for key, morsel in parsed.items()})
    return found


def _cookie(scope: Scope) -> tuple[bytes, bytes]:
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    text = f"{COOKIE}={new_visitor()}; Max-Age={YEAR}; Path=/; HttpOnly; SameSite=Lax{secure}"
    return b"set-cookie", text.encode()
