"""Adding and removing articles over HTTP; served only where somebody may."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, File, Response, UploadFile
from pydantic import BaseModel

from rag.api.schemas import PROBLEMS
from rag.text.untrusted import to_json


class Manager(Protocol):
    """Who keeps the files: confines names, checks what they hold, and has the index updated."""

    def add(self, name: str, data: bytes) -> object:
        """Keep a file and return its path among the articles. Raises InputError."""

    def remove(self, path: str) -> object:
        """Move a file to where it can be put back from. Raises InputError."""


class Added(BaseModel):
    """The path under which a file was kept; it is indexed soon after."""

    path: str


def changes(manager: Manager) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["articles"], responses=PROBLEMS)

    @router.post(
        "/articles", summary="Add a file", status_code=201, response_model=Added,
    )  # fmt: skip
    def add(file: Annotated[UploadFile, File(description="the article")]) -> Response:
        path = manager.add(file.filename or "article.txt", file.file.read())
        return Response(to_json({"path": str(path)}), 201, media_type="application/json")

    @router.delete("/articles/{path:path}", summary="Remove a file", status_code=204)
    def remove(path: str) -> Response:
        manager.remove(path)
        return Response(status_code=204)

    return router
