"""The page /docs: what it shows of the OpenAPI document, and that its examples are true."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
from fake_rag import FakeRag
from hostile_strings import PIECES
from served import Server, serving

from rag.api.docs import api_page, written
from rag.api.examples import SENTENCE, SHAPES, SPAN, TEXT, curl, examples_of

jsonschema = pytest.importorskip("jsonschema")
BASE = "http://127.0.0.1:7860/"
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
Operation = tuple[str, str, dict[str, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    from rag.app import Options

    with serving(FakeRag(), Options(manager=Keeps())) as served:
        yield served


class Keeps:
    def add(self, name: str, data: bytes) -> str:
        return f"uploads/{name}"

    def remove(self, path: str) -> None:
        pass


@pytest.fixture(scope="module")
def document(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = server.http.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[Operation]:
    return [(m, p, o) for p, found in document["paths"].items() for m, o in found.items()]


def bodies(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for response in operation["responses"].values():
        yield from response.get("content", {}).items()


def test_every_route_of_the_document_stands_on_the_page(
    server: Server, document: dict[str, Any]
) -> None:
    response = server.http.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    page = response.text.replace("<wbr>", "")
    assert len(operations(document)) >= 11
    for method, path, operation in operations(document):
        assert f"<b>{method.upper()}</b> <code>{path}</code></h3>" in page
        assert operation["summary"] in unescape(page)
        for parameter in operation.get("parameters", ()):
            assert f"<dt><code>{parameter['name']}</code></dt>" in page
    for name, shape in document["components"]["schemas"].items():
        assert f"<h3><code>{name}</code></h3>" in page
        for field in shape["properties"]:
            assert f"<dt><code>{field}</code></dt>" in page
    inner = set(re.findall(r'href="#([^"]+)"', page))
    assert inner <= set(re.findall(r' id="([^"]+)"', page))
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_each_example_fits_its_shape_and_stands_on_the_page(document: dict[str, Any]) -> None:
    page, checked = unescape(api_page(document, BASE)), 0
    for _, path, operation in operations(document):
        for kind, media in bodies(operation):
            examples = examples_of(media, document)
            assert examples or kind == "multipart/form-data", (path, kind)
            for example in examples:
                if kind.endswith("json"):
                    whole = {**media["schema"], "components": document["components"]}
                    jsonschema.Draft202012Validator(whole).validate(example)
                    checked += 1
                assert written(example) in page or json.dumps(example, ensure_ascii=False) in page
    assert checked > 40
    assert SHAPES.keys() <= document["components"]["schemas"].keys()
    assert TEXT[SPAN["start"] : SPAN["end"]] == SENTENCE


def test_each_command_is_what_the_server_takes(server: Server, document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        _, *words = shlex.split(curl(BASE, path, method, operation, document).replace("\\\n", ""))
        given = {k: [v for f, v in pairwise(words) if f == k] for k in words}
        (address,) = (word for word in words if word.startswith(BASE))
        headers = dict(line.split(": ", 1) for line in given.get("-H", ()))
        assert ("Authorization" in headers) == (path not in {"/healthz", "/readyz"})
        assert "{" not in address
        response = server.http.request(
            given.get("-X", ["POST" if {"-d", "-F"} & set(words) else "GET"])[0],
            "/" + address.removeprefix(BASE),
            headers=headers,
            content=given["-d"][0] if "-d" in given else None,
            files={"file": ("article.txt", b"A file")} if "-F" in given else None,
        )
        unknown = path == "/v1/articles/{path}" and method == "get"  # not in this folder
        assert response.status_code in ({404} if unknown else {200, 201, 204}), address


def test_hostile_text_stays_text(document: dict[str, Any]) -> None:
    for said in (*PIECES, "</style></code></pre><script>alert(1)</script>", "``<b>x</b>``"):
        spoilt = spoil(document, said)
        page = api_page(spoilt, f"http://{said}/")
        plain = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
        # Tags and attributes are ours alone: as many of them as without what is hostile.
        assert set(re.findall(r"<([a-z0-9!]+)", plain)) <= KNOWN
        assert not re.search(r"<[^>]*\s(?:on\w+|src|style)\s*=", plain)
        assert re.findall(r'href="(?!#|\./|openapi\.json)', plain) == []


KNOWN = set(
    "!doctype html head meta title style body header a h1 h2 h3 h4 p nav ul li span main section "
    "b code wbr pre dl dt dd div details summary".split()
)


def spoil(value: Any, said: str) -> Any:
    """Put a hostile text into each text and name that is not a keyword."""
    keywords = {
        "paths",
        "get",
        "post",
        "delete",
        "info",
        "components",
        "schemas",
        "content",
        "schema",
        "responses",
        "requestBody",
        "parameters",
        "properties",
        "required",
        "in",
        "name",
        "type",
        "summary",
        "description",
        "tags",
        "items",
        "anyOf",
        "$ref",
        "title",
        "examples",
        "example",
    }
    if isinstance(value, dict):
        return {(k if k in keywords else f"{k}{said}"): spoil(v, said) for k, v in value.items()}
    if isinstance(value, list):
        return [spoil(v, said) for v in value]
    return f"{value}{said}" if isinstance(value, str) else value
