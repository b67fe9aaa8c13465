"""Where a campaign stands: the live snapshot, and the report at its end.

Both are made from the exact counters and a bounded sample, never by counting a campaign's rows for a snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

import settings
from models import pace
from models.figures import (
    BatchProgress,
    Counters,
    Durations,
    FailureReason,
    Latencies,
    MessageTwo,
    PaceChange,
    Progress,
    Rates,
    Report,
    Spread,
)
from models.queries import sql
from rules.breaker import adjust, error_rate
from rules.forecast import Forecast, OpenBatch, forecast
from rules.quota import local_day, remaining

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

LIVE_SAMPLE = 500
"""Newest messages that a snapshot's latencies are taken from."""
REPORT_SAMPLE = 20_000
"""The same for a report."""
_FORECASTED = frozenset({"sending", "waiting"})

_PART_WORDS = {
    "hold": "the lane is held back",
    "pause": "pauses between batches",
    "quota": "the daily limit",
    "quiet_hours": "quiet hours",
    "retries": "retries due later",
    "other_campaigns": "other campaigns of the number",
}


class NoSuchCampaign(LookupError):
    """There is no campaign with this id."""


async def snapshot(conn: Conn, campaign: UUID) -> dict[str, Any]:
    """Return the live figures of a campaign, ready for JSON (the shape of ``Progress``). Raises NoSuchCampaign."""
    row = await _campaign(conn, campaign)
    counters = await _counters(conn, campaign)
    sample = await sql.latency_of(conn, campaign=campaign, many=LIVE_SAMPLE)
    failed, settled = await pace.attempts(conn, campaign, None)
    ends = await _forecast(conn, row, counters, sample, failed, settled) if row["status"] in _FORECASTED else None
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
        batch=_batch(row),
        rate_per_minute=_rate(row, sample),
        last_message_at=sample["last_sent_at"],
        sending_ends_at=ends.sending_ends_at if ends else None,
        completes_at=ends.completes_at if ends else row["completed_at"],
        forecast_reason=_forecast_reason(row["status"], ends),
        forecast_parts=dict(ends.parts) if ends else {},
        latency_ms=_latencies(sample),
    )
    return _plain(shown)


async def report(conn: Conn, campaign: UUID) -> dict[str, Any]:
    """Return what a campaign came to so far, ready for JSON (the shape of ``Report``). Raises NoSuchCampaign."""
    row = await _campaign(conn, campaign)
    counters = await _counters(conn, campaign)
    facts = await sql.report_facts(conn, campaign=campaign)
    changes = await sql.pacing_history(conn, campaign=campaign)
    failures = await sql.failures_by_reason(conn, campaign=campaign)
    sample = await sql.latency_of(conn, campaign=campaign, many=REPORT_SAMPLE)
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
        latency_ms=_latencies(sample),
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


async def _forecast(conn: Conn, row: Record, counters: Counters, sample: Record, failed: int, settled: int) -> Forecast:
    """Run the pacing forward from where the campaign stands."""
    s = settings.get()
    now: datetime = row["now"]
    window = timedelta(seconds=row["window_seconds"])
    retries = [r["next_at"] for r in await sql.retries_waiting(conn, campaign=row["id"])]
    others = [r["pending"] for r in await sql.others_pending(conn, sender=row["sender"], campaign=row["id"])]
    used = await sql.quota_used(conn, sender=row["sender"], day=local_day(now, row["time_zone"]))
    limit = row["daily_limit"] or s.daily_message_limit
    usual = await pace.in_force(conn, row["sender_pacing"], row["pacing"])
    slower = adjust(usual.delay, usual.profile, failed, settled, s.error_rate_threshold, s.delay_increase_factor)
    last_sent = None if row["all_answered"] else sample["last_sent_at"]
    return forecast(
        now=now,
        left=max(0, counters.pending - len(retries)),
        pace=replace(usual, delay=slower.delay),
        tz=row["time_zone"],
        limit_per_day=limit,
        left_today=remaining(limit, used, 0),
        window=window,
        quiet=row["quiet_hours"] or s.quiet_hours,
        batch=_open_batch(row),
        next_slot=row["gate_at"],
        retries_due=retries,
        others=others,
        windows_end=last_sent + window if last_sent else None,
        time_scale=s.time_scale,
    )


def _batch(row: Record) -> BatchProgress | None:
    if row["number"] is None:
        return None
    return BatchProgress(number=row["number"], size=row["size"], done=row["attempted"])


def _open_batch(row: Record) -> OpenBatch | None:
    if row["number"] is None or row["finished_at"] is not None or row["attempted"] >= row["size"]:
        return None
    return OpenBatch(left=row["size"] - row["attempted"], delay=row["delay"], pause=row["pause"])


def _forecast_reason(status: str, ends: Forecast | None) -> str:
    if ends is None:
        return f"no forecast: the campaign is {status}"
    if ends.sending_ends_at is None:
        return "no end within ten years: the daily limit is too small for this campaign"
    added = [f"{words} ({ends.parts[part]:.0f} s)" for part, words in _PART_WORDS.items() if ends.parts[part] >= 1]
    return "later by " + ", ".join(added) if added else "the delay alone"


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
