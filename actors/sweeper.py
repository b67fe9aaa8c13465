"""The timeout sweeper: what time alone decides. Silence, safety time, the rest of a cancel, completion."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import dramatiq
import structlog

from actors import alerts, budgets, hearing
from actors.process import Process, this
from models import pool, transitions
from models.progress import FINAL_SAMPLE, report
from models.queries import sql
from models.transitions import STEP, Failure

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

GRACE_SECONDS = 60.0
"""A window is swept only so long after its end (a hundredth of the window, if that is less)."""


@dramatiq.actor(queue_name="work", max_retries=0)
async def sweep_campaigns() -> None:
    """Look at every open campaign once: mark silence, close what is over its safety time, complete what is done.

    If it dies: every step is a statement of its own; the next sweep goes on where this one ended.
    """
    process = this()
    async with pool.connection() as conn:
        await sql.sending_again(conn)
        campaigns = await sql.campaigns_to_sweep(conn)
    await budgets.watch()
    for campaign in campaigns:
        if process.stopping.is_set():
            return
        if campaign["status"] == "cancelled":
            await _cancel_rest(process, campaign)
        await _cancel_stopped(process, campaign)
        await _mark_silent(process, campaign)
        if campaign["past_safety"]:
            await _end_safely(process, campaign)
        if campaign["status"] in ("sending", "waiting"):
            await _complete(process, campaign)


async def _cancel_stopped(process: Process, campaign: Record) -> None:
    """A message given back after its contact said STOP is not sent any more."""
    async with pool.connection() as conn:
        if await transitions.cancel_stopped(conn, campaign["id"]):
            process.moved(campaign["id"])


async def _mark_silent(process: Process, campaign: Record) -> None:
    """Mark who stayed silent, up to the moment until which we have heard everything, minus a grace."""
    grace = timedelta(seconds=min(GRACE_SECONDS, campaign["window_seconds"] / 100))
    async with pool.connection() as conn:
        now = await conn.fetchval("SELECT now()")
        if not await sql.windows_ended(conn, campaign=campaign["id"], until=now - grace):
            return
    read_back = await hearing.read_back(process, campaign["sender"])
    while not process.stopping.is_set():
        async with pool.connection() as conn:
            heard = await sql.hearing_mark(conn, device=campaign["device_id"], read_back=read_back)
            rows = await transitions.mark_silent(conn, campaign["id"], heard - grace)
        for row in rows:
            log.info(
                "no interaction",
                campaign=str(campaign["id"]),
                contact=str(row["contact"]),
                recipient=str(row["id"]),
                window_ended=row["window_ends_at"].isoformat(),
            )
        if rows:
            process.moved(campaign["id"])
        if len(rows) < STEP:
            return


async def _cancel_rest(process: Process, campaign: Record) -> None:
    """What a cancelled campaign has not promised is not sent any more, in bounded steps."""
    while not process.stopping.is_set():
        async with pool.connection() as conn:
            many = await transitions.cancel_pending(conn, campaign["id"], "the campaign was cancelled", "sweeper")
        if many:
            process.moved(campaign["id"])
        if many < STEP:
            return


async def _end_safely(process: Process, campaign: Record) -> None:
    """Past its safety time: what never left has failed. What is unconfirmed stays so, and is counted."""
    text = "safety_timeout: not sent before the campaign's safety time"
    while not process.stopping.is_set():
        async with pool.connection() as conn:
            rows = await sql.pending_messages(conn, campaign=campaign["id"], many=STEP)
            failures = [
                Failure(message=row["id"], attempt=row["attempt"], error_class="safety_timeout", error_text=text)
                for row in rows
            ]
            moved = await transitions.fail(conn, failures, by="sweeper")
            if not rows:
                await transitions.all_sent(conn, campaign["id"])
        if moved:
            process.moved(campaign["id"])
            log.warning("the safety time is over", campaign=str(campaign["id"]), failed=len(moved))
        if len(rows) < STEP:
            break
    async with pool.connection() as conn:
        await transitions.all_sent(conn, campaign["id"])


async def _complete(process: Process, campaign: Record) -> None:
    """Complete a campaign in which every person is final, with its report."""
    async with pool.connection() as conn:
        if not await sql.nobody_open(conn, campaign=campaign["id"], past_safety=campaign["past_safety"]):
            return
        await transitions.all_sent(conn, campaign["id"])
        why = "the safety time is over" if campaign["past_safety"] else "every recipient is final"
        stored: dict[str, Any] = await report(conn, campaign["id"], sample=FINAL_SAMPLE)
        stored |= {"status": "completed", "reason": why, "completed_at": stored["at"]}
        done = await transitions.complete(
            conn, campaign["id"], report=stored, why=why, past_safety=campaign["past_safety"]
        )
        if not done:
            return
        await alerts.over(conn, "breaker", str(campaign["id"]))
    process.moved(campaign["id"])
    log.info("campaign completed", campaign=str(campaign["id"]), name=campaign["name"], **_in_one_line(stored))


def _in_one_line(report: dict[str, Any]) -> dict[str, Any]:
    """Return what the log says of a report: totals, shares, seconds, and medians in ms."""
    medians = {f"{name}_p50_ms": spread["p50"] for name, spread in report["latency_ms"].items() if spread}
    shares = {f"{name}_share": share for name, share in report["rates"].items() if share is not None}
    seconds = {f"{name}_seconds": value for name, value in report["durations"].items() if value is not None}
    second = report["message_2"] or {"conversion": None}
    return {**report["totals"], **shares, **seconds, **medians, "message_2_share": second["conversion"]}
