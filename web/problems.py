"""Every error as RFC 9457 ``application/problem+json``, with a stable ``code``, never with internals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap

from models import pool
from models.imports import NoSuchImport
from models.progress import NoSuchCampaign
from web.access import request_id

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
_SOON = {"Retry-After": "2"}
_NO_FILE = re.compile(r"Unsupported type: <class '\w+'>")
"""What the framework says of a text, or of several files, where one file is wanted."""
MOST_NAMED = 20
"""Errors that the text names; ``errors`` has them all."""
MOST_QUOTED = 300
"""Characters of one error."""
_NAMED_FIELD = re.compile(r"field `([^`]+)`")


class Problem(Exception):
    """A refusal: HTTP status, a code that programs may rely on, and a text with cause and remedy.

    ``more`` becomes members of the document, e.g. ``id`` of the contact that exists already.
    """

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        self.status = status
        self.code = code
        self.detail = detail
        self.more = more
        super().__init__(detail)


def not_found(what: str, key: object) -> Problem:
    """Return the 404 for one thing."""
    return Problem(404, "not_found", f"there is no {what} {key}")


def document(
    request: Request[Any, Any, Any],
    status: int,
    code: str,
    detail: str,
    *,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Response[dict[str, Any]]:
    """Build the answer for one problem."""
    body = {
        "type": f"urn:relance:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request.scope["path"],
        "request_id": request_id(request.scope),
        **more,
    }
    return Response(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _refused(request: Request[Any, Any, Any], problem: Problem) -> Response[dict[str, Any]]:
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    if "retry_after" in problem.more:
        headers["Retry-After"] = str(problem.more["retry_after"])
    return document(request, problem.status, problem.code, problem.detail, headers=headers, **problem.more)


def _invalid(request: Request[Any, Any, Any], error: ValidationException) -> Response[dict[str, Any]]:
    """Name each field that cannot be used. The framework's own text is not shown: it holds the query string."""
    told: list[Any] = error.extra if isinstance(error.extra, list) else []
    errors = [_field_error(one) for one in told]
    if not errors:
        return document(request, 400, *_HTTP_CODES[400])
    told_of = [f"{one['field']}: {one['reason']}" if one["field"] else one["reason"] for one in errors[:MOST_NAMED]]
    detail = "; ".join(told_of)
    return document(request, 400, "invalid_request", detail, errors=errors)


def _field_error(told: Mapping[str, Any]) -> dict[str, str]:
    """Shape one error of the framework: which field, where, what is wrong with it."""
    path, reason = told.get("key", ""), told["message"]
    if (path, reason) == ("data", "'data'"):
        return {"field": "", "in": "body", "reason": "a body is required"}
    path = path.removeprefix("data").removeprefix(".")
    if _NO_FILE.fullmatch(reason):
        reason = "send one file: a part of the form with a filename, once"
    if named := _NAMED_FIELD.search(reason):
        path = f"{path}.{named[1]}".removeprefix(".")
    where = told.get("source", "body")
    return {"field": _short(path), "in": getattr(where, "value", where), "reason": _short(reason)}


def _short(told: str) -> str:
    """Cut off what quotes a request at length: nobody shall get back three times what he sent."""
    return told if len(told) <= MOST_QUOTED else f"{told[:MOST_QUOTED]}…"


_HTTP_CODES = {
    400: ("invalid_request", "the body cannot be read: send what the documentation at /schema says"),
    404: ("not_found", "nothing is here: see /schema for every address"),
    405: ("method_not_allowed", "this address does not take that method: see /schema"),
    413: ("too_large", "the body is too large for this address"),
}
_BAD_FORM = "the form cannot be read: it is cut off, its boundary is missing or wrong, or it has too many parts"


def _http(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    if error.status_code >= 500:
        return _unhandled(request, error)
    code, detail = _HTTP_CODES.get(error.status_code, ("refused", error.detail))
    if error.status_code == 400 and request.headers.get("content-type", "").startswith("multipart/"):
        detail = _BAD_FORM
    return document(request, error.status_code, code, detail, headers=error.headers)


def _no_database(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    log.warning("no database", error=type(error).__name__, text=str(error))
    return document(
        request, 503, "no_database", "the database cannot be reached just now: send the request again", headers=_SOON
    )


def _busy(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    log.warning("the database is busy", error=type(error).__name__)
    return document(request, 503, "busy", "others are changing the same rows: send the request again", headers=_SOON)


def _not_migrated(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    log.error("the database is older than this program", error=str(error))
    detail = "the database is older than this program: run the release process (python -m models.migrate)"
    return document(request, 503, "not_migrated", detail, headers=_SOON)


def _not_storable(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    log.info("a value cannot be stored", error=type(error).__name__)
    detail = "a value cannot be stored: remove NUL characters, and numbers or dates beyond any use"
    return document(request, 400, "not_storable", detail)


def _too_deep(request: Request[Any, Any, Any], error: RecursionError) -> Response[dict[str, Any]]:
    log.warning("a body nested too deeply", path=request.scope["path"])
    return document(
        request, 400, "invalid_request", "the body is nested too deeply: send what is documented at /schema"
    )


def _not_there(request: Request[Any, Any, Any], error: LookupError) -> Response[dict[str, Any]]:
    return document(request, 404, "not_found", str(error))


def _unhandled(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    log.error("a request failed", method=request.method, path=request.scope["path"], exc_info=error)
    return document(
        request, 500, "internal_error", "the request failed in the service: the log has the cause under this request id"
    )


HANDLERS: ExceptionHandlersMap = {
    Problem: _refused,
    ValidationException: _invalid,
    HTTPException: _http,
    NoSuchCampaign: _not_there,
    NoSuchImport: _not_there,
    RecursionError: _too_deep,
    asyncpg.DataError: _not_storable,
    asyncpg.UndefinedTableError: _not_migrated,
    asyncpg.UndefinedColumnError: _not_migrated,
    **dict.fromkeys(pool.UNAVAILABLE, _no_database),
    **dict.fromkeys(pool.TRANSIENT, _busy),
    Exception: _unhandled,
}
"""What the application answers to each kind of error; the most specific class counts."""
