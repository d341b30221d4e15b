"""Who may use the server: a session of the page, or a token of a program.

Every request passes here first, whatever it is for: its host and origin are checked, and, where
passwords or tokens are set, that it has one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from fastapi import Response
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.command import command
from rag.errors import InputError
from rag.server.problems import ProblemDetails

COOKIE = "footnote_session"
LASTS = 12 * 3600  # seconds of a session
SESSIONS = 1_000  # at once; the oldest one ends first
OPEN = {"/healthz", "/readyz", "/login"}  # say nothing about the articles
SAFE = {"GET", "HEAD", "OPTIONS"}


@dataclass(frozen=True, slots=True)
class Who:
    """Whose a request is."""

    name: str  # in limits and logs
    user: str | None = None  # whose password was given; None: a token was
    program: bool = False  # which sends its token with each request


@dataclass
class Access:
    """The users with the hashes of their passwords, the digests of the tokens, and sessions."""

    users: Mapping[str, str] = field(default_factory=dict)
    tokens: tuple[bytes, ...] = ()
    now: Callable[[], float] = time.monotonic  # seconds
    _sessions: OrderedDict[str, tuple[Who, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def needed(self) -> bool:
        """Whether a password or a token is asked for."""
        return bool(self.users or self.tokens)

    def log_in(self, user: str, password: str) -> str | None:
        """Return the secret of a new session, or None. Blocks.

        A token passes as a password, but never as that of a user: it opens nobody's conversations.
        """
        stored = self.users.get(user) or _nobodys_hash()  # as slow for a name that nobody has
        right = is_right(password, stored) and user in self.users
        if right:
            who = Who(f"user-{user}", user)
        elif is_among(password, self.tokens):
            who = Who(_of_token(password))
        else:
            return None
        secret = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[_digest(secret)] = (who, self.now() + LASTS)
            while len(self._sessions) > SESSIONS:
                self._sessions.popitem(last=False)
        return secret

    def log_out(self, headers: Mapping[bytes, bytes]) -> None:
        """End the session that a request belongs to."""
        with self._lock:
            self._sessions.pop(_digest(_cookie(headers)), None)

    def who(self, headers: Mapping[bytes, bytes]) -> Who | None:
        """Return whose request this is, or None."""
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if kind.lower() == "bearer" and is_among(token.strip(), self.tokens):
            return Who(_of_token(token.strip()), program=True)
        with self._lock:
            who, ends = self._sessions.get(_digest(_cookie(headers)), (None, 0.0))
        return who if self.now() < ends else None


class Guard:
    """ASGI middleware that lets in who may come in."""

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        hosts: frozenset[str],
        origins: frozenset[str],
        refused: Callable[[str], None],
    ) -> None:
        self.app = app
        self.access = access
        self.hosts = hosts
        self.origins = frozenset(origin.lower() for origin in origins)
        self.refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if refusal := self._refusal(scope, headers):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await refusal(scope, receive, send)
            return
        await self.app(scope, receive, _unstored(send) if self.access.needed else send)

    def _refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Response | None:
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if self.hosts and _without_port(host) not in self.hosts:
            return self._no(scope, "host", 400, "This server does not answer for that host name.")
        if scope.get("method") not in SAFE and not self._same_origin(host, headers):
            said = "A page of another site asked for this; only this server's own page may."
            return self._no(scope, "origin", 403, said)
        if not self.access.needed:
            return None
        who = self.access.who(headers)
        if who is None and scope["path"] not in OPEN:
            if scope.get("method") in SAFE and b"text/html" in headers.get(b"accept", b""):
                return RedirectResponse("/login", 303)
            said = "A token is needed: Authorization: Bearer …, or log in at /login."
            response = self._no(scope, "access", 401, said)
            response.headers["www-authenticate"] = "Bearer"
            return response
        state = scope.setdefault("state", {})
        state["client"] = who.name if who else None
        state["user"], state["program"] = (who.user, who.program) if who else (None, False)
        return None

    def _no(self, scope: Scope, reason: str, status: int, said: str) -> Response:
        self.refused(reason)
        return ProblemDetails(status, said).response(scope)

    def _same_origin(self, host: str, headers: Mapping[bytes, bytes]) -> bool:
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
        if origin is None:  # a program, or a browser that asks by itself, which says where it is
            return site in {None, b"none", b"same-origin"}
        if origin == b"null":  # a form of our own, too: the pages send no referrer
            return site == b"same-origin"
        asked = origin.decode("latin-1").lower()
        try:
            return asked in self.origins or urlsplit(asked).netloc == host != ""
        except ValueError:
            return False


def _unstored(send: Send) -> Send:
    """Let the browser not keep the page: it would show it again to whoever goes back to it."""

    async def send_unstored(message: Message) -> None:
        headers = dict(message.get("headers", []))
        if b"html" in headers.get(b"content-type", b"") and b"cache-control" not in headers:
            message["headers"] = [*message["headers"], (b"cache-control", b"no-store")]
        await send(message)

    return send_unstored


def _without_port(host: str) -> str:
    name, _, port = host.rpartition(":")
    return name if name and port.isdigit() else host


def _cookie(headers: Mapping[bytes, bytes]) -> str:
    try:
        found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _of_token(token: str) -> str:
    return f"token-{_digest(token)[:8]}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


_nobody: list[str] = []


def _nobodys_hash() -> str:
    if not _nobody:
        _nobody.append(hashed(secrets.token_hex(16)))
    return _nobody[0]


# Passwords as salted scrypt hashes, and tokens that are compared in constant time.

N, R, P = 2**15, 8, 1  # 32 MB and about a tenth of a second; RFC 7914, OWASP 2023
SALT = 16  # bytes
SHORTEST = 12  # characters of a password
SHORTEST_TOKEN = 20


def hashed(password: str) -> str:
    """Return ``scrypt$N$r$p$salt$hash``. Raises InputError when the password is too short."""
    if len(password) < SHORTEST:
        raise InputError(f"The password is too short; use at least {SHORTEST} characters.")
    salt = secrets.token_bytes(SALT)
    parts = (base64.b64encode(part).decode() for part in (salt, _scrypt(password, salt, N, R, P)))
    return "$".join(("scrypt", str(N), str(R), str(P), *parts))


def is_right(password: str, stored: str) -> bool:
    """Return whether this is the password of a hash. Raises InputError for what is none."""
    n, r, p, salt, right = parsed(stored)
    return hmac.compare_digest(_scrypt(password, salt, n, r, p), right)


def parsed(stored: str) -> tuple[int, int, int, bytes, bytes]:
    """Return the parts of a hash. Raises InputError."""
    try:
        kind, n, r, p, salt, right = stored.split("$")
        costs = int(n), int(r), int(p)
        found = *costs, base64.b64decode(salt, validate=True), base64.b64decode(right)
    except (ValueError, binascii.Error):
        kind, found = "", (0, 0, 0, b"", b"")
    if kind != "scrypt" or not (1 < found[0] <= 2**20 and 0 < found[1] <= 32 and 0 < found[2] <= 8):
        raise InputError(f"This is no hash of a password. Make one with: {command()} password")
    return found


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    most = 256 * n * r + 2**20
    text = password.encode("utf-8", "replace")
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=most, dklen=32)


def token_digest(token: str) -> bytes:
    """Return what is kept of a token. Raises InputError when it could be guessed."""
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable():
        raise InputError(
            f"A token is too short or has characters that no header can carry; use at least "
            f"{SHORTEST_TOKEN}, such as from: {command()} password --token"
        )
    return _token_hash(token)


def is_among(token: str, digests: tuple[bytes, ...]) -> bool:
    """Return whether it is one of the tokens; takes as long whichever it is."""
    digest = _token_hash(token)
    return sum(hmac.compare_digest(digest, known) for known in digests) > 0


def _token_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
