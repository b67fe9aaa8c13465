from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from actors import lost_promises
from tests.actors.world import World
from tests.simulator_process import until


async def give_back(world: World, name: UUID | None = None) -> asyncio.Task[None]:
    """Begin to look for lost promises, as after a broken connection."""
    whose = name or world.process.identity.id
    assert whose is not None
    return world.process.start(lost_promises.give_back(world.process, world.sender, whose), "lost promises")


async def promised(world: World, many: int = 1) -> UUID:
    """A campaign whose promises were committed, and whose answers never came."""
    campaign = await world.launch(many)
    await world.promise(campaign)
    await world.execute("UPDATE message SET promised_at = now() - interval '2 s' WHERE status = 'sending'")
    return campaign


async def pending(world: World, campaign: UUID, many: int = 1) -> None:
    async def back() -> bool:
        return (await world.statuses(campaign)).get("pending", 0) == many

    await until(back, seconds=30, what="the promises to be given back")


@pytest.fixture
async def looking(world: World) -> Any:
    yield world
    world.process.stopping.set()  # the looking ends early when the process stops


async def test_a_promise_nobody_holds_is_given_back_by_the_process_that_made_it(looking: World) -> None:
    campaign = await promised(looking)
    await give_back(looking)
    await pending(looking, campaign)
    row = await looking.row("SELECT attempt, retries, error_class, why FROM message")
    assert (row["attempt"], row["retries"], row["error_class"]) == (1, 0, "lost_promise")
    assert row["why"] == "not sent: the answer to the promise was lost: nothing was written"


async def test_what_is_in_hand_is_left_alone(looking: World) -> None:
    campaign = await promised(looking, 2)
    kept = await looking.value("SELECT id FROM message WHERE campaign = $1 ORDER BY id LIMIT 1", campaign)
    looking.process.in_hand.add(kept)
    await give_back(looking)
    await pending(looking, campaign)
    assert await looking.value("SELECT status FROM message WHERE id = $1", kept) == "sending"


async def test_a_promise_of_another_process_or_of_later_is_none_of_its_business(looking: World) -> None:
    campaign = await promised(looking, 3)
    ids = [row["id"] for row in await looking.rows("SELECT id FROM message WHERE campaign = $1 ORDER BY id", campaign)]
    await looking.execute("UPDATE message SET process = $2 WHERE id = $1", ids[0], uuid7())
    await looking.execute("UPDATE message SET promised_at = now() + interval '1 minute' WHERE id = $1", ids[1])
    await give_back(looking)
    await pending(looking, campaign)
    assert await looking.value("SELECT status FROM message WHERE id = $1", ids[2]) == "pending"


async def test_a_commit_that_comes_late_is_found_too(looking: World) -> None:
    """The statement whose answer was lost may still run: it is looked for again and again."""
    campaign = await looking.launch(1)
    await give_back(looking)
    began = time.monotonic()
    await until(lambda: time.monotonic() - began > 1.5)
    await looking.promise(campaign)
    await looking.execute("UPDATE message SET promised_at = now() - interval '10 s' WHERE status = 'sending'")
    await pending(looking, campaign)


async def test_the_looking_ends_when_the_process_stops(world: World) -> None:
    task = await give_back(world)
    world.process.stopping.set()
    await asyncio.wait_for(task, 20)
