"""Erased people, remembered only as keyed hashes: enough to refuse them, not to find them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING

import settings
from models.queries import sql

if TYPE_CHECKING:
    from models.pool import Conn


def digest(identity: str) -> str:
    """Return the hash a person is remembered by: HMAC-SHA-256 under SECRET_KEY, hexadecimal.

    A bare hash of a phone number is undone by trying all numbers. The price: a new SECRET_KEY forgets everybody.
    """
    return hmac.new(settings.get().secret_key.encode(), b"stop:" + identity.encode(), hashlib.sha256).hexdigest()


async def among(conn: Conn, identities: Iterable[str]) -> set[str]:
    """Return those of these identities that belong to people who were erased."""
    hashes = {digest(identity): identity for identity in identities}
    rows = await sql.stopped(conn, hashes=list(hashes)) if hashes else []
    return {hashes[row["hash"]] for row in rows}


def hidden(lid: str) -> str:
    """Return the key of somebody who is known by their hidden id only."""
    return f"lid:{lid}"
