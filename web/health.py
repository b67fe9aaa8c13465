"""Is this process alive, and can it serve?"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil

import asyncpg
from litestar import Response, get
from litestar.openapi import ResponseSpec

from models import cache, live, migrations, pool
from rules.status import ALLOWED
from web.wire.intake import Readiness

PATIENCE_SECONDS = 2.0
"""A database that answers later than this is not ready."""

MIGRATIONS = frozenset(
    importlib.import_module(f"models.migrations.{found.name}").ID for found in pkgutil.iter_modules(migrations.__path__)
)
"""Every migration this program needs."""
_MOVES = sum(len(news) for law in ALLOWED.values() for news in law.values())


@get("/health/live", tags=["health"])
async def alive() -> dict[str, str]:
    """Answer at all: the process lives. Looks at nothing else."""
    return {"status": "alive"}


_NOT_READY = ResponseSpec(Readiness, description="Not ready: `reasons` says why.", generate_examples=False)


@get("/health/ready", tags=["health"], responses={503: _NOT_READY})
async def ready() -> Response[Readiness]:
    """Say whether requests can be served: 200, or 503 with the reasons.

    Needs a database that is reachable and migrated. Redis is reported; without it everything works, a little slower.
    """
    reasons = await _reasons()
    redis = "ok" if await _redis_answers() else "unavailable"
    status = "not ready" if reasons else "ready"
    return Response(Readiness(status=status, reasons=reasons, redis=redis), status_code=503 if reasons else 200)


async def _reasons() -> list[str]:
    """Say what is missing to serve."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), pool.connection() as conn:
            done = await conn.fetch("SELECT name FROM migration WHERE app_name = 'relance'")
            moves = await conn.fetchval("SELECT count(*) FROM allowed_move")
    except asyncpg.UndefinedTableError:
        return ["the database has not been migrated: run the release process (python -m models.migrate)"]
    except (*pool.UNAVAILABLE, asyncpg.PostgresError) as error:
        return [f"the database cannot be reached ({type(error).__name__}): check DATABASE_URL and the server"]
    missing = sorted(MIGRATIONS - {row["name"] for row in done})
    if missing or moves != _MOVES:
        return ["the database is older than this program: run the release process (python -m models.migrate)"]
    return []


async def _redis_answers() -> bool:
    try:
        return bool(await cache.this().redis.ping())
    except live.UNAVAILABLE:
        return False
