"""Around every request: an id, and one line in the log without the query string (webhook tokens travel there)."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import structlog
from litestar.enums import ScopeType
from uuid_utils.compat import uuid7

from web import metrics

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("web.access")

HEADER = "x-request-id"
_USABLE = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_KEY = "relance_request_id"


def request_id(scope: Scope) -> str:
    """Return the id of the request that is being served."""
    known: str = scope["state"].get(_KEY, "")
    return known


class Access:
    """The outermost layer: it sees every request, those without a route included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request under its id and log it when it has been answered."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.encode(), b"")
        identity = given.decode() if _USABLE.fullmatch(given) else uuid7().hex
        state: dict[str, Any] = scope.setdefault("state", {})
        state[_KEY] = identity
        structlog.contextvars.bind_contextvars(request_id=identity)
        began, status = time.perf_counter(), 0
        metrics.began()

        async def told(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                route = scope.get("path_template") or None
                metrics.answered(scope["method"], route, status, time.perf_counter() - began)
                message["headers"] = [*message["headers"], (HEADER.encode(), identity.encode())]
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            metrics.ended()
            ms = round((time.perf_counter() - began) * 1000, 1)
            # A stored webhook is in the inbox and on /metrics: a line for each costs an eighth of its handling.
            heard = scope["path"].startswith("/webhooks/") and status == 200
            quiet = heard or scope["path"].startswith(("/health/", "/metrics", "/assets/"))
            (log.debug if quiet else log.info)(
                "request", method=scope["method"], path=scope["path"], status=status, ms=ms
            )
            structlog.contextvars.unbind_contextvars("request_id")
