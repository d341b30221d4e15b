"""Who a visitor is, and the downloads of a conversation: two small layers around the page.

A visitor is known by a secret in a cookie that scripts cannot read and that other sites' forms and
frames do not send. It opens nothing but the conversations that were kept under it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie

from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag import texts
from rag.export import as_json, as_markdown
from rag.kept import Store, is_visitor, new_visitor
from rag.reopen import reopened
from rag.types import Article

COOKIE = "footnote_visitor"
YEAR = 365 * 24 * 3600  # seconds
_KINDS = {"md": (as_markdown, "text/markdown"), "json": (as_json, "application/json")}


def visitor_of(cookies: Mapping[str, str]) -> str:
    """Return the visitor's secret, or "" for one whose conversation cannot be kept."""
    value = str(dict(cookies).get(COOKIE, ""))
    return value if is_visitor(value) else ""


class Visitors:
    """ASGI middleware: the cookie with the page, and ``/conversations/ID.md`` and ``.json``."""

    def __init__(self, app: ASGIApp, store: Store, read: Callable[[str], Article]) -> None:
        self.app, self.store, self.read = app, store, read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", "")).strip("/")
        visitor = visitor_of(_cookies(scope))
        folder, _, name = path.rpartition("/")
        if folder == "conversations":
            response = await run_in_threadpool(self._download, visitor, name)
            await response(scope, receive, send)
            return
        if path or visitor:
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
