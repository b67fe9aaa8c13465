"""How well the cache does."""

from __future__ import annotations

from litestar import Router, get

from models import cache
from models.cache import CacheStats


@get("/stats")
async def stats() -> CacheStats:
    """Return hits, misses, latency and how many answers are kept; ``available`` says whether Redis answers."""
    return await cache.this().stats()


router = Router("/cache", route_handlers=[stats], tags=["operation"])
