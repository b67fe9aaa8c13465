"""The OpenAPI document: what the routes say of themselves, and what one rule says of all of them.

Which problems a route may answer with follows from its address, its body, ``rules/roles.py`` and its docstring: every
status that a docstring names is declared.
"""

from __future__ import annotations

import json
import pkgutil
import re
import sys
from importlib import import_module
from typing import Any

import msgspec
from litestar.datastructures import UploadFile

from models import figures
from rules.roles import Demand, demand
from web import examples, sessions, wire

Json = dict[str, Any]

_PROBLEMS = {
    "400": ("invalid_request", "The request cannot be read: `errors` names each field and why."),
    "401": ("unauthorized", "Nobody is logged in, or the key is wrong, revoked or over."),
    "403": ("forbidden", "Whoever asks may not: role, area of the key, or a missing X-CSRF-Token."),
    "404": ("not_found", "There is no such thing."),
    "409": ("not_possible", "It does not fit what is there: `code` and `detail` say why."),
    "413": ("too_large", "The body is too large."),
    "415": ("unsupported_file", "The body is packed, or of a kind that cannot be used here."),
    "422": ("unknown_category", "The request can be read, but not carried out as it is: `code` says why."),
    "429": ("rate_limited", "Too many requests: come back after Retry-After."),
    "503": ("no_database", "The database cannot be used just now; nothing was changed. Send it again."),
}
_PROBLEM: Json = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; `detail` names cause and remedy.",
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "additionalProperties": True,
}
_TEXT = {"schema": {"type": "string"}}
_HEADERS: Json = {
    "RequestId": {"description": "The id of this request, as in our log.", "required": True, **_TEXT},
    "ETag": {"description": "Send it back in If-None-Match.", **_TEXT},
    "RetryAfter": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}},
}
_TAGS = {
    "accounts": "Log-in, people, API keys, and the audit of who did what.",
    "contacts": "The people, and files of people.",
    "categories": "Named groups of contacts.",
    "senders": "The WhatsApp numbers messages go out from.",
    "campaigns": "Two texts, an audience, a number; from draft to report.",
    "recipients": "What became of one person in one campaign, and why.",
    "messages": "Every send, across campaigns.",
    "interactions": "Everything contacts did.",
    "configuration": "The settings that may change while it runs.",
    "webhooks": "The door of the gateway.",
    "health": "Is this process alive, and can it serve?",
}
_NAMED_STATUS = re.compile(r"\b(4\d\d|503)\b")
_CSV = {"text/csv": {"schema": {"type": "string"}}}
_HTML = {"text/html": {"schema": {"type": "string"}}}


def completed(document: Json) -> Json:
    """Return the document as it is published; ``document`` is what the framework derives from the routes."""
    document = _plain_names(document)
    schemas = document["components"]["schemas"]
    schemas |= _shapes(set(schemas)) | {"Problem": _PROBLEM}
    for name, example in examples.BODIES.items():
        if name in schemas:
            schemas[name]["examples"] = [example]
    document["components"] |= {
        "responses": {status: _problem(status) for status in _PROBLEMS},
        "headers": _HEADERS,
        "securitySchemes": _security(),
    }
    used: set[str] = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, method.upper(), path)
            used.update(operation.get("tags", []))
    document["tags"] = [{"name": name, "description": _TAGS.get(name, "")} for name in sorted(used)]
    return document


