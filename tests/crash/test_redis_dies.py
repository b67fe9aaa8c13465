"""Redis is killed, flushed, gone for a while: wake-ups, gate and live frames are lost, and nothing else."""

from __future__ import annotations

import asyncio
import itertools
import time

import redis

from tests.crash.judge import assert_right, lines_of
from tests.crash.stage import Ground, scene

EVERYBODY = ("web", "worker", "replies", "scheduler")
REPLIES = {"reply_rate": 0.5, "reply_delay": [0.2, 1.0], "reply_types": {"opt_out": 0}, "several_rate": 0.0,
           "reply_again_rate": 0.0}  # fmt: skip
GAP = 1.0
PACE = {"TIME_SCALE": "2"}
"""A message a second: the gaps are longer than what a busy machine may add to one."""


@scene(seconds=45)
async def test_redis_killed_flushed_and_gone_resumes_never_faster(ground: Ground) -> str:
    away = 60.0 if ground.long else 15.0
    async with ground.system(start=EVERYBODY, settings=PACE, behaviour=REPLIES) as system:
        valkey = system.servers.valkey
        assert valkey is not None
        campaign = await system.books.launched(int(25 + away), message_2="And now the second one of campaign 0")
        await system.further(5)
        with redis.Redis.from_url(valkey.url) as client:
            client.flushall()
        flushed = time.time()
        await system.further(2)
        took = time.time() - flushed
        valkey.kill()
        await system.further(2)
        valkey.start()
        await system.further(2)
        valkey.freeze()
        await system.further(2)
        valkey.thaw()
        await system.further(2)
        valkey.stop()
        gone = time.time()
        await system.further(5, seconds=120)
        await asyncio.sleep(max(0.0, gone + away - time.time()))  # what is tested is that time passes without it
        valkey.start()
        await system.books.all_left(campaign, seconds=120)
        await system.quiet()
        await assert_right(system, campaign)
        first = sorted(lines_of(system, phone)[0]["time"] for phone in campaign.phones)
        gaps = [after - before for before, after in itertools.pairwise(first)]
        # The least gap that is drawn is 0.75 of the delay; a slot may be late by a quarter of a second.
        assert min(gaps) > 0.75 * GAP - 0.45, f"the shortest gap was {min(gaps):.2f} s"
    return f"two further messages {took:.1f} s after FLUSHALL (a gap is {GAP:g} s)"
