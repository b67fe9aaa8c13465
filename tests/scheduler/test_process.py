from __future__ import annotations

import os
import signal
from uuid import UUID

from tests.actors.crew import Crew
from tests.actors.world import Memory
from tests.simulator_process import until


async def leader(memory: Memory) -> UUID | None:
    found: UUID | None = await memory.value("SELECT owner FROM leader WHERE until > now()")
    return found


async def test_the_standby_takes_over_at_once_from_a_stopped_leader_and_soon_from_a_killed_one(
    memory: Memory, crew: Crew
) -> None:
    first = crew.start("scheduler")
    one = await until(lambda: leader(memory), seconds=20)
    second = crew.start("scheduler")

    async def both() -> bool:
        return bool(await memory.value("SELECT count(*) FROM heartbeat WHERE kind = 'scheduler'") == 2)

    await until(both, seconds=20)
    assert await leader(memory) == one
    os.killpg(first.pid, signal.SIGKILL)

    async def another(than: UUID | None) -> UUID | None:
        now = await leader(memory)
        return now if now != than else None

    two = await until(
        lambda: another(one),
    )
    crew.start("scheduler")

    async def three() -> bool:
        return bool(await memory.value("SELECT count(*) FROM heartbeat WHERE kind = 'scheduler'") == 3)

    await until(three, seconds=20)
    second.terminate()
    await until(
        lambda: another(two),
    )
    assert second.wait(20) == 0
    assert "Traceback" not in crew.words()


async def test_settings_that_cannot_be_used_end_it_with_the_variables_name(crew: Crew) -> None:
    refused = crew.start("scheduler", SWEEP_INTERVAL_SECONDS="0")
    await until(lambda: refused.poll() is not None)
    assert refused.returncode == 1 and "SWEEP_INTERVAL_SECONDS" in crew.words() and "Traceback" not in crew.words()
