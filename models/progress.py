"""Where a campaign stands: the live snapshot, and the report at its end.

Both are made from the exact counters and a bounded sample, never by counting a campaign's rows for a snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from models import outlook, pace
from models.figures import (
    BatchProgress,
    Counters,
    Durations,
    FailureReason,
    Held,
    Latencies,
    MessageTwo,
    PaceChange,
    Progress,
    Rates,
    Report,
    Spread,
)
from models.queries import sql
from models.told import Told, moved_since
from rules.breaker import error_rate
from rules.forecast import Forecast

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

LIVE_SAMPLE = 500
"""Newest messages that a snapshot's latencies are taken from."""
REPORT_SAMPLE = 20_000
"""The same for a report so far."""
FINAL_SAMPLE = 200_000
"""The same for the report of a completed campaign, which is made once."""
_FORECASTED = frozenset({"sending", "waiting"})


class NoSuchCampaign(LookupError):
    """There is no campaign with this id."""


async def snapshot(conn: Conn, campaign: UUID, *, keep: bool = False) -> dict[str, Any]:
    """Return the live figures of a campaign, ready for JSON (the shape of ``Progress``). Raises NoSuchCampaign.

    ``keep``: when the estimate has moved, remember that it was told.
    """
    row = await _campaign(conn, campaign)
    counters = await _counters(conn, campaign)
    sample = await sql.latency_of(conn, campaign=campaign, many=LIVE_SAMPLE)
    failed, settled = await pace.attempts(conn, campaign, None)
    ends, told = None, Told("", None)
    if row["status"] in _FORECASTED:
        inputs = await outlook.inputs(conn, row, counters.pending, sample, failed, settled)
        ends, told = inputs.forecast(), await moved_since(conn, campaign, inputs, keep=keep)
    shown = Progress(
        **msgspec.structs.asdict(counters),
        campaign_id=campaign,
        status=row["status"],
        reason=row["why"],
        holds=row["holds"],
        at=row["now"],
        error_rate=error_rate(settled - failed, failed),
        delay_seconds=row["delay"],
        delay_reason=row["adjustment"],
        delay_source=row["delay_source"],
        delay_since=row["delay_since"],
        held=[Held(**held) for held in await sql.waiting_held(conn, campaign=campaign)],
        batch=_batch(row),
        rate_per_minute=_rate(row, sample),
        last_message_at=sample["last_sent_at"],
        sending_ends_at=_sending_ends_at(row, ends),
        completes_at=ends.completes_at if ends else row["completed_at"],
        forecast_reason=outlook.reason(row["status"], ends),
        forecast_parts=dict(ends.parts) if ends else {},
        forecast_moved=told.why,
        forecast_moved_at=told.at,
        latency_ms=_latencies(sample),
    )
    return _plain(shown)


async def planned_end(conn: Conn, campaign: UUID) -> datetime | None:
    """Return when the last Message 1 of a campaign is expected to leave (None: not within ten years)."""
    row = await _campaign(conn, campaign)
    counters = await _counters(conn, campaign)
    sample = await sql.latency_of(conn, campaign=campaign, many=1)
    failed, settled = await pace.attempts(conn, campaign, None)
    return (await outlook.inputs(conn, row, counters.pending, sample, failed, settled)).forecast().sending_ends_at


