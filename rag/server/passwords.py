"""Passwords as salted scrypt hashes, and tokens that are compared in constant time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

from rag.command import command
from rag.errors import InputError

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
    return _digest(token)


def is_among(token: str, digests: tuple[bytes, ...]) -> bool:
    """Return whether it is one of the tokens; takes as long whichever it is."""
    digest = _digest(token)
    return sum(hmac.compare_digest(digest, known) for known in digests) > 0


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
