"""Devices: what the gateway says of a number, told by its webhook or asked by us, and what follows for the sender."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import dramatiq
import structlog

from actors import alerts
from actors.process import this
from actors.wake import wake
from gateway import Gateway, LookupFailed, SenderStopped
from models import pool, transitions

if TYPE_CHECKING:
    from models.pool import Conn

log = structlog.get_logger()

CLOCK = "gateway_clock"
CLOCK_SECONDS = 2.0
"""The gateway's clock and ours may differ by so much before a person is told."""
State = Literal["ready", "degraded", "blocked", "offline"]


@dramatiq.actor(queue_name="work", max_retries=0)
async def ask_device(sender_id: str) -> None:
    """Ask the gateway how the device of a sender is: the webhook that says it went, or is back, may be lost.

    If it dies: the scheduler asks again a quarter of a minute later.
    """
    await examine(this().gateway, UUID(sender_id))


async def examine(gateway: Gateway, sender: UUID) -> None:
    """Ask how a device is, and let the sender follow. A gateway that does not say moves nothing."""
    async with pool.connection() as conn:
        row = await conn.fetchrow("SELECT device_id, state FROM sender WHERE id = $1", sender)
    if row is None or row["state"] not in ("ready", "degraded", "offline"):
        return
    try:
        device = await gateway.device(row["device_id"])
    except LookupFailed as error:
        log.info("the gateway did not say how a device is", sender=str(sender), error=str(error))
        return
    except SenderStopped as error:
        await alerts.sender_stopped(sender, error.detail)
        return
    await _compare_clocks(sender, device.clock_skew)
    if device.state == row["state"]:
        return
    async with pool.connection() as conn:
        await told(conn, sender, device.state, device.reason)


async def told(conn: Conn, sender: UUID, state: State, reason: str | None) -> None:
    """Move a sender to what its device is: what cannot send is stopped before anything is tried, and what was only
    offline goes on by itself. A blocked or paused sender is a person's to resume."""
    if state in ("ready", "degraded"):
        old = ["offline", "ready" if state == "degraded" else "degraded"]
        why = reason or "the session is back"
        await alerts.over(conn, "sender_offline", str(sender))
        if await transitions.move_sender(conn, sender, old=old, new=state, why=why, by="gateway"):
            wake("send_batch", sender)
        return
    old = ["ready", "degraded", *(["offline"] if state == "blocked" else [])]
    why = reason or f"the device is {state}"
    async with conn.transaction():
        await transitions.move_sender(conn, sender, old=old, new=state, why=why, by="gateway")
        if state == "blocked":
            await alerts.over(conn, "sender_offline", str(sender))
        # Of a sender that a person paused, or that is blocked anyway, its session is no news.
        if await conn.fetchval("SELECT state = $2 FROM sender WHERE id = $1", sender, state):
            await alerts.say(conn, f"sender_{state}", str(sender), why)


async def _compare_clocks(sender: UUID, ahead: float) -> None:
    """Tell a person of clocks that differ: replies are judged by the gateway's time, expirations by its clock."""
    async with pool.connection() as conn:
        if abs(ahead) <= CLOCK_SECONDS:
            await alerts.over(conn, CLOCK, str(sender))
            return
        way = "ahead of" if ahead > 0 else "behind"
        text = f"the gateway's clock is {abs(ahead):.0f} s {way} ours: set this machine's clock (NTP)"
        await alerts.say(conn, CLOCK, str(sender), f"{text}; expirations are corrected meanwhile")
