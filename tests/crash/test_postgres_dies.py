"""PostgreSQL is killed: nothing new can be promised, so nothing is sent; when it is back, everything goes on."""

from __future__ import annotations

import asyncio
import signal
import time

from tests.crash.judge import assert_right
from tests.crash.process import send
from tests.crash.stage import Ground, scene
from tests.crash.story import Campaign
from tests.simulator_process import until

EVERYBODY = ("web", "worker", "replies", "scheduler")
REPLIES = {"reply_rate": 0.5, "reply_delay": [0.2, 1.0], "reply_types": {"opt_out": 0}, "several_rate": 0.0,
           "reply_again_rate": 0.0}  # fmt: skip
AHEAD = 6.0
"""What was promised before the kill may be written for 4 s: so much of a lease is above the fence."""


@scene(seconds=40)
async def test_postgresql_killed_nothing_leaves_and_all_resumes(ground: Ground) -> None:
    away = 60.0 if ground.long else 9.0
    async with ground.system(start=EVERYBODY, own_postgres=True, behaviour=REPLIES) as system:
        postgres = system.servers.postgres
        assert postgres is not None
        campaigns = [await system.books.launched(40, message_2="And now the second one of campaign 0")]
        await system.further(6)
        for pause in (0.0, away):
            postgres.kill()
            died = time.time()
            await asyncio.sleep(pause)
            late = [line for line in system.simulator.ledger() if line["time"] > died + AHEAD]
            assert late == []
            postgres.start()
            await system.further(3)
        await system.books.all_left(*campaigns, seconds=120)
        await system.quiet()
        await assert_right(system, *campaigns)


@scene(seconds=50)
async def test_one_backend_of_postgresql_killed_nobody_gets_a_message_twice(ground: Ground) -> None:
    """One killed backend restarts them all: every lock is free, though whoever held it lives and sends."""
    async with ground.system(senders=2, own_postgres=True, start=("worker", "worker", "scheduler")) as system:
        campaigns: list[Campaign] = [await system.books.launched(60, sender=number) for number in range(2)]
        for _ in range(3):
            await system.further(4)
            # Those under way now are answered only after the backends are back.
            system.simulator.behave(latency_ms=4500)
            await until(lambda: system.books.in_doubt(), seconds=30, what="a message on its way")
            victim = "SELECT pid FROM pg_stat_activity WHERE application_name = 'relance' LIMIT 1"
            send(await system.books.value(victim), signal.SIGKILL)
            system.simulator.behave(latency_ms=3)
        await system.books.all_left(*campaigns, seconds=120)
        await assert_right(system, *campaigns)
