"""ETags on what a dashboard asks for again and again: an answer that has not changed is a 304 without a body."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from litestar.enums import ScopeType

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

_GZIP = b"\x1f\x8b"
_DROPPED = (b"content-length", b"content-type", b"content-encoding")


class Tagged:
    """A layer that tags every successful GET of JSON below /api by a hash of the bytes it sends.

    They are held back until they are whole; streams (SSE, CSV) are no JSON and pass untouched.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "GET" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        known = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
        start: Message | None = None
        body: list[bytes] = []

        async def told(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_tagged(message):
                start = message
                return
            if start is None or message["type"] != "http.response.body":
                await send(message)
                return
            body.append(message["body"])
            if not message["more_body"]:
                await _answer(start, b"".join(body), known, send)

        await self._app(scope, receive, told)


def _is_tagged(message: Message) -> bool:
    headers = dict(message.get("headers", []))  # type: ignore[call-overload]
    return message.get("status") == 200 and headers.get(b"content-type", b"").startswith(b"application/json")


def _lasting(body: bytes) -> bytes:
    """Return what of a body is the same a second later: gzip writes the time of packing into bytes 4 to 7."""
    return body[:4] + body[8:] if body.startswith(_GZIP) else body


async def _answer(start: Message, whole: bytes, known: bytes, send: Send) -> None:
    tag = b'"' + hashlib.blake2b(_lasting(whole), digest_size=16).hexdigest().encode() + b'"'
    headers = [*start["headers"], (b"etag", tag), (b"cache-control", b"private, no-cache")]  # type: ignore[typeddict-item]
    if tag in (one.strip().removeprefix(b"W/") for one in known.split(b",")):
        kept = [(name, value) for name, value in headers if name.lower() not in _DROPPED]
        await send({"type": "http.response.start", "status": 304, "headers": kept})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": whole, "more_body": False})
