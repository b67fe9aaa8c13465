"""What the whole service is doing, in Prometheus' form: from the database, so that no restart makes it begin anew.

Every web process tells the same; ``max without (instance)`` shows it once. Totals are gauges and not counters: a
message that counted as sent may prove not to have left, and a counter that falls would look like a restart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import asyncpg
import structlog
from litestar import Response, get
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from models import pool
from models.queries import sql
from web import metrics
from web.monitoring import observed

if TYPE_CHECKING:
    from asyncpg import Record
    from prometheus_client.metrics_core import Metric

    from web.wire.monitoring import Monitoring

log = structlog.get_logger()

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

FRESH_SECONDS = 5.0
"""Figures are read at most so often, however many collectors ask."""
PATIENCE_SECONDS = 2.0
"""A database that answers later than this is told as down."""
SAMPLE = 200
"""Newest messages of each number that the time to acceptance is taken from."""
_TOTALS = {
    "sent": ("relance_messages_sent", {"step": "1"}),
    "message_2_sent": ("relance_messages_sent", {"step": "2"}),
    "send_failed": ("relance_messages_failed", {"step": "1"}),
    "message_2_failed": ("relance_messages_failed", {"step": "2"}),
    "delivered": ("relance_messages_delivered", {}),
    "read": ("relance_messages_read", {}),
    "replied": ("relance_people_replied", {}),
    "late_replies": ("relance_people_replied_late", {}),
    "no_interaction": ("relance_people_silent", {}),
    "opted_out": ("relance_people_opted_out", {}),
    "pending": ("relance_messages_pending", {}),
}
"""Each counter of all campaigns: its metric and labels."""


class Gauges(Collector):
    """The newest figures; ``refresh`` reads them, ``collect`` writes them down."""

    def __init__(self) -> None:
        self._read_at = float("-inf")
        self._up = False
        self._metrics: list[Metric] = []
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read everything anew, unless that was done just now."""
        async with self._reading:
            if time.monotonic() - self._read_at < FRESH_SECONDS:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    self._metrics = list(await _read())
                self._up = True
            except (*pool.UNAVAILABLE, asyncpg.PostgresError) as error:
                log.warning("the figures cannot be read", error=type(error).__name__)
                self._up, self._metrics = False, []
            self._read_at = time.monotonic()

    def collect(self) -> Iterator[Metric]:
        """Yield what was read last."""
        yield GaugeMetricFamily("relance_database_up", "Whether the database answered.", value=float(self._up))
        yield from self._metrics


_gauges = Gauges()
metrics.registry.register(_gauges)


@get("/metrics", tags=["health"], media_type="text/plain")
async def exposition() -> Response[bytes]:
    """Return this process's figures, and the service's, in Prometheus' text form."""
    metrics.note_connections()
    await _gauges.refresh()
    return Response(generate_latest(metrics.registry), media_type=MEDIA_TYPE)


async def _read() -> Iterator[Metric]:
    seen = await observed()
    async with pool.connection() as conn:
        totals = await sql.all_counters(conn)
        accept = await sql.accepts_of_late(conn, many=SAMPLE)
        alerts = await sql.alerts_by_kind(conn)
    return iter([*_totals(totals), *_senders(seen), *_service(seen), *_accept(accept), _by_kind(alerts)])


def _totals(row: Record) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily] = {}
    for column, (name, labels) in _TOTALS.items():
        family = families.setdefault(name, _family(name, "Of all campaigns, as it stands now.", *labels))
        family.add_metric(list(labels.values()), float(row[column]))
    yield from families.values()


def _senders(seen: Monitoring) -> Iterator[Metric]:
    who = ("sender", "name")
    state = _family("relance_sender_state", "1 for the state that a number is in.", *who, "state")
    used = _family("relance_quota_used", "Messages charged to a number's local day.", *who)
    limit = _family("relance_quota_limit", "Messages a number may send on its local day.", *who)
    owned = _family("relance_lane_owned", "Whether a worker has the lane of a number.", *who)
    gate = _family("relance_gate_wait_seconds", "Until then nothing may leave a number.", *who)
    pending = _family("relance_lane_pending", "Message 1 of launched campaigns that have not left.", *who)
    for one in seen.senders:
        named = [str(one.id), one.name]
        state.add_metric([*named, one.state], 1)
        used.add_metric(named, one.quota_today.used)
        limit.add_metric(named, one.quota_today.limit)
        owned.add_metric(named, one.lane.owned)
        gate.add_metric(named, one.lane.opens_in_seconds)
        pending.add_metric(named, one.lane.pending)
    yield from (state, used, limit, owned, gate, pending)


def _service(seen: Monitoring) -> Iterator[Metric]:
    yield _labelled("relance_campaigns", "Open campaigns.", "status", seen.campaigns)
    yield GaugeMetricFamily("relance_redis_up", "Whether Redis answered.", value=float(seen.queues is not None))
    yield _labelled("relance_queue_depth", "Wake-ups that wait.", "queue", seen.queues or {})
    waiting = {"people": seen.webhooks.people_waiting, "others": seen.webhooks.others_waiting}
    yield _labelled("relance_inbox_waiting", "Webhooks not digested, up to 10,000.", "from", waiting)
    doubts = {"sending": seen.gateway.sending, "unconfirmed": seen.gateway.unconfirmed}
    yield _labelled("relance_messages_open", "Promised and not settled.", "status", doubts)
    alive: dict[str, float] = {}
    for process in seen.processes:
        alive[process.kind] = alive.get(process.kind, 0) + process.alive
    yield _labelled("relance_processes_alive", "Processes that beat.", "kind", alive)
    uptime = _family("relance_uptime_ratio", "Share of the time in which one of a kind lived.", "kind", "window")
    for kind in seen.uptime:
        uptime.add_metric([kind.kind, "24h"], kind.last_24h)
        uptime.add_metric([kind.kind, "7d"], kind.last_7d)
    yield uptime
    last = {"webhook": seen.webhooks.last_received_at, "accepted": seen.gateway.last_accepted_at}
    stamps = {what: at.timestamp() for what, at in last.items() if at is not None}
    yield _labelled("relance_last_seen_timestamp_seconds", "When that was last seen.", "what", stamps)


def _accept(row: Record) -> Iterator[Metric]:
    family = _family("relance_accept_seconds", "From the write to the gateway's answer, newest messages.", "quantile")
    for quantile, value in zip(("0.5", "0.95"), row["accept"] or (), strict=False):
        if value is not None:
            family.add_metric([quantile], value / 1000)
    yield family


def _by_kind(rows: list[Record]) -> Metric:
    return _labelled("relance_alerts_open", "Alerts that are open.", "kind", {r["kind"]: r["alerts"] for r in rows})


def _labelled(name: str, text: str, label: str, values: dict[str, float] | dict[str, int]) -> GaugeMetricFamily:
    family = _family(name, text, label)
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)