async def report(conn: Conn, campaign: UUID, *, sample: int = REPORT_SAMPLE) -> dict[str, Any]:
    """Return what a campaign came to so far, ready for JSON (the shape of ``Report``). Raises NoSuchCampaign.

    Latencies are those of the newest ``sample`` messages.
    """
    row = await _campaign(conn, campaign)
    counters = await _counters(conn, campaign)
    facts = await sql.report_facts(conn, campaign=campaign, many=sample)
    changes = await sql.pacing_history(conn, campaign=campaign)
    failures = await sql.failures_by_reason(conn, campaign=campaign)
    latencies = await sql.latency_of(conn, campaign=campaign, many=sample)
    shown = Report(
        campaign_id=campaign,
        name=row["name"],
        status=row["status"],
        reason=row["why"],
        at=row["now"],
        launched_at=row["launched_at"],
        first_sent_at=facts["first_sent_at"],
        last_sent_at=facts["last_sent_at"],
        completed_at=row["completed_at"],
        totals=counters,
        rates=_rates(counters),
        durations=Durations(
            sending=_seconds(facts["first_sent_at"], facts["last_sent_at"]),
            total=_seconds(row["launched_at"], row["completed_at"] or row["now"]),
            paused=row["paused_seconds"],
        ),
        latency_ms=_latencies(latencies),
        message_2=_message_2(counters, facts) if row["has_message_2"] else None,
        batches=facts["batches"],
        retries=facts["retries"] or 0,
        pacing=[_pace_change(change) for change in changes],
        failures=[FailureReason(**failure) for failure in failures],
    )
    return _plain(shown)


async def _campaign(conn: Conn, campaign: UUID) -> Record:
    row: Record | None = await sql.progress_of(conn, campaign=campaign)
    if row is None:
        raise NoSuchCampaign(f"there is no campaign {campaign}")
    return row


async def _counters(conn: Conn, campaign: UUID) -> Counters:
    row = await sql.counters(conn, campaign=campaign)
    return Counters(**row, failed_count=row["send_failed"] + row["no_interaction"])


def _sending_ends_at(row: Record, ends: Forecast | None) -> datetime | None:
    """Return when the last Message 1 will leave; once all have, when it did."""
    if row["status"] == "waiting":
        left: datetime | None = row["planned_end"]
        return left
    return ends.sending_ends_at if ends else None


def _batch(row: Record) -> BatchProgress | None:
    if row["number"] is None:
        return None
    return BatchProgress(number=row["number"], size=row["size"], done=row["attempted"])


def _rate(row: Record, sample: Record) -> float:
    """Messages per minute over the last one; over what the sample covers where more left than it holds."""
    if not sample["last_minute"]:
        return 0.0
    if sample["last_minute"] >= LIVE_SAMPLE:
        seconds = sample["sample_seconds"]
    else:
        seconds = min(60.0, (row["now"] - row["launched_at"]).total_seconds())
    rate: float = sample["last_minute"] * 60 / max(1.0, seconds)
    return round(rate, 1)


def _spread(pair: Sequence[float | None] | None) -> Spread | None:
    if pair is None or pair[0] is None or pair[1] is None:
        return None
    return Spread(p50=round(pair[0], 1), p95=round(pair[1], 1))


def _latencies(sample: Record) -> Latencies:
    return Latencies(**{name: _spread(sample[name]) for name in ("accept", "delivery", "read", "reply")})


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _rates(c: Counters) -> Rates:
    return Rates(
        sent=_share(c.sent, c.total),
        delivered=_share(c.delivered, c.sent),
        read=_share(c.read, c.sent),
        replied=_share(c.interactions, c.sent),
        failed=_share(c.send_failed, c.total),
        no_interaction=_share(c.no_interaction, c.sent),
        opted_out=_share(c.opted_out, c.total),
    )


def _message_2(c: Counters, facts: Record) -> MessageTwo:
    return MessageTwo(
        replied_in_window=facts["replied_in_window"],
        sent=c.message_2_sent,
        failed=c.message_2_failed,
        conversion=_share(c.message_2_sent, c.sent),
        after_reply_ms=_spread(facts["message_2_ms"]),
    )


def _pace_change(row: Mapping[str, Any]) -> PaceChange:
    return PaceChange(
        batch=row["number"],
        at=row["started_at"],
        size=row["size"],
        delay_seconds=row["delay"],
        pause_seconds=row["pause"],
        error_rate=row["error_rate"],
        reason=row["why"],
    )


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None


def _plain(shape: msgspec.Struct) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(shape)
    return plain
