"""The watchdog: what is wrong just now, told as alerts that are raised once and resolved by themselves.

Only the leading scheduler looks. Each look says what is so; two schedulers that look at once say the same.
The web process watches the scheduler (``web/vigil.py``).
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import redis.asyncio
import structlog

import settings
from actors import alerts
from actors.telling import Teller
from models import attempts, live, pool, tuned
from models.queries import sql
from models.reservations import limit_of
from rules import roll_call
from rules.breaker import error_rate
from rules.quota import Level, level

if TYPE_CHECKING:
    from models.pool import Conn

log = structlog.get_logger()

LOOK_SECONDS = 2.0
"""How often it looks; some things more rarely."""
GRACE_SECONDS = 30.0
"""After the database came back, or this scheduler became the leader, the others get so long to beat again."""
ALIVE_SECONDS = 15.0
"""Whoever beat so recently lives."""
LOST_SECONDS = 60.0
"""A database or Redis that is away for so long is trouble; shorter is a restart."""
KEPT_DAYS = 8
"""Processes that ended are remembered for so long: the uptime of a week is made of them."""
LEAST_SETTLED = 20
"""Attempts from which on an error rate is one."""
CAMPAIGNS = 50
"""Campaigns whose error rate is looked at, those served last."""
NEEDED = ("worker", "replies", "web")
"""Kinds of processes without which campaigns stand still, or answers are not heard."""


@dataclass
class Look:
    """One thing to look at, and how often."""

    at: Callable[[Conn], Awaitable[None]]
    every: float = LOOK_SECONDS
    last: float = float("-inf")


class Watchdog:
    """Looks while ``leads`` says so."""

    def __init__(self, leads: Callable[[], bool], client: redis.asyncio.Redis, teller: Teller) -> None:
        self._leads = leads
        self._client = client
        self._teller = teller
        self._since: float | None = None
        self._redis_lost_at: float | None = None
        self._database_lost_at: float | None = None
        self._told_of_database = 0.0
        self.looks = [
            Look(self.processes),
            Look(self.numbers),
            Look(self.lanes),
            Look(self.redis),
            Look(self.quota, 10),
            Look(self.error_rates, 10),
            Look(self.settled, 5),
            Look(self.disk, 60),
            Look(self.connections, 30),
            Look(self.forget, 600),
        ]

    async def run(self) -> None:
        """Look for as long as the process lives. Cancel it to stop."""
        while True:
            try:
                await self.look()
            except (*pool.UNAVAILABLE, *pool.TRANSIENT) as error:
                await self._without_database(error)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look once at everything that is due."""
        async with pool.connection() as conn:
            await conn.fetchval("SELECT 1")
            await self._database_is_back(conn)
            if not self._leads():
                self._since = None
                return
            self._since = time.monotonic() if self._since is None else self._since
            for look in self.looks:
                if time.monotonic() - look.last >= look.every:
                    look.last = time.monotonic()
                    await look.at(conn)

    def _led_for(self) -> float:
        return 0.0 if self._since is None else time.monotonic() - self._since

    def _settling(self, threshold: float) -> bool:
        """Whether it is too early to miss anybody: everybody else has just lost the database too."""
        return self._led_for() < min(threshold, GRACE_SECONDS)

    # --- processes ------------------------------------------------------------------------------------------

    async def processes(self, conn: Conn) -> None:
        """Miss processes that died and were not replaced, and kinds of which none is left."""
        silent = settings.get().worker_down_alert_seconds
        if self._settling(silent):
            return
        rows = await sql.roll(conn, kinds=[*NEEDED, "scheduler"], silent=silent, alive=ALIVE_SECONDS)
        seen = [roll_call.Seen(**row) for row in rows]
        texts = {}
        for kind in (*NEEDED, "scheduler"):
            ours = [one for one in seen if one.kind == kind]
            alive = sum(one.alive for one in ours)
            missed = roll_call.missed(ours)
            if missed:
                texts[kind] = _missed(kind, missed, alive)
            elif kind in NEEDED and not alive and self._nobody(ours, silent):
                texts[kind] = f"no {kind} process is running"
        await alerts.settle(conn, "worker_down", texts)

    def _nobody(self, ours: list[roll_call.Seen], silent: float) -> bool:
        """Whether a kind has been without a process for so long, as far as this leader knows."""
        return self._led_for() >= silent and all(not one.alive for one in ours)

    async def forget(self, conn: Conn) -> None:
        """Remove processes that ended days ago."""
        if gone := await sql.forget_processes(conn, days=KEPT_DAYS):
            log.info("processes of long ago were forgotten", processes=gone)

    # --- numbers and campaigns ------------------------------------------------------------------------------

    async def numbers(self, conn: Conn) -> None:
        """Miss webhooks of a number whose session is online."""
        silent = settings.get().webhook_silence_alert_seconds
        texts = {}
        if not self._settling(silent):
            for row in await sql.unheard_senders(conn, silent=silent):
                since = "ever" if row["heard_at"] is None else f"since {row['heard_at']:%Y-%m-%d %H:%M} UTC"
                texts[str(row["id"])] = (
                    f"{row['name']}: messages leave and its session is online, but no webhook came {since}:"
                    " run bin/relance doctor"
                )
        await alerts.settle(conn, "webhook_silence", texts)

    async def lanes(self, conn: Conn) -> None:
        """Miss a lane that could send and does not."""
        stalled = settings.get().lane_stalled_alert_seconds
        if self._settling(stalled):
            return
        texts = {}
        for row in await sql.stalled_lanes(conn, stalled=stalled):
            who = "its worker sends nothing" if row["owned"] else "no worker takes its lane"
            texts[str(row["id"])] = f"{row['name']}: messages are due for {stalled:g} s and {who}"
        await alerts.settle(conn, "lane_stalled", texts)

    async def quota(self, conn: Conn) -> None:
        """Warn of a number that nears its daily limit; the lane says when it is reached."""
        texts = {}
        for row in await sql.quota_today(conn):
            limit = limit_of(row)
            if level(row["used"], limit) in (Level.DANGER, Level.BLOCKED):
                texts[str(row["id"])] = f"{row['name']}: more than 90 % of the daily limit of {limit} is used"
        await alerts.settle(conn, "quota_danger", texts)

    async def error_rates(self, conn: Conn) -> None:
        """Warn of a campaign whose attempts fail too often, before the breaker has to."""
        threshold = (await tuned.in_force(conn)).error_rate_threshold
        texts = {}
        for row in await sql.sending_campaigns(conn, many=CAMPAIGNS):
            seen = await attempts.window(conn, row["id"], None)
            if seen.settled >= LEAST_SETTLED and error_rate(seen.settled - seen.failed, seen.failed) > threshold:
                texts[str(row["id"])] = f"{row['name']}: more than {threshold:.1%} of the last attempts failed"
        await alerts.settle(conn, "error_rate", texts)

    async def settled(self, conn: Conn) -> None:
        """Resolve what others raised and what is over since."""
        for kind, state in (("sender_blocked", "blocked"), ("sender_offline", "offline")):
            await alerts.clear(conn, kind, [str(r["id"]) for r in await sql.stopped_senders(conn, states=[state])])
        await alerts.clear(conn, "breaker", [str(r["id"]) for r in await sql.breakers_open(conn)])
        await alerts.clear(conn, "unconfirmed", [str(r["campaign"]) for r in await sql.unconfirmed_campaigns(conn)])

    # --- the ground we stand on -----------------------------------------------------------------------------

    async def redis(self, conn: Conn) -> None:
        """Say when Redis has been away for a while: everything works, a little slower."""
        try:
            await self._client.ping()
            self._redis_lost_at = None
        except live.UNAVAILABLE:
            self._redis_lost_at = self._redis_lost_at or time.monotonic()
        away = self._redis_lost_at is not None and time.monotonic() - self._redis_lost_at >= LOST_SECONDS
        text = "Redis does not answer: wake-ups come from the database, pages are fresh every few seconds"
        await alerts.settle(conn, "redis", {"redis": text} if away else {})

    async def disk(self, conn: Conn) -> None:
        """Say when a disk of this machine is nearly full. Other machines' is theirs to say."""
        free = _free_share()
        host, least = socket.gethostname(), settings.get().disk_free_alert
        if free < least:
            await alerts.say(conn, "disk", host, f"less than {least:.0%} of a disk of {host} is free")
        else:
            await alerts.over(conn, "disk", host)

    async def connections(self, conn: Conn) -> None:
        """Say when the database has nearly no room for another connection."""
        row = await sql.room_for_connections(conn)
        full = row["used"] >= 0.9 * row["most"]
        text = f"more than 90 % of the {row['most']} connections of PostgreSQL are in use"
        await alerts.settle(conn, "connections", {"postgresql": text} if full else {})

    async def _without_database(self, error: Exception) -> None:
        """The outbox is away with the database: say it directly, until somebody was reached."""
        now = time.monotonic()
        self._since, self._database_lost_at = None, self._database_lost_at or now
        if now - self._database_lost_at < LOST_SECONDS or self._told_of_database:
            return
        log.error("ALERT", kind="database", subject="postgresql", text=f"no database: {type(error).__name__}")
        text = "PostgreSQL cannot be reached: nothing is sent, webhooks are refused and come again"
        if await self._teller.tell_directly("Relance: database", text):
            self._told_of_database = now

    async def _database_is_back(self, conn: Conn) -> None:
        lost, self._database_lost_at, self._told_of_database = self._database_lost_at, None, 0.0
        if lost is not None and (away := time.monotonic() - lost) >= LOST_SECONDS:
            await alerts.say(conn, "database", "postgresql", f"PostgreSQL could not be reached for {away:.0f} s")
            await alerts.over(conn, "database", "postgresql")


def _missed(kind: str, missed: list[roll_call.Seen], alive: int) -> str:
    shown = ", ".join(f"{one.host} (pid {one.pid}, silent since {one.beat_at:%H:%M:%S} UTC)" for one in missed[:5])
    more = f" and {len(missed) - 5} more" if len(missed) > 5 else ""
    return f"{len(missed)} {kind} process(es) stopped beating: {shown}{more}; {alive} beat"


def _free_share() -> float:
    """Return the free share of the fullest disk that this process stands on."""
    return min(usage.free / usage.total for usage in map(shutil.disk_usage, {Path.cwd(), Path("/tmp")}))  # noqa: S108
