"""Settings of the engine and the server, each with where it comes from.

The environment goes before the file, the file before the default. FOOTNOTE_CONFIG names the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeAlias

from rag.command import command
from rag.config import Config
from rag.errors import InputError
from rag.server.access import parsed
from rag.server.logs import KINDS

FILE = "FOOTNOTE_CONFIG"
OTHERS = {"base_url": "OPENAI_BASE_URL", "api_key": "OPENAI_API_KEY"}  # their usual names
SECRET = {"api_key", "users", "tokens"}


@dataclass(frozen=True, slots=True)
class Limits:
    """Of requests by programs; the page has limits of its own."""

    body_bytes: int = 1_000_000
    upload_bytes: int = 50_000_000  # of a request that brings articles, and of the page's
    questions_per_minute: int = 60  # of one client: a user, a token, or else an address
    questions_at_once: int = 8  # of all clients
    request_seconds: float = 180.0  # of one answer


@dataclass(frozen=True, slots=True)
class Server:
    """Settings of the server that are no limits."""

    articles: Path = Path("seeds")
    index: Path | None = None  # None: rag/index/manifest.py's default
    host: str = "127.0.0.1"
    port: int = 7860
    watch: bool = False  # sync whenever files change
    log: str = "quiet"  # "quiet": warnings; "text" or "json": a line for each request, too
    hosts: tuple[str, ...] = ()  # names that the server is reached by, such as behind a proxy
    origins: tuple[str, ...] = ()  # sites whose pages may use the HTTP interface
    # Addresses and networks of proxies in front, which are believed who a client is, and whether it
    # came by https (X-Forwarded-For, X-Forwarded-Proto); nobody else is.
    trusted_proxies: tuple[str, ...] = ()
    token_file: Path | None = None  # a token on each line
    users: Mapping[str, str] = field(default_factory=dict)  # name → hash of the password


@dataclass(frozen=True, slots=True)
class Set:
    """A setting's value and where it comes from."""

    value: Any
    source: str


Values: TypeAlias = Mapping[str, Set]


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings by name."""

    values: Values

    def config(self) -> Config:
        """Return the engine's settings."""
        return Config(**self._of(Config))

    def limits(self) -> Limits:
        """Return the limits of requests."""
        return Limits(**self._of(Limits))

    def server(self) -> Server:
        """Return the server's settings."""
        return Server(**self._of(Server))

    def tokens(self) -> tuple[str, ...]:
        """Return the tokens for programs. Raises InputError when their file cannot be read."""
        file: Path | None = self.values["token_file"].value
        try:
            lines = file.read_text("utf-8") if file else ""
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise InputError(
                f"token_file: {file} cannot be read: {why}. It is to hold a token on each line, "
                f"made by {command()} password --token, and be readable for who serves."
            ) from error
        return (*self.values["tokens"].value, *lines.split())

    def shown(self) -> list[dict[str, Any]]:
        """Return rows of name, value and source, without secrets."""
        return [
            {"name": name, "value": _shown(name, found.value), "source": found.source}
            for name, found in self.values.items()
        ]

    def _of(self, kind: type[Config | Limits | Server]) -> dict[str, Any]:
        return {each.name: self.values[each.name].value for each in fields(kind)}


def settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings. Raises InputError, naming the setting and where it stands."""
    file = environment.get(FILE)
    rows = _read(Path(file)) if file else {}
    kinds: dict[str, tuple[str, Any]] = {"tokens": ("tuple[str, ...]", ())}
    for each in (f for kind in (Server, Limits, Config) for f in fields(kind)):
        default = {} if each.name == "users" else each.default
        kinds[each.name] = (str(each.type), default)
    if unknown := sorted(set(rows) - set(kinds) | set(rows) & {"tokens", "api_key"}):
        raise InputError(
            f"{file}: {unknown[0]} is no setting there. {command()} config shows all; tokens "
            "and keys come from the environment or token_file."
        )
    values: dict[str, Set] = {}
    for name, (kind, default) in kinds.items():
        variable = f"FOOTNOTE_{name.upper()}"
        variable = OTHERS[name] if name in OTHERS and variable not in environment else variable
        if environment.get(variable):
            values[name] = Set(_value(name, kind, environment[variable], variable), variable)
        elif name in rows:
            values[name] = Set(_value(name, kind, rows[name], str(file)), str(file))
        else:
            values[name] = Set(default, "default")
    return Settings(values)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{FILE}: {file} cannot be read.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} is not TOML: {error}.") from error


def _value(name: str, kind: str, given: Any, where: str) -> Any:
    """Return a value of the environment (text) or of the file as what the setting is."""
    try:
        value = CONVERT[kind.removesuffix(" | None")](given)
        if name == "log" and value not in KINDS:
            raise ValueError
        if name == "users":
            for stored in value.values():
                parsed(stored)
        if name == "trusted_proxies":
            for proxy in value:
                ip_network(proxy)
        if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
            raise ValueError
    except InputError as error:
        raise InputError(f"{where}, {name}: {error}") from error
    except (ValueError, TypeError, AttributeError) as error:
        wanted = WANTED.get(name) or WANTED[kind.removesuffix(" | None")]
        raise InputError(f"{where}: {name} has to be {wanted}.") from error
    return value


def _whole(given: Any) -> int:
    if isinstance(given, bool | float):
        raise TypeError
    return int(given)


def _number(given: Any) -> float:
    if isinstance(given, bool):
        raise TypeError
    return float(given)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError
    return given


def _yes(given: Any) -> bool:
    if given in (True, False):
        return bool(given)
    return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
        given.lower()
    ]


def _several(given: Any) -> tuple[str, ...]:
    if isinstance(given, str):
        return tuple(given.replace(",", " ").split())
    return tuple(_text(each) for each in given)


def _users(given: Any) -> dict[str, str]:
    if isinstance(given, str):
        return dict(each.split(":", 1) for each in _several(given))
    return {name: _text(stored) for name, stored in given.items()}


CONVERT: dict[str, Callable[[Any], Any]] = {
    "str": _text, "int": _whole, "float": _number, "bool": _yes, "tuple[str, ...]": _several,
    "Path": lambda given: Path(_text(given)).expanduser(), "Mapping[str, str]": _users,
}  # fmt: skip
WANTED = {
    "str": "text", "int": "a whole number above 0", "float": "a number above 0",
    "bool": "true or false", "tuple[str, ...]": "a list of texts", "Path": "a path",
    "Mapping[str, str]": "a table of names and hashes, in the environment NAME:HASH",
    "log": " or ".join(KINDS),
    "trusted_proxies": "a list of addresses or networks, such as 127.0.0.1 or 10.0.0.0/8",
}  # fmt: skip


def _shown(name: str, value: Any) -> Any:
    if name in SECRET:
        return f"{', '.join(value) if name == 'users' else 'set'} (not shown)" if value else None
    return (
        [*value] if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
    )
