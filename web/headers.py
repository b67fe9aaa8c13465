"""What every answer tells the browser: run and load only what we sent, show us in no frame, guess no types."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

from litestar.enums import ScopeType

from web.sessions import is_secure

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_OURS = (
    "default-src 'none'; script-src 'self'{script}; style-src 'self'{style}; img-src 'self' data: blob:;"
    " media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE_POLICY = _OURS.format(script="", style="")
"""For pages and the dashboard: files of ours, nothing inline, nothing from elsewhere."""
REFERENCE_POLICY = _OURS.format(script="", style=" 'unsafe-inline'")
"""Swagger UI writes style attributes; its scripts are files of ours."""

_DATA = ("/api", "/webhooks", "/health", "/metrics")
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_ALWAYS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_HTTPS_ONLY = b"max-age=31536000; includeSubDomains"


def policy_of(html: str) -> str:
    """Return the policy of one page: its own inline scripts and styles by their hash, and no others."""
    hashes = {"script": "", "style": ""}
    for kind, text in _INLINE.findall(html):
        hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[kind] += f" 'sha256-{hashed}'"
    return _OURS.format(**hashes)


def _policy_at(path: str) -> str:
    if any(path == start or path.startswith(f"{start}/") for start in _DATA):
        return _NOTHING
    return REFERENCE_POLICY if path.startswith("/schema") else PAGE_POLICY


class Protected:
    """A layer that adds the headers; what an answer says itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        path = scope["path"]

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                wanted = {**_ALWAYS, b"content-security-policy": _policy_at(path).encode()}
                if path.startswith("/api/"):
                    wanted[b"cache-control"] = b"no-store"
                if is_secure():
                    wanted[b"strict-transport-security"] = _HTTPS_ONLY
                said = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"], *((name, value) for name, value in wanted.items() if name not in said)
                ]  # fmt: skip
            await send(message)

        await self._app(scope, receive, told)
