"""Settings of the engine and the server, each with where it comes from.

The environment goes before the file, the file before the default. FOOTNOTE_CONFIG names the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from pydantic import ValidationError, ValidationInfo, create_model, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

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
class Setting:
    """A setting's value and where it comes from."""

    value: Any
    source: str


Values: TypeAlias = Mapping[str, Setting]


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


class _Values(BaseSettings):
    """What every setting has in common, whatever it is called."""

    model_config = SettingsConfigDict(
        env_prefix="FOOTNOTE_", env_ignore_empty=True, enable_decoding=False, validate_default=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _plain(cls, given: Any, info: ValidationInfo) -> Any:
        """Take a list as text; no truth value or fraction is a whole number."""
        kinds = _kinds(cls, info.field_name)
        if (isinstance(given, bool) and kinds & {int, float}) or (
            isinstance(given, float) and int in kinds
        ):
            raise ValueError
        if isinstance(given, str) and int in kinds:
            return int(given)  # of pydantic, "1.0" would be one, too
        if isinstance(given, str) and kinds & {tuple, Mapping}:
            words = given.replace(",", " ").split()
            return words if tuple in kinds else dict(word.split(":", 1) for word in words)
        return given

    @field_validator("*", mode="after")
    @classmethod
    def _sound(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name == "log" and value not in KINDS:
            raise ValueError
        if info.field_name == "trusted_proxies":
            for proxy in value:
                ip_network(proxy)
        if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
            raise ValueError
        return value.expanduser() if isinstance(value, Path) else value


def settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings. Raises InputError, naming the setting and where it stands."""
    kinds: dict[str, Any] = {"tokens": (tuple[str, ...], ())}
    for kind in (Server, Limits, Config):
        hints = get_type_hints(kind)
        for each in fields(kind):
            default = {} if each.name == "users" else each.default
            kinds[each.name] = (hints[each.name], default)
    variables = {name: f"FOOTNOTE_{name.upper()}" for name in kinds}
    for name, usual in OTHERS.items():
        if variables[name] not in environment:
            variables[name] = usual
    file = environment.get(FILE)
    sources: list[tuple[Mapping[str, str], dict[str, Any]]] = []  # names of places, values

    class Given(_Values):
        @classmethod
        def settings_customise_sources(  # type: ignore[override]  # called by name
            cls, settings_cls: type[BaseSettings], **_usual: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            by_variable = EnvSettingsSource(settings_cls)
            by_variable.env_vars = {
                f"footnote_{name}": environment[variable]
                for name, variable in variables.items()
                if environment.get(variable)
            }
            by_file = _file_source(settings_cls, file)
            rows = by_file()
            if unknown := sorted(set(rows) - set(kinds) | set(rows) & {"tokens", "api_key"}):
                raise InputError(
                    f"{file}: {unknown[0]} is no setting there. {command()} config shows all; "
                    "tokens and keys come from the environment or token_file."
                )
            sources.extend([(variables, by_variable()), (dict.fromkeys(rows, str(file)), rows)])
            return by_variable, by_file

    def where(name: str) -> str:
        return next((places[name] for places, rows in sources if name in rows), "default")

    model = create_model("Settings", __base__=Given, **kinds)
    try:
        values = model()
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        (kind,) = _kinds(model, name) & set(ALLOWED) or {str}
        allowed = ALLOWED_OF.get(name) or ALLOWED[kind]
        raise InputError(f"{where(name)}: {name} has to be {allowed}.") from error
    try:
        for stored in values.users.values():  # type: ignore[attr-defined]
            parsed(stored)
    except InputError as error:
        raise InputError(f"{where('users')}, users: {error}") from error
    return Settings({name: Setting(getattr(values, name), where(name)) for name in kinds})


def _file_source(model: type[BaseSettings], file: str | None) -> TomlConfigSettingsSource:
    try:
        if file and not Path(file).is_file():
            raise FileNotFoundError(file)
        return TomlConfigSettingsSource(model, Path(file) if file else None)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{FILE}: {file} cannot be read.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{file} is not TOML: {error}.") from error


def _kinds(model: type[BaseSettings], name: str | None) -> set[Any]:
    """Return the types of a setting, without what its lists and tables hold."""
    annotation = model.model_fields[name or ""].annotation
    each = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return {get_origin(kind) or kind for kind in each} - {NoneType}


ALLOWED: dict[Any, str] = {
    str: "text",
    int: "a whole number above 0",
    float: "a number above 0",
    bool: "true or false",
    tuple: "a list of texts",
    Path: "a path",
    Mapping: "a table of names and hashes, in the environment NAME:HASH",
}
ALLOWED_OF = {
    "fields": "a list of pairs of texts, in the file",
    "log": " or ".join(KINDS),
    "phrase": "always, auto or never",
    "trusted_proxies": "a list of addresses or networks, such as 127.0.0.1 or 10.0.0.0/8",
}


def _shown(name: str, value: Any) -> Any:
    if name in SECRET:
        return f"{', '.join(value) if name == 'users' else 'set'} (not shown)" if value else None
    return (
        [*value] if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
    )
