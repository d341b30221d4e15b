"""HTTP headers and host checks of the web chat: a second wall behind the escaping.

The policy lets the page load from and talk to its own server only, so even markup that slipped
through could fetch nothing and send nothing away. Gradio itself needs inline and evaluated script.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]

FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class SecurityHeaders:
    """ASGI middleware that adds ``HEADERS`` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        await self.app(scope, receive, send_with_headers)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on ``host``."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name, which may mean anything
        return False


def typed_here(request: Any) -> bool:
    """Return whether a request comes from this server's own page, in a browser on this machine.

    A proxy that says so is somebody else; one that keeps silent cannot be told from a browser. The
    request is Gradio's or Starlette's.
    """
    client, headers = request.client, request.headers
    if not client or not is_loopback(str(client.host)) or any(n in headers for n in FORWARDED):
        return False
    try:
        origin = urlsplit(str(headers.get("origin", ""))).netloc
    except ValueError:
        return False
    return origin.lower() == str(headers.get("host", "")).lower() != ""


def allowed_hosts(host: str, more: Sequence[str] = ()) -> frozenset[str]:
    """Return the names that requests to a server on ``host`` may be for; empty: any.

    On a loopback address other host names are refused: a website whose name is made to resolve to
    this machine (DNS rebinding) could otherwise read the articles.
    """
    own = ("localhost", "127.0.0.1", "[::1]", host, f"[{host}]") if is_loopback(host) else ()
    return frozenset((*own, *more)) if own or more else frozenset()
