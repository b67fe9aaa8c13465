"""The stats aggregator: live snapshots for whoever watches, and the time series for the charts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import dramatiq
import structlog

from actors.process import Process, this
from models import live, pool
from models.progress import snapshot
from models.queries import sql

log = structlog.get_logger()


@dramatiq.actor(queue_name="work", max_retries=0)
async def refresh_stats(campaign_id: str) -> None:
    """Publish one snapshot of a campaign, and bring its minute up to date.

    If it dies: the next wake-up, at most a second later, publishes everything anew.
    """
    process, campaign = this(), UUID(campaign_id)
    async with pool.connection() as conn:
        now = await snapshot(conn, campaign, keep=True)
        await sql.store_minute(
            conn,
            campaign=campaign,
            minute=datetime.now(UTC).replace(second=0, microsecond=0),
            **{what: now[what] for what in ("sent", "delivered", "read", "send_failed", "message_2_sent")},
            replied=now["interactions"],
        )
    process.figures_moved()
    await _publish(process, campaign, now)


async def _publish(process: Process, campaign: UUID, now: dict[str, object]) -> None:
    """Hand the snapshot to every web process; without Redis the pages show it when it is back."""
    frame = live.frame_of("progress", campaign, now)
    try:
        async with process.redis.pipeline(transaction=False) as pipe:
            pipe.set(live.frame(campaign), frame, ex=live.FRAME_SECONDS)
            pipe.set(live.progress(campaign, "sent"), str(now["sent"]), ex=live.DAY_SECONDS)
            pipe.set(live.progress(campaign, "failed"), str(now["send_failed"]), ex=live.DAY_SECONDS)
            if now.get("last_message_at"):
                pipe.set(live.progress(campaign, "last_message"), str(now["last_message_at"]), ex=live.DAY_SECONDS)
            pipe.publish(live.FRAMES, frame)
            await pipe.execute()
    except live.UNAVAILABLE as error:
        log.debug("no Redis: nobody sees this snapshot", campaign=str(campaign), error=str(error))
