"""Monitoring: quota, lanes, processes, queues, webhooks and alerts at one look; and what to do with an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath, FromQuery

import settings
from actors import alerts
from actors.wake import ROUTES
from models import cache, live, pool
from models.queries import sql
from rules.quota import Level
from web import paces
from web.pages import Cursor, Limit, key, page
from web.problems import not_found
from web.wire.common import Page
from web.wire.monitoring import Alert, GatewaySeen, Hooks, Lane, MonitoredSender, Monitoring, ProcessSeen, Uptime

if TYPE_CHECKING:
    from asyncpg import Record

MOST_COUNTED = 10_000
ALERTS_SHOWN = 100
TEST_TEXT = "This is a test: alerts are raised, logged and shown."
_WORSE = [level.value for level in Level]


@get("/monitoring")
async def monitoring() -> Monitoring:
    """Return what the whole service is doing just now."""
    return await observed()


@get("/alerts")
async def listed(open: FromQuery[bool] = False, limit: Limit = 50, cursor: Cursor = None) -> Page[Alert]:
    """List alerts, newest first; ``open``: only those that nobody and nothing has resolved."""
    async with pool.connection() as conn:
        rows = await sql.list_alerts(conn, only_open=open, before=key(cursor), many=limit + 1)
    return page(rows, limit, lambda row: Alert(**row))


@post("/alerts/test")
async def test() -> Alert:
    """Raise an alert that means nothing, the way every other one is raised, to see where it arrives."""
    async with pool.connection() as conn:
        await alerts.say(conn, "test", "a person", TEST_TEXT)
        return Alert(**await sql.open_alert(conn, kind="test", subject="a person"))


@post("/alerts/{alert_id:uuid}/resolve", status_code=200)
async def resolve(alert_id: FromPath[UUID]) -> Alert:
    """Put an alert away. While its cause lasts it comes back, an hour later at the earliest where we look for it.

    Processes that are missed are not missed any more.
    """
    async with pool.connection() as conn:
        row = await sql.close_alert(conn, alert=alert_id)
        if row is None:
            raise not_found("alert", alert_id)
        if row["kind"] == "worker_down":
            await sql.not_missed(conn, kind=row["subject"], silent=settings.get().worker_down_alert_seconds)
    return Alert(**row)


router = Router("/", route_handlers=[monitoring, listed, test, resolve], tags=["monitoring"])


async def observed() -> Monitoring:
    """Look at everything once."""
    queues = await _queues()
    async with pool.connection() as conn:
        facts = await sql.monitored(conn, most=MOST_COUNTED)
        senders = [await _sender(conn, row) for row in await sql.monitored_senders(conn)]
        processes = [ProcessSeen(**row) for row in await sql.processes_seen(conn)]
        uptime = [Uptime(**row) for row in await sql.uptimes(conn)]
        campaigns = {row["status"]: row["campaigns"] for row in await sql.open_campaigns(conn)}
        raised = await sql.list_alerts(conn, only_open=True, before=None, many=ALERTS_SHOWN)
    return Monitoring(
        at=facts["now"],
        level=max((one.quota_today.level for one in senders), key=_WORSE.index, default=Level.OK.value),
        senders=senders,
        processes=processes,
        uptime=uptime,
        queues=queues,
        webhooks=Hooks(
            last_received_at=facts["last_webhook_at"],
            last_interaction_at=facts["last_interaction_at"],
            people_waiting=facts["people_waiting"],
            others_waiting=facts["others_waiting"],
        ),
        gateway=GatewaySeen(
            last_accepted_at=facts["last_sent_at"], sending=facts["sending"], unconfirmed=facts["unconfirmed"]
        ),
        campaigns=campaigns,
        alerts=[Alert(**row) for row in raised],
    )


async def _sender(conn: pool.Conn, row: Record) -> MonitoredSender:
    lane = Lane(
        owned=bool(row["lane_owned"]),
        opens_in_seconds=round(row["gate_in"], 1),
        campaigns_sending=row["campaigns_sending"],
        pending=row["pending"],
    )
    quota = await paces.quota_of(conn, row)
    same = {name: row[name] for name in ("id", "name", "state")}
    return MonitoredSender(**same, reason=row["why"], quota_today=quota, lane=lane)


async def _queues() -> dict[str, int] | None:
    names = sorted(set(ROUTES.values()))
    try:
        async with cache.this().redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.llen(f"{live.QUEUES}:{name}")
            return dict(zip(names, await pipe.execute(), strict=True))
    except live.UNAVAILABLE:
        return None
