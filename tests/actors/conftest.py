from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

import settings
from actors import process
from models import pool
from tests.actors.crew import Crew
from tests.actors.world import Memory, World
from tests.simulator_process import DEVICE, TOKEN, Simulator, running_simulator, until

QUIET = {
    "reply_rate": 0, "several_rate": 0, "sent_delay": 0, "delivered_delay": 0, "read_delay": 0, "delivered_rate": 0,
}  # fmt: skip
OTHER_DEVICE = "5a1e00000000000000000002"
Opens = Callable[..., Awaitable[World]]


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[Simulator]:
    with running_simulator(arguments=("--device", OTHER_DEVICE)) as simulator:
        yield simulator


@pytest.fixture
def simulator(simulator_process: Simulator) -> Simulator:
    """A simulator at the start of its run, whose people are silent."""
    simulator_process.reset()
    simulator_process.behave(QUIET)
    return simulator_process


@pytest.fixture
def environment(environment: dict[str, str], simulator: Simulator) -> dict[str, str]:
    """The environment of processes that talk to the simulator, without jitter."""
    return environment | {
        "WASSENGER_BASE_URL": simulator.url,
        "WASSENGER_API_KEY": TOKEN,
        "WASSENGER_DEVICE_ID": DEVICE,
        "PACING_JITTER": "0",
    }


@pytest.fixture
async def memory(configured: settings.Settings) -> AsyncIterator[Memory]:
    """The database alone, through this process's pool."""
    await pool.open_pool()
    yield Memory()
    await pool.close_pool()


@pytest.fixture
async def opens(
    configured: settings.Settings, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Opens]:
    """Opens a worker process on this loop, with settings of one's own."""

    async def open_world(**environment: str) -> World:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings.get.cache_clear()
        await process.open_process("worker")
        await until(lambda: process.this().identity.id, what="this process's identity")
        return World(process.this(), await Memory().first_sender(), simulator)

    yield open_world
    await process.close_process()


@pytest.fixture
async def world(opens: Opens) -> World:
    """A worker process on this loop."""
    return await opens()


@pytest.fixture
def crew(environment: dict[str, str], tmp_path: Path) -> Iterator[Crew]:
    """Starts real processes of ours, and ends them."""
    crew = Crew(environment, tmp_path)
    yield crew
    crew.close()
