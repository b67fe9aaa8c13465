"""What is old is removed in small steps, what may still be needed stays, and nobody waits for it."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from actors import retention
from models import pool
from tests.actors.conftest import Opens
from tests.actors.world import World, run


async def webhook(world: World, days: float, *, digested: bool = True) -> UUID:
    """A webhook that came so many days ago."""
    at = datetime.now(UTC) - timedelta(days=days)
    key = UUID(int=retention.smallest_key(at).int | (7 << 76) | secrets.randbits(62))
    await world.execute(
        "INSERT INTO inbox (id, event_key, kind, from_person, fetched, body, received_at, digested_at)"
        " VALUES ($1, $1::uuid::text, 'x', false, false, '{}', $2, $3)",
        key,
        at,
        at if digested else None,
    )
    return key


async def left(world: World) -> set[UUID]:
    return {UUID(str(row["id"])) for row in await world.rows("SELECT id FROM inbox")}


async def test_old_webhooks_go_in_steps_and_what_is_not_digested_stays(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await opens(INBOX_KEPT_DAYS="30")
    monkeypatch.setattr(retention, "STEP", 2)
    monkeypatch.setattr(retention, "REST_SECONDS", 0)
    old = [await webhook(world, 31 + n) for n in range(5)]
    waits, young = await webhook(world, 40, digested=False), await webhook(world, 29)
    await run(retention.forget_old)
    assert await left(world) == {waits, young}
    assert len(old) == 5


async def test_what_somebody_holds_is_left_to_the_next_time(opens: Opens) -> None:
    world = await opens(INBOX_KEPT_DAYS="30")
    held, free = await webhook(world, 31), await webhook(world, 31)
    async with pool.transaction() as conn:
        await conn.execute("SELECT FROM inbox WHERE id = $1 FOR UPDATE", held)
        await run(retention.forget_old)
        assert await left(world) == {held}
    await run(retention.forget_old)
    assert await left(world) == set()
    assert free != held


async def test_old_moves_go_when_their_campaign_is_over_and_its_own_stay(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await opens(EVENTS_KEPT_DAYS="30")
    monkeypatch.setattr(retention, "STEP", 3)
    monkeypatch.setattr(retention, "REST_SECONDS", 0)
    open_, over = await world.reached(3), await world.reached(3)
    await world.execute("UPDATE campaign SET status = 'cancelled', why = 't', moved_by = 't' WHERE id = $1", over)
    await world.execute("UPDATE event SET at = at - interval '31 days'")
    young = await world.reached(2)
    await world.execute("UPDATE campaign SET status = 'cancelled', why = 't', moved_by = 't' WHERE id = $1", young)
    before = await _moves(world)
    await run(retention.forget_old)
    after = await _moves(world)
    assert before[over, "message"] and before[over, "recipient"]
    assert after == {key: many for key, many in before.items() if key not in {(over, "message"), (over, "recipient")}}
    assert after[over, "campaign"] and after[open_, "message"] and after[young, "message"]


async def test_nothing_goes_where_nothing_may(opens: Opens) -> None:
    world = await opens(INBOX_KEPT_DAYS="0", EVENTS_KEPT_DAYS="0")
    kept = await webhook(world, 3650)
    await run(retention.forget_old)
    assert await left(world) == {kept}


async def test_two_at_once_do_it_once(opens: Opens) -> None:
    world = await opens(INBOX_KEPT_DAYS="30")
    for n in range(3):
        await webhook(world, 31 + n)
    await asyncio.gather(*(run(retention.forget_old) for _ in range(3)))
    assert await left(world) == set()


async def _moves(world: World) -> dict[tuple[UUID, str], int]:
    query = "SELECT campaign, subject, count(*) AS many FROM event WHERE campaign IS NOT NULL GROUP BY 1, 2"
    return {(row["campaign"], row["subject"]): row["many"] for row in await world.rows(query)}
