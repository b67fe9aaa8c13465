"""What chaos does to a running system: each blow is one kind of death, loss or freeze."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import redis

from tests.crash.process import Process, send
from tests.crash.story import Campaign
from tests.crash.system import System


@dataclass
class Run:
    """One run under way."""

    system: System
    rng: random.Random
    numbers: Iterator[str]
    contacts: int
    """People of one campaign."""
    window: float
    """Its reply window in seconds."""
    campaigns: list[Campaign] = field(default_factory=list)
    blows: list[tuple[float, str]] = field(default_factory=list)
    database: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while PostgreSQL is away: nobody writes through a connection that is about to break."""
    redis: asyncio.Lock = field(default_factory=asyncio.Lock)
    afterwards: set[asyncio.Task[None]] = field(default_factory=set)

    def later(self, work: Awaitable[None]) -> None:
        """Let the end of a blow come in its own time."""
        task = asyncio.ensure_future(work)
        self.afterwards.add(task)
        task.add_done_callback(self.afterwards.discard)

    async def launch(self, sender: int) -> None:
        """Launch one campaign of a sender to people nobody wrote to before."""
        number = len(self.campaigns)
        campaign = await self.system.books.draft(
            self.contacts,
            sender=sender,
            name=f"campaign {number}.",
            message_2=f"And now the second one of campaign {number}.",
            people=[next(self.numbers) for _ in range(self.contacts)],
        )
        assert await self.system.books.launch(campaign, window=self.window)
        self.campaigns.append(campaign)

    def any(self, name: str) -> Process | None:
        """Choose one living process of a name."""
        living = self.system.living(name)
        return self.rng.choice(living) if living else None


async def kill_a_child(run: Run, name: str) -> None:
    """SIGKILL what does the work; its master ends by itself."""
    if process := run.any(name):
        send(process.tree()[-1], signal.SIGKILL)


async def kill_all_of_it(run: Run, name: str) -> None:
    """SIGKILL a process and its children at once."""
    if process := run.any(name):
        process.kill()


async def terminate(run: Run, name: str) -> None:
    """SIGTERM, as a deploy does."""
    if process := run.any(name):
        send(process.pid, signal.SIGTERM)


async def freeze(run: Run, name: str) -> None:
    """Freeze a process for a moment, or for longer than any lease."""
    if process := run.any(name):
        process.freeze()
        seconds = run.rng.choice([0.5, 3.0, 12.0])

        async def thaw() -> None:
            await asyncio.sleep(seconds)
            process.thaw()

        run.later(thaw())


async def lose_redis(run: Run, how: str) -> None:
    """Redis is killed and comes back empty, is flushed, or freezes."""
    valkey = run.system.servers.valkey
    assert valkey is not None
    if run.redis.locked():
        return
    seconds = run.rng.uniform(0.0, 4.0)

    async def away() -> None:
        async with run.redis:
            if how == "flush":
                with redis.Redis.from_url(valkey.url) as client:
                    await asyncio.to_thread(client.flushall)
                return
            (valkey.kill if how == "kill" else valkey.freeze)()
            await asyncio.sleep(seconds)
            await asyncio.to_thread(valkey.start if how == "kill" else valkey.thaw)

    run.later(away())


async def lose_postgresql(run: Run, how: str) -> None:
    """PostgreSQL is killed, or one of its backends, which restarts them all."""
    postgres = run.system.servers.postgres
    assert postgres is not None
    seconds = run.rng.uniform(0.0, 3.0)
    async with run.database:
        if how == "backend":
            pid = await run.system.books.value(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'relance' ORDER BY random() LIMIT 1"
            )
            if pid is not None:
                send(pid, signal.SIGKILL)
        else:
            postgres.kill()
            await asyncio.sleep(seconds)
            await asyncio.to_thread(postgres.start)
        await run.system.books.value("SELECT 1")


Blow = Callable[[Run, str], Awaitable[None]]
BLOWS: list[tuple[int, str, Blow, str]] = [
    (5, "kill worker", kill_a_child, "worker"),
    (2, "kill worker and master", kill_all_of_it, "worker"),
    (4, "freeze worker", freeze, "worker"),
    (1, "terminate worker", terminate, "worker"),
    (4, "kill replies", kill_a_child, "replies"),
    (2, "freeze replies", freeze, "replies"),
    (1, "terminate replies", terminate, "replies"),
    (3, "kill web", kill_all_of_it, "web"),
    (1, "freeze web", freeze, "web"),
    (2, "kill scheduler", kill_all_of_it, "scheduler"),
    (1, "freeze scheduler", freeze, "scheduler"),
    (2, "kill redis", lose_redis, "kill"),
    (2, "flush redis", lose_redis, "flush"),
    (1, "freeze redis", lose_redis, "freeze"),
    (2, "kill postgresql", lose_postgresql, "kill"),
    (1, "kill a backend", lose_postgresql, "backend"),
]
