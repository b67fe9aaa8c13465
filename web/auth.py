"""Who may call: every route below /api, by one visible rule."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

import settings
from web.problems import Problem

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler


async def authenticated(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Let a request pass that carries ``Authorization: Bearer <BOOTSTRAP_API_KEY>``; the rest is a 401."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    wanted = settings.get().bootstrap_api_key
    # Compared in constant time, and as bytes: a header may hold anything.
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), wanted.encode()):
        raise Problem(401, "unauthorized", "send a valid API key as Authorization: Bearer <key>")
