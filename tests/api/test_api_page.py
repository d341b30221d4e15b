"""The page /docs: it needs no other host, and the examples that it shows are true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fake_rag import FakeRag
from served import Server, serving

from rag.api.examples import PATH, SENTENCE, SHAPES, SPAN, TEXT

jsonschema = pytest.importorskip("jsonschema")
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


def test_the_page_is_made_of_files_of_this_server(server: Server) -> None:
    response = server.http.get("/docs")
    assert response.headers["content-type"].startswith("text/html")
    files = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert len(files) == 3
    for file in files:
        assert file.startswith("/")
        assert server.http.get(file).status_code == 200
    assert "url: '/openapi.json'" in response.text
    assert "script-src 'self'" in response.headers["content-security-policy"]


def examples_of(media: dict[str, Any], document: dict[str, Any]) -> list[Any]:
    """Return the examples of a body, or of the shape that it has."""
    if "example" in media:
        return [media["example"]]
    name = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
    shape = document["components"]["schemas"].get(name, media.get("schema", {}))
    return list(shape.get("examples", ()))


def test_each_example_fits_its_shape(document: dict[str, Any]) -> None:
    checked = 0
    for _, path, operation in operations(document):
        for kind, media in bodies(operation):
            examples = examples_of(media, document)
            assert examples or kind == "multipart/form-data", (path, kind)
            for example in examples:
                if kind.endswith("json"):
                    whole = {**media["schema"], "components": document["components"]}
                    jsonschema.Draft202012Validator(whole).validate(example)
                    checked += 1
    assert checked > 40
    assert SHAPES.keys() <= document["components"]["schemas"].keys()
    assert TEXT[SPAN["start"] : SPAN["end"]] == SENTENCE


def test_each_example_is_what_the_server_takes(server: Server, document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        address = path.replace("{path}", PATH)
        body: dict[str, Any] = {}
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            if kind == "multipart/form-data":
                body = {"files": {"file": ("article.txt", b"A file")}}
            else:
                body = {"json": examples_of(media, document)[0]}
        response = server.http.request(method.upper(), address, **body)
        unknown = path == "/v1/articles/{path}" and method == "get"  # not in this folder
        assert response.status_code in ({404} if unknown else {200, 201, 204}), address
