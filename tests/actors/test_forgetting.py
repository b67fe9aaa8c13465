from __future__ import annotations

import msgspec

from actors.importer import import_contacts
from models import cache, live, pool
from models.queries import sql
from tests.actors.world import World, run
from tests.simulator_process import until


class Count(msgspec.Struct):
    """A kept answer."""

    number: int


async def keep(area: cache.Area, name: str) -> None:
    async def load() -> Count:
        return Count(1)

    await cache.this().read(area, name, load, Count)


async def kept(world: World, area: cache.Area, name: str) -> bool:
    return bool(await world.process.redis.exists(live.cached(area, name)))


async def test_statistics_of_messages_are_dropped_soon_after_something_moved_and_only_they(world: World) -> None:
    await keep("stats", "messages:all")
    await keep("stats", "contacts")
    assert await kept(world, "stats", "messages:all")
    world.process.moved(world.sender)

    async def dropped() -> bool:
        return not await kept(world, "stats", "messages:all")

    await until(dropped, what="the statistics to be dropped")
    assert await kept(world, "stats", "contacts")


async def test_however_much_moves_statistics_are_dropped_once_a_second(world: World) -> None:
    version = live.cache_version("stats")

    async def raised() -> int:
        return int(await world.process.redis.get(version) or 0)

    world.process.figures_moved()

    async def more_than(least: int) -> bool:
        world.process.figures_moved()
        return await raised() > least

    await until(lambda: more_than(0), what="the first drop")
    first, before = await raised(), await world.value("SELECT clock_timestamp()")
    await until(lambda: more_than(first + 1), what="two more drops")
    seconds = (await world.value("SELECT clock_timestamp()") - before).total_seconds()
    assert seconds > 0.9, "two drops came in less than a second"


async def test_an_import_drops_what_it_makes_untrue(world: World) -> None:
    await keep("stats", "contacts")
    await keep("categories", "page:50:")
    async with pool.connection() as conn:
        made = await sql.add_import(
            conn, filename="a.csv", body=b"phone\n+33199000001\n", category=None, region=None, dry_run=False
        )
    await run(import_contacts, made)
    assert not await kept(world, "stats", "contacts")
    assert not await kept(world, "categories", "page:50:")
