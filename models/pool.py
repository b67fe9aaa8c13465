"""The process's one pool of database connections, and the one transaction helper.

Every connection carries the time-outs of safety §4, so that a frozen or cut-off writer cannot hold a lock:
``idle_in_transaction_session_timeout`` frees the counters of a frozen process in 3 s.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import asyncpg

import piccolo_conf
import settings

if TYPE_CHECKING:
    from asyncpg import Connection, Record
    from asyncpg.pool import PoolConnectionProxy

    Conn = Connection[Record] | PoolConnectionProxy[Record]

SERVER_SETTINGS = {
    "application_name": "relance",
    "timezone": "UTC",
    "statement_timeout": "30s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "3s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "8000",
    # Every promise is on disk before the network is touched, whatever the server's default.
    "synchronous_commit": "on",
    # JIT costs more than it gives on statements of a few rows.
    "jit": "off",
}

TRANSIENT = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
"""Errors after which the same statement may simply be tried again."""

UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle of a statement
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""Errors that mean: no database just now."""


async def open_pool(size: int | None = None) -> None:
    """Make the pool; opens its first connection lazily, so it succeeds without a database."""
    if piccolo_conf.DB.pool is None:
        piccolo_conf.DB.pool = await asyncpg.create_pool(
            dsn=settings.get().database_url,
            min_size=0,
            max_size=size or settings.get().database_pool_size,
            max_inactive_connection_lifetime=300,
            timeout=5,
            command_timeout=30,
            server_settings=SERVER_SETTINGS,
            reset=_nothing_to_reset,
        )


async def _nothing_to_reset(_: Conn) -> None:
    """Spare every statement a second round trip: nothing here changes a session (locks of one are on ``connect``'s).

    A transaction left open is still rolled back by asyncpg.
    """


async def close_pool() -> None:
    """Close every connection; those still busy after 2 s are cut."""
    pool, piccolo_conf.DB.pool = piccolo_conf.DB.pool, None
    if pool is not None:
        pool.terminate()


@asynccontextmanager
async def connection() -> AsyncIterator[Conn]:
    """Lend one connection; each statement on it is a transaction of its own."""
    if piccolo_conf.DB.pool is None:
        raise RuntimeError("the pool is not open: call open_pool() first")
    pool = piccolo_conf.DB.pool
    conn = await pool.acquire(timeout=5)
    try:
        yield conn
    finally:
        # What was done on it is done: a connection that breaks as it comes back must not make it look undone.
        with suppress(*UNAVAILABLE):
            await pool.release(conn)


@asynccontextmanager
async def transaction() -> AsyncIterator[Conn]:
    """Lend one connection inside a transaction: committed at the end of the block, rolled back by an error.

    Use only named SQL inside, one statement after the other (no ``gather``): Piccolo's own queries would
    run on another connection.
    """
    async with connection() as conn, conn.transaction():
        yield conn


@asynccontextmanager
async def alone(what: str) -> AsyncIterator[bool]:
    """Say whether nobody else, in any process, does ``what`` just now; holds that until the end of the block.

    The lock ends with its connection, so a dead process holds nothing up.
    """
    conn = await connect()
    try:
        yield await conn.fetchval("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", what)
    finally:
        with suppress(*UNAVAILABLE):
            await conn.close(timeout=2)


async def connect() -> Connection[Record]:
    """Return a direct connection outside the pool, for session locks; the caller closes it."""
    return await asyncpg.connect(settings.get().database_url, timeout=5, server_settings=SERVER_SETTINGS)
