"""The cookie of a log-in, and the token that proves a change was asked for by our own page.

The cookie holds 256 random bits; PostgreSQL holds their SHA-256. Losing Redis logs nobody out.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

import settings
from models import credentials
from models.queries import sql
from web.address import client_of

if TYPE_CHECKING:
    from uuid import UUID

    from litestar import Response
    from litestar.connection import ASGIConnection

    from models.pool import Conn

CSRF_HEADER = "x-csrf-token"


def is_secure() -> bool:
    """Whether browsers reach us by https."""
    return settings.get().public_url.lower().startswith("https://")


def cookie_name() -> str:
    """Name the cookie; with https its name keeps sibling domains from planting one."""
    return "__Host-relance" if is_secure() else "relance"


def presented(connection: ASGIConnection[Any, Any, Any, Any]) -> bytes | None:
    """Return the hash of the token a request carries, or None."""
    token = connection.cookies.get(cookie_name())
    return credentials.digest(token) if token else None


def csrf_token(session: bytes) -> str:
    """Return what a change has to carry in ``X-CSRF-Token``: only our own pages can read it from an answer."""
    return hmac.new(settings.get().secret_key.encode(), b"csrf:" + session, hashlib.sha256).hexdigest()


async def begin(
    conn: Conn, connection: ASGIConnection[Any, Any, Any, Any], response: Response[Any], user: UUID
) -> bytes:
    """Begin a session under a new token, in place of the one presented; returns its hash."""
    if old := presented(connection):
        await sql.end_session(conn, token=old)
    token = credentials.new_token()
    hashed = credentials.digest(token)
    s = settings.get()
    idle, longest = s.session_idle_hours * 3600, s.session_max_hours * 3600
    await sql.add_session(
        conn, token=hashed, user=user, address=client_of(connection.scope), idle=idle, longest=longest
    )
    response.set_cookie(
        cookie_name(), token, max_age=int(longest), path="/", httponly=True, secure=is_secure(), samesite="strict"
    )
    return hashed


def forget(response: Response[Any]) -> None:
    """Let the browser forget the cookie."""
    response.set_cookie(cookie_name(), "", max_age=0, path="/", httponly=True, secure=is_secure(), samesite="strict")
