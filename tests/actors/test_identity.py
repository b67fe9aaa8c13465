from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from tests.actors.world import Memory, World
from tests.simulator_process import until

ROOT = Path(__file__).resolve().parents[2]
HELD = (
    "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND ((classid::bigint << 32) | objid::bigint) = hashtextextended($1::text, 0))"
)


async def held(memory: Memory, process: UUID) -> bool:
    return bool(await memory.value(HELD, str(process)))


async def test_a_living_process_holds_its_lock_and_beats(world: World) -> None:
    name = world.process.identity.id
    assert name is not None and await held(world, name)
    beat = await world.row("SELECT kind, pid, beat_at FROM heartbeat WHERE process = $1", name)
    assert (beat["kind"], beat["pid"]) == ("worker", os.getpid())

    async def beats_on() -> bool:
        return bool(await world.value("SELECT beat_at > $2 FROM heartbeat WHERE process = $1", name, beat["beat_at"]))

    await until(
        beats_on,
    )


async def test_a_process_whose_connection_was_cut_goes_on_under_a_new_name(world: World) -> None:
    old = world.process.identity.id
    assert old is not None
    await world.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    new = await until(
        lambda: (name := world.process.identity.id) != old and name,
    )
    assert isinstance(new, UUID) and new != old
    assert await held(world, new) and not await held(world, old)


async def test_the_lock_is_freed_when_the_process_is_killed_and_kept_while_it_is_frozen(
    memory: Memory, environment: dict[str, str]
) -> None:
    code = "import asyncio; from actors.identity import Identity; asyncio.run(Identity('worker').alive())"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:

        async def known() -> UUID | None:
            found: UUID | None = await memory.value("SELECT process FROM heartbeat WHERE pid = $1", child.pid)
            return found

        name = await until(known)
        assert name is not None and await held(memory, name)
        child.send_signal(signal.SIGSTOP)

        async def silent() -> bool:
            return bool(
                await memory.value("SELECT beat_at < now() - interval '1.5 s' FROM heartbeat WHERE process = $1", name)
            )

        await until(silent)
        assert await held(memory, name)
        child.kill()

        async def freed() -> bool:
            return not await held(memory, name)

        await until(freed)
    finally:
        child.kill()
        child.wait()