def _complete(operation: Json, method: str, path: str) -> None:
    asked = demand(method, path) if path.startswith("/api/") else Demand(None)
    told = operation.get("description", "")
    responses = operation["responses"]
    responses.pop("400", None)
    ours = path.startswith(("/api/", "/webhooks/"))
    statuses = {"400", "503"} if ours else set()
    if asked.role is not None:
        statuses |= {"401", "403", "429"}
        operation["description"] = f"{told}\n\n{_takes(asked)}".strip()
    if "{" in path:
        statuses.add("404")
    if method != "GET" and "{" in path:
        statuses.add("409")
    if body := operation.get("requestBody"):
        statuses |= {"413", "415", "422"}
        body["required"] = not any(_may_be_null(one["schema"]) for one in body["content"].values())
    statuses |= {status for status in _NAMED_STATUS.findall(told) if ours and status in _PROBLEMS}
    if path.startswith("/api/"):
        operation["security"] = [] if asked.role is None else [{"key": []}, {"session": []}]
    for status, response in responses.items():
        _succeed(response, method, path, status)
    for one in operation.get("parameters", []):
        if one["name"] == "format":
            responses["200"]["content"] |= _CSV | (_HTML if "html" in one["schema"].get("enum", ()) else {})
    if "ETag" in responses.get("200", {}).get("headers", {}):
        responses["304"] = {
            "description": "It has not changed since the ETag in If-None-Match.",
            "headers": _header("ETag"),
        }
    for status in sorted(statuses):
        responses[status] = {"$ref": f"#/components/responses/{status}"}


def _may_be_null(schema: Json) -> bool:
    return {"type": "null"} in schema.get("oneOf", [])


def _succeed(response: Json, method: str, path: str, status: str) -> None:
    """Name the headers of an answer that is no problem."""
    headers = _header("RequestId")
    content = response.get("content", {})
    if status == "204":
        response.pop("content", None)
    if method == "GET" and path.startswith("/api/") and set(content) == {"application/json"}:
        headers |= _header("ETag") if status == "200" else {}
    response["headers"] = response.get("headers", {}) | headers


def _header(name: str) -> Json:
    written = {"RequestId": "X-Request-Id", "ETag": "ETag", "RetryAfter": "Retry-After"}[name]
    return {written: {"$ref": f"#/components/headers/{name}"}}


def _takes(asked: Demand) -> str:
    in_person = "" if asked.by_key else ", in a log-in or with BOOTSTRAP_API_KEY: other API keys are refused"
    return f"Takes the role **{asked.role}**{in_person}."


def _problem(status: str) -> Json:
    code, told = _PROBLEMS[status]
    example = examples.problem(int(status), code)
    headers = _header("RequestId") | (_header("RetryAfter") if status in ("429", "503") else {})
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": told,
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema, "examples": {code: {"value": example}}}},
    }


def _security() -> Json:
    return {
        "key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key (POST /api/keys), or BOOTSTRAP_API_KEY.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": sessions.cookie_name(),
            "description": "Set by POST /api/auth/login. Every request that is no GET also carries X-CSRF-Token, the "
            "csrf_token of GET /api/auth/me.",
        },
    }


def _plain_names(document: Json) -> Json:
    """Name a page after what it is a page of."""
    plain: Json = json.loads(re.sub(r"Page_(?:\w+\.)+(\w+?)_(?=\")", r"PageOf\1", json.dumps(document)))
    return plain


def _shapes(wanted: set[str]) -> Json:
    """Return the exact schemas of our shapes: bounds, no unknown fields, descriptions."""
    modules = [import_module(f"{wire.__name__}.{found.name}") for found in pkgutil.iter_modules(wire.__path__)]
    structs = {
        name: kind
        for module in (*modules, figures)
        for name, kind in vars(module).items()
        if name in wanted and isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    }
    _, schemas = msgspec.json.schema_components(
        structs.values(), schema_hook=_uploaded, ref_template="#/components/schemas/{name}"
    )
    return dict(schemas)


def _uploaded(kind: type) -> Json:
    """Describe the one type that JSON does not know: a file in a form."""
    if kind is UploadFile:
        return {"type": "string", "format": "binary"}
    raise NotImplementedError(kind)


def main() -> int:
    """Print the document; nothing is opened for it."""
    from web.app import routing  # it imports this module

    sys.stdout.write(json.dumps(completed(routing().openapi_schema.to_schema())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
