"""Errors of the HTTP interfaces in one shape: ``application/problem+json`` (RFC 9457).

What a program is told is written for it, or comes from an error whose text holds no path; all else
stands in the server's log, under the request's id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import Scope

from rag.errors import ArticleError, InputError, ModelError, Overloaded, RagError
from rag.text.untrusted import to_json

MEDIA_TYPE = "application/problem+json"
GONE = 499  # the client went away before the answer; nobody reads this status but the log
_log = logging.getLogger(__name__)


class ProblemDetails(Exception):
    """An error that a program is told: an HTTP status, a sentence, when to come back (seconds)."""

    def __init__(self, status: int, detail: str, *, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after

    def response(self, scope: Scope, errors: Sequence[Mapping[str, str]] = ()) -> Response:
        """Return it as a response to the request of ``scope``."""
        headers = {"retry-after": str(self.retry_after)} if self.retry_after else {}
        return Response(to_json(self.body(scope, errors)), self.status, headers, MEDIA_TYPE)

    def body(self, scope: Scope, errors: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
        """Return the problem's members."""
        known = {status.value: status.phrase for status in HTTPStatus}
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": known.get(self.status, "Client Closed Request"),
            "status": self.status,
            "detail": self.detail,
            "request_id": scope.get("state", {}).get("request_id"),
        }
        return {**body, "errors": list(errors)} if errors else body


def problem_of(error: BaseException) -> ProblemDetails:
    """Return what a program is told of an error; what it is not told is logged."""
    if isinstance(error, ProblemDetails):
        return error
    if isinstance(error, InputError):
        return ProblemDetails(422, str(error))
    if isinstance(error, Overloaded):
        return ProblemDetails(503, str(error), retry_after=60)
    if isinstance(error, ArticleError):
        return ProblemDetails(404, "There is no article of this path.")
    if isinstance(error, ModelError):
        _log.error("The language model cannot be used: %s", error)
        said = "The language model cannot be used at the moment; the server's log says why."
        return ProblemDetails(503, said, retry_after=30)
    if isinstance(error, RagError):
        _log.error("The index cannot be used: %s", error)
        said = "The index cannot be used at the moment; the server's log says why."
        return ProblemDetails(503, said, retry_after=30)
    _log.error("The request failed", exc_info=error)
    return ProblemDetails(
        500, "Something went wrong in Footnote itself; the server's log says what."
    )


def add_handlers(app: FastAPI) -> None:
    """Let the app answer every error with a problem."""

    async def failed(request: Request, error: Exception) -> Response:
        return problem_of(error).response(request.scope)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        said = {404: "There is nothing at this address.", 405: "This method is not for here."}
        problem = ProblemDetails(
            error.status_code, said.get(error.status_code, "The request is refused.")
        )
        response = problem.response(request.scope)
        response.headers.update(error.headers or {})
        return response

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = [
            {"field": ".".join(map(str, each["loc"][1:])), "message": str(each["msg"])}
            for each in error.errors()
        ]  # not what was sent: it may be long, or nobody else's business
        problem = ProblemDetails(
            422, "The request does not have the form that /openapi.json describes."
        )
        return problem.response(request.scope, errors)

    for kind in (ProblemDetails, RagError, Exception):
        app.add_exception_handler(kind, failed)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
