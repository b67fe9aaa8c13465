"""The reply mutex: one reply of a person at a time, across all processes, for as long as Redis is there.

It only spares the database a queue of waiting transactions. Without Redis it opens: the contact's row lock
orders the replies, and the unique row of Message 2 decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
from uuid_utils.compat import uuid7

from models import live

HOLD_SECONDS = 10
WAIT_SECONDS = 1.0
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


@asynccontextmanager
async def reply_mutex(client: redis.asyncio.Redis, person: str) -> AsyncIterator[None]:
    """Hold the mutex of a person, waiting for it at most a second."""
    key, owner = live.reply_lock(person), str(uuid7())
    held = await _acquire(client, key, owner)
    try:
        yield
    finally:
        if held:
            with contextlib.suppress(*live.UNAVAILABLE):  # it ends by itself
                await client.eval(RELEASE, 1, key, owner)


async def _acquire(client: redis.asyncio.Redis, key: str, owner: str) -> bool:
    patience = time.monotonic() + WAIT_SECONDS
    try:
        while not await client.set(key, owner, nx=True, ex=HOLD_SECONDS):
            if time.monotonic() > patience:
                return False
            await asyncio.sleep(0.005)
    except live.UNAVAILABLE:
        return False
    return True
