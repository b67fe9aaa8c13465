"""Passwords, session tokens and API keys: how they are made, and the little of them that is kept."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, field
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
"""Passwords hashed at the same time by one process: each takes 64 MiB and some 100 ms of a core."""
KEY_MARK = "relance_"
"""How every API key begins, so that people and scanners of leaked secrets know it."""
SHOWN = len(KEY_MARK) + 6
"""Characters of a key that stay visible."""

_hasher = PasswordHasher()
_places = asyncio.Semaphore(AT_ONCE)


@dataclass(frozen=True)
class NewKey:
    """An API key that was just made: the only time that its text is known."""

    text: str = field(default_factory=lambda: KEY_MARK + secrets.token_urlsafe(32), repr=False)

    @property
    def prefix(self) -> str:
        """What it is recognised by in a list."""
        return self.text[:SHOWN]

    @property
    def hash(self) -> bytes:
        """What is kept of it."""
        return digest(self.text)


def new_token() -> str:
    """Return a session token: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """Return what is kept of a token or key. They are random: no salt, no slow hash is needed.

    >>> len(digest("a"))
    32
    """
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()


def hash_now(password: str) -> str:
    """Hash a password with argon2id; blocks for some 100 ms."""
    return _hasher.hash(password)


async def hash_password(password: str) -> str:
    """Hash a password beside the event loop."""
    async with _places:
        return await asyncio.to_thread(hash_now, password)


async def matches(password: str, kept: str | None) -> bool:
    """Compare a password with its hash beside the event loop; None (nobody) takes as long and is never right."""
    async with _places:
        right = await asyncio.to_thread(_verify, password, kept or nobodys_hash())
    return right and kept is not None


@cache
def nobodys_hash() -> str:
    """Return what a password for an unknown e-mail is compared with: it takes as long as for a known one."""
    return _hasher.hash(secrets.token_hex(16))


def outdated(kept: str) -> bool:
    """Say whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def _verify(password: str, kept: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False
