"""Whose turn is it on a lane: the campaign served least recently opens the next batch."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog

import settings
from actors import alerts, batches, budgets, holds, restraints
from actors.process import Process
from actors.restraints import STAY_SECONDS, Rest
from actors.slots import Slots
from models import pace, pool, transitions
from models.queries import sql
from rules.pacing import OutOfBounds, scaled
from rules.quota import BadQuietHours

if TYPE_CHECKING:
    from asyncpg import Record

log = structlog.get_logger()

LOOK_SECONDS = 1.0
"""A lane with nothing due looks so often whether another campaign has something."""


class Turns:
    """Opens and closes the batches of one sender."""

    def __init__(self, process: Process, sender: UUID, slots: Slots) -> None:
        self._process = process
        self._sender = sender
        self._slots = slots

    async def next_batch(self, sender: Record) -> Rest | None:
        """Open a batch of the campaign that was served least recently and has somebody who may be written to."""
        async with pool.connection() as conn:
            await holds.let_go(conn, sender)
            outlook = await self._outlook(conn)
            due = await sql.due_campaigns_of(conn, sender=self._sender)
        if not due or outlook is None:
            return outlook
        rests = [] if outlook.leave else [outlook]
        for campaign in due:
            rest = await self._open_batch(sender, campaign)
            if rest is None:
                return None
            rests.append(rest)
        return min(rests, key=lambda rest: (rest.leave, rest.seconds))

    async def _open_batch(self, sender: Record, campaign: Record) -> Rest | None:
        """Open a batch of one campaign; or say how long its quiet hours last."""
        if await restraints.breaker(self._process, campaign["id"]):
            return None
        async with pool.connection() as conn:
            try:
                usual = await pace.in_force(conn, sender["id"], sender["pacing"], campaign["pacing"])
                rest = restraints.quiet(sender, campaign, usual.profile) or await budgets.spent(conn, sender)
                if rest is not None:
                    return rest
                if (rest := await restraints.capped(sender, usual.profile)) is not None and rest.leave:
                    return rest
                within = await holds.bounds(conn, sender, campaign["quiet_hours"], usual.profile)
                if await holds.allowed(conn, sender, campaign["id"], within, 1) == []:
                    return Rest(LOOK_SECONDS, "whoever is left sleeps, or may not be written to yet")
                batch = await batches.start_batch(conn, sender, campaign, usual)
            except (OutOfBounds, BadQuietHours) as error:
                await self._unusable(conn, campaign["id"], str(error))
                return None
        if batch is not None:
            log.info(
                "batch started",
                campaign=str(campaign["id"]),
                batch=str(batch["id"]),
                number=batch["number"],
                size=batch["size"],
                delay=batch["delay"],
                why=batch["adjustment"],
            )
        return None

    async def _unusable(self, conn: pool.Conn, campaign: UUID, reason: str) -> None:
        """Pause a campaign whose pacing cannot be used: it must not stand in the way of the others."""
        why = f"its pacing cannot be used: {reason}"
        async with conn.transaction():  # nobody's campaign is paused unsaid
            paused = await transitions.pause(conn, campaign, holds="message_1", why=why, by="lane")
            if paused:
                await alerts.say(conn, "pacing", str(campaign), f"campaign paused: {why}")
        if paused:
            log.warning("a campaign's pacing cannot be used", campaign=str(campaign), why=reason)
            self._process.moved(campaign)

    async def nothing_due(self, conn: pool.Conn, batch: Record) -> Rest | None:
        """The open batch has nothing to send now: wait for a retry that is near, else make room for others."""
        rest, due = await self._outlook(conn), await sql.due_campaigns_of(conn, sender=self._sender)
        if any(campaign["id"] == batch["campaign"] for campaign in due):
            return None  # just now
        if due:
            rest = None
        if rest is None or rest.leave:
            await sql.close_batch(conn, batch=batch["id"], why="nothing due")
        return rest

    async def _outlook(self, conn: pool.Conn) -> Rest | None:
        """Move on the campaigns whose Message 1 have all left; say how long nothing becomes due (None: look again)."""
        waits = []
        for row in await sql.lane_outlook(conn, sender=self._sender):
            if await transitions.cancel_stopped(conn, row["id"]):
                self._process.moved(row["id"])
                waits.append(0.0)
            elif row["due_in"] is not None:
                waits += [row["due_in"]] if row["due_in"] > 0 else []
            elif row["open"]:
                waits.append(0.2)  # promised, not yet settled: the recorder or the retrier will tell
            elif await transitions.all_sent(conn, row["id"]):
                log.info("every Message 1 of the campaign has left", campaign=str(row["id"]))
                self._process.moved(row["id"])
                waits.append(0.0)
        if not waits:
            return Rest(0, "no campaign is sending", leave=True)
        wait = min(waits)
        if wait > STAY_SECONDS:
            return Rest(STAY_SECONDS, "nothing due", leave=True)
        return None if wait == 0 else Rest(min(wait, LOOK_SECONDS), "nothing due")

    async def finish(self, batch: Record) -> None:
        """Close a batch; the pause follows, unless nothing does."""
        async with pool.connection() as conn:
            await sql.close_batch(conn, batch=batch["id"], why="complete")
            more = await sql.sender_has_pending(conn, sender=self._sender)
        log.info("batch complete", campaign=str(batch["campaign"]), batch=str(batch["id"]), number=batch["number"])
        if more and batch["pause"]:
            await self._slots.pause(scaled(batch["pause"], settings.get().time_scale))
