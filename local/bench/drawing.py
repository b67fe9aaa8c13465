"""The dashboard on the filled system: every page cold, the contacts scrolled, one campaign watched as it sends."""

from __future__ import annotations

import asyncio
from uuid import UUID

import asyncpg

from local import browser
from local.bench import pages
from local.bench.figures import Figure
from local.bench.filled import WORKERS, Filled, send_a_campaign

SHORT_SECONDS = 10.0
"""A run of less only shows that it works."""
_ACCEPTED = """
SELECT m.sent_at FROM message m JOIN recipient r ON r.id = m.recipient
WHERE r.campaign = $1 AND m.step = 1 AND m.sent_at IS NOT NULL ORDER BY m.sent_at
"""


async def drawing(bench: Filled) -> tuple[list[Figure], dict[str, int]]:
    """Load every page cold, scroll the contacts, watch a campaign; nothing where the machine has no Chromium."""
    if browser.find() is None:
        return [], {}
    short = bench.seconds < SHORT_SECONDS
    figures = await asyncio.to_thread(pages.drawn, bench.system, bench.known.campaigns[0], 1 if short else pages.LOADS)
    watched = 2.0 if short else SHORT_SECONDS
    figures += await asyncio.to_thread(pages.contacts, bench.system, watched)
    for name in WORKERS:
        bench.system.start(name)
    campaign = await send_a_campaign(bench)
    shown, frames = await asyncio.to_thread(pages.late, bench.system, campaign, watched)
    for name in WORKERS:
        bench.system.stop(name)
    conn = await asyncpg.connect(bench.system.env["DATABASE_URL"])
    try:
        accepted = [row[0].timestamp() for row in await conn.fetch(_ACCEPTED, UUID(campaign))]
    finally:
        await conn.close()
    late = pages.lateness(shown, accepted)
    return [*figures, *(pages.screen_figures(late, frames) if late else [])], {}
