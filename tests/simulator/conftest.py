from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.simulator.receiver import Receiver, running_receiver
from tests.simulator_process import Simulator, running_simulator

AT_ONCE = {
    "sent_delay": 0, "delivered_delay": 0.01, "read_delay": 0.01, "reply_delay": 0.01, "reply_rate": 0,
    "reply_again_rate": 0, "several_rate": 0, "quote_rate": 0, "read_rate": 1, "webhook_retry_seconds": 0.05,
    "several_gap": 0,
}  # fmt: skip


@pytest.fixture(scope="session")
def process() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(process: Simulator) -> Simulator:
    process.reset()
    process.behave(AT_ONCE)
    return process


@pytest.fixture
async def receiver(simulator: Simulator) -> AsyncIterator[Receiver]:
    async with running_receiver() as receiver:
        simulator.register(receiver.url)
        yield receiver
