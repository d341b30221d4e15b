"""The page /docs: the OpenAPI document for people, drawn from the document itself.

FastAPI's own page loads scripts from another host. This one needs none: plain HTML, every value of
the document escaped where it enters the markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse

from rag import texts
from rag.api.examples import PLACEHOLDER, curl, examples_of
from rag.text.untrusted import as_html

Tree = Mapping[str, Any]
CSS = (files("rag.api") / "static/docs.css").read_text(encoding="utf-8")
RAW = "openapi.json"
# Beside the policy of all pages: this one runs and loads nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
LIMITS = (
    "default",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
)


def docs(app: FastAPI) -> APIRouter:
    """Return the route of the page about an app's document."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    def page(request: Request) -> HTMLResponse:
        headers = {"content-security-policy": POLICY}
        return HTMLResponse(api_page(app.openapi(), str(request.base_url)), headers=headers)

    return router


def api_page(document: Tree, base: str) -> str:
    """Return the page. ``base``: the server's address, for the commands."""
    routes = [
        (method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    about = document["info"]
    told = "".join(f"<p>{_text(about.get(key))}</p>" for key in ("summary", "description"))
    token = texts.API_PLACEHOLDER.format(f"<code>{PLACEHOLDER}</code>")
    raw = texts.API_FOR_MACHINES.format(f'<a href="{RAW}">{RAW}</a>')
    drawn = "".join(_route(*route, document, base) for route in routes)
    shapes = sorted(document.get("components", {}).get("schemas", {}).items())
    links = ", ".join(_type({"$ref": name}) for name, _ in shapes)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{texts.API_TITLE}</title><style>{CSS}</style></head><body>"
        f'<header><a class="wordmark" href="./">{texts.NAME}</a><h1>{texts.FOR_PROGRAMS}</h1>'
        f"{told}<p>{token} {raw}</p></header>"
        f'<nav aria-label="{texts.API_ROUTES}">{_contents(routes)}'
        f"<h2>{texts.API_SHAPES}</h2><p>{links}</p></nav>"
        f'<main><h2 id="routes">{texts.API_ROUTES}</h2>{drawn}'
        f'<h2 id="shapes">{texts.API_SHAPES}</h2>'
        f"{''.join(_shape(name, shape) for name, shape in shapes)}</main>"
        "</body></html>"
    )


def _contents(routes: Iterable[tuple[str, str, Tree]]) -> str:
    groups: dict[str, list[str]] = {}
    for method, path, operation in routes:
        link = f'<a href="#{_id(method, path)}">{_named(method, path)}</a>'
        entry = f"<li>{link} <span>{_text(operation.get('summary'))}</span></li>"
        groups.setdefault(next(iter(operation.get("tags", ())), ""), []).append(entry)
    return "".join(f"<h2>{_text(g)}</h2><ul>{''.join(rows)}</ul>" for g, rows in groups.items())


def _named(method: str, path: str) -> str:
    # A path may break before each slash.
    return f"<b>{_text(method.upper())}</b> <code>{_text(path).replace('/', '<wbr>/')}</code>"


def _route(method: str, path: str, operation: Tree, document: Tree, base: str) -> str:
    rows = [
        _field(
            p["name"], p.get("schema", {}), p.get("required", False), p.get("description"), p["in"]
        )
        for p in operation.get("parameters", ())
    ]
    parameters = f"<h4>{texts.API_PARAMETERS}</h4><dl>{''.join(rows)}</dl>" if rows else ""
    bodies = operation.get("requestBody", {}).get("content", {})
    sent = "".join(f"<p>{_media(kind, media)}</p>" for kind, media in bodies.items())
    body = f"<h4>{texts.API_BODY}</h4>{sent}" if sent else ""
    more = _examples(e for m in bodies.values() for e in examples_of(m, document)[1:])
    told = operation.get("description")
    command = _text(curl(base, path, method, operation, document))
    return (
        f'<section id="{_id(method, path)}"><h3>{_named(method, path)}</h3>'
        f'<p class="summary">{_text(operation.get("summary"))}</p>'
        f"{f'<p>{_text(told)}</p>' if told else ''}<pre><code>{command}</code></pre>"
        f"{parameters}{body}{more}{_answers(operation.get('responses', {}), document)}</section>"
    )


def _answers(responses: Tree, document: Tree) -> str:
    rows = {"good": "", "bad": ""}
    for status, response in sorted(responses.items()):
        bad = status >= "4"
        media = "".join(
            f"<div>{_media(kind, value)}</div>"
            f"{'' if bad else _examples(examples_of(value, document))}"
            for kind, value in response.get("content", {}).items()
        )
        rows["bad" if bad else "good"] += (
            f"<dt><code>{_text(status)}</code></dt>"
            f"<dd>{_text(response.get('description'))}{media}</dd>"
        )
    errors = f"<details><summary>{texts.API_ERRORS}</summary><dl>{rows['bad']}</dl></details>"
    return f"<h4>{texts.API_ANSWERS}</h4><dl>{rows['good']}</dl>{errors if rows['bad'] else ''}"


def _shape(name: str, shape: Tree) -> str:
    required = shape.get("required", ())
    fields = "".join(
        _field(field, schema, field in required, schema.get("description"))
        for field, schema in shape.get("properties", {}).items()
    )
    told = f"<p>{_text(shape['description'])}</p>" if "description" in shape else ""
    return (
        f'<section id="{_id("shape", name)}"><h3><code>{_text(name)}</code></h3>{told}'
        f"<dl>{fields}</dl>{_examples(shape.get('examples', ()))}</section>"
    )


def _field(name: str, schema: Tree, required: bool, told: str | None, place: str = "") -> str:
    limits = [f"{key} {json.dumps(value)}" for key, value in _limits(schema) if value is not None]
    facts = [_type(schema), _text(place), "" if required else texts.API_OPTIONAL]
    said = f"<p>{_text(told)}</p>" if told else ""
    codes = f"<p><code>{_text(', '.join(limits))}</code></p>" if limits else ""
    return (
        f"<dt><code>{_text(name)}</code></dt>"
        f"<dd>{' · '.join(fact for fact in facts if fact)}{said}{codes}</dd>"
    )


def _limits(schema: Tree) -> Iterator[tuple[str, Any]]:
    for part in (schema, *schema.get("anyOf", ())):
        yield from ((key, part[key]) for key in LIMITS if key in part)


def _type(schema: Tree) -> str:
    """Return what a value is, as HTML: shapes are links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{_id("shape", name)}">{_text(name)}</a>'
    if "anyOf" in schema:
        return texts.API_OR.join(map(_type, schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return texts.API_OR.join(f"<code>{_text(json.dumps(v))}</code>" for v in values)
    if "items" in schema:
        return texts.API_LIST_OF.format(_type(schema["items"]))
    if isinstance(inner := schema.get("additionalProperties"), Mapping):
        return texts.API_OBJECT_OF.format(_type(inner))
    format_ = schema.get("format") or schema.get("contentMediaType")
    kind = _text(schema.get("type") or texts.API_ANYTHING)
    return f"{kind} ({_text(format_)})" if format_ else kind


def _media(kind: str, media: Tree) -> str:
    schema = media.get("schema")
    return f"<code>{_text(kind)}</code>{f' · {_type(schema)}' if schema else ''}"


def _examples(examples: Iterable[Any]) -> str:
    return "".join(
        f"<details><summary>{texts.API_EXAMPLE}</summary>"
        f"<pre><code>{_text(written(example))}</code></pre></details>"
        for example in examples
    )


def written(example: Any) -> str:
    """Return an example as it stands on the page, not yet escaped."""
    if isinstance(example, str):  # events, as they are sent
        return example
    return json.dumps(example, indent=2, ensure_ascii=False)


def _id(kind: str, name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{kind} {name}".lower()).strip("-")


def _text(value: Any) -> str:
    said = as_html("" if value is None else str(value))
    return re.sub("``([^`]+)``", r"<code>\1</code>", said)  # as docstrings write code
