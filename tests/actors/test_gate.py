from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import redis.asyncio

import settings
from actors.gate import Gate
from local import embedded
from models import live

SPAN = 10.0
"""Seconds between slots: reserving waits for none of them."""
SOON = 4.0
"""What a busy machine may add to a call; less than half a span."""


@pytest.fixture
async def client(configured: settings.Settings) -> AsyncIterator[redis.asyncio.Redis]:
    client = live.async_client()
    yield client
    await client.aclose()


@pytest.fixture
def gate(client: redis.asyncio.Redis) -> Gate:
    return Gate(client)


@pytest.fixture
def sender() -> UUID:
    return uuid4()


async def slot(gate: Gate, sender: UUID, floor: float = 0.0, span: float = SPAN, reach: float = 1000.0) -> float:
    """Reserve one slot; returns when it is, on this machine's clock."""
    asked = time.monotonic()
    return asked + await gate.reserve(live.gate(sender), floor=floor, span=span, reach=reach)


async def test_slots_are_a_span_apart_whoever_asks_and_there_is_no_burst(
    configured: settings.Settings, sender: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CALL_SECONDS", 10.0)  # forty at once, and none may give up and go by the floor
    clients = [live.async_client(), live.async_client()]
    gates = [Gate(client) for client in clients]
    slots = sorted(await asyncio.gather(*(slot(gates[n % 2], sender) for n in range(40))))
    for client in clients:
        await client.aclose()
    gaps = [b - a for a, b in itertools.pairwise(slots)]
    assert gaps == pytest.approx([SPAN] * 39, abs=SOON)
    assert slots[-1] - slots[0] == pytest.approx(39 * SPAN, abs=SOON)


async def test_a_gate_left_idle_lets_one_through_and_not_what_it_saved(gate: Gate, sender: UUID) -> None:
    await gate.reserve(live.gate(sender), floor=0, span=0.001, reach=1)
    await asyncio.sleep(0.1)  # a hundred spans
    assert await gate.reserve(live.gate(sender), floor=0, span=SPAN, reach=1000) == 0
    assert await gate.reserve(live.gate(sender), floor=0, span=SPAN, reach=1000) == pytest.approx(SPAN, abs=SOON)


async def test_gates_of_two_senders_know_nothing_of_each_other(gate: Gate) -> None:
    now = time.monotonic()
    assert await slot(gate, uuid4(), span=2 * SPAN) < now + SOON
    assert await slot(gate, uuid4(), span=2 * SPAN) < now + SOON


async def test_the_floor_holds_in_a_freshly_emptied_redis(
    gate: Gate, client: redis.asyncio.Redis, sender: UUID
) -> None:
    await slot(gate, sender)
    await client.flushdb()
    now = time.monotonic()
    assert await slot(gate, sender, floor=2 * SPAN) == pytest.approx(now + 2 * SPAN, abs=SOON)


async def test_a_push_shuts_the_gate_and_never_opens_it_earlier(gate: Gate, sender: UUID) -> None:
    await gate.push(sender, 30)
    await gate.push(sender, 1)
    now = time.monotonic()
    assert await slot(gate, sender) == pytest.approx(now + 30, abs=SOON)


@pytest.mark.parametrize("jump", [-3_600_000_000, 3_600_000_000])
async def test_a_clock_that_jumped_neither_opens_the_gate_nor_stalls_it(
    gate: Gate, client: redis.asyncio.Redis, sender: UUID, jump: int
) -> None:
    await slot(gate, sender)
    at = int(await client.get(live.gate(sender)) or 0)
    await client.set(live.gate(sender), at + jump)  # as it reads after the clock moved by -jump
    now = time.monotonic()
    assert await slot(gate, sender, floor=SPAN, reach=2 * SPAN) == pytest.approx(now + SPAN, abs=SOON)
    assert await slot(gate, sender, floor=SPAN, reach=2 * SPAN) == pytest.approx(now + 2 * SPAN, abs=SOON)


async def test_a_gate_forgets_an_idle_sender(gate: Gate, client: redis.asyncio.Redis, sender: UUID) -> None:
    await slot(gate, sender)
    assert 0 < await client.ttl(live.gate(sender)) <= 3600


async def test_without_redis_the_floor_alone_decides_within_the_call_limit(
    servers: embedded.Servers, gate: Gate, sender: UUID
) -> None:
    assert servers.valkey is not None
    await gate.usable()
    servers.valkey.freeze()
    try:
        began = time.monotonic()
        assert await gate.reserve(live.gate(sender), floor=1.5, span=SPAN, reach=1.0) == 1.5
        assert await gate.reserve(live.gate(sender), floor=-1.0, span=SPAN, reach=1.0) == 0.0
        await gate.push(sender, 9)
        assert not await gate.usable()
        assert time.monotonic() - began < 4 * live.CALL_SECONDS + SOON
    finally:
        servers.valkey.thaw()


async def test_a_redis_that_was_killed_is_used_again_when_it_is_back(
    servers: embedded.Servers, gate: Gate, sender: UUID
) -> None:
    assert servers.valkey is not None
    servers.valkey.kill()
    try:
        assert await gate.reserve(live.gate(sender), floor=0.7, span=SPAN, reach=1.0) == 0.7
    finally:
        servers.valkey.start()
    now = time.monotonic()
    assert await slot(gate, sender, floor=SPAN) == pytest.approx(now + SPAN, abs=SOON)
    assert await gate.usable()
