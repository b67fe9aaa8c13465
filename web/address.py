"""Where a request really comes from."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import settings

if TYPE_CHECKING:
    from litestar.types import Scope


def client_of(scope: Scope) -> str:
    """Return the address of the client: the peer, or what the outermost trusted proxy saw.

    Each proxy appends whom it saw to ``X-Forwarded-For``; what stands further left was written by the client itself
    and is not believed.
    """
    client = scope.get("client")
    peer = client[0] if client else "unknown"
    trusted = settings.get().trusted_proxies
    if not trusted:
        return peer
    seen = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    hops = [hop.strip() for hop in seen.split(",") if hop.strip()]
    if len(hops) < trusted:
        return peer
    try:
        return str(ip_address(hops[-trusted].strip("[]")))
    except ValueError:
        return peer
