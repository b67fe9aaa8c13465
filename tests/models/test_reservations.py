"""Reservations are counted from the rows: whatever happens to a row, the sum is right."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from uuid_utils.compat import uuid7

from models import reservations, transitions
from models.queries import sql
from models.transitions import Failure, GiveBack
from rules.quota import day_bounds, local_day
from rules.reservations import Day, TooLittleRoom
from tests import worlds

if TYPE_CHECKING:
    from uuid import UUID

    from models.pool import Conn

TZ = "Europe/Paris"


async def sender_row(conn: Conn, sender: UUID, **columns: Any) -> Any:
    """The sender as the web reads it, after a change."""
    for name, value in columns.items():
        await conn.execute(f"UPDATE sender SET {name} = $2 WHERE id = $1", sender, value)
    return await sql.read_sender(conn, sender=sender)


async def begin(conn: Conn, row: Any) -> date:
    return await reservations.begin_day(conn, row["id"], row["time_zone"], reservations.limit_of(row), row["now"])


async def day(conn: Conn, sender: UUID, ahead: int = 0) -> Day:
    row = await sender_row(conn, sender)
    wanted = local_day(row["now"], row["time_zone"]) + timedelta(days=ahead)
    return (await reservations.days_of(conn, row)).get(wanted) or Day(reservations.limit_of(row))


async def spread(conn: Conn, sender: UUID, shares: list[int]) -> worlds.Running:
    """A campaign launched over so many days from today on."""
    row = await sender_row(conn, sender)
    today = await begin(conn, row)
    plan = {(today + timedelta(days=n)).isoformat(): many for n, many in enumerate(shares)}
    return await worlds.launched(conn, sum(shares), sender=sender, quota_plan=json.dumps(plan))


async def test_a_launch_is_reserved_and_each_promise_turns_a_place_into_use(conn: Conn) -> None:
    running = await worlds.launched(conn, 5)
    row = await sender_row(conn, running.sender, daily_limit=10)
    today = await begin(conn, row)
    assert await day(conn, running.sender) == Day(10, 0, 5)
    lane = await worlds.lane(conn, running)
    promises = await transitions.claim_slice(conn, lane.claim(2, day=today))
    assert await day(conn, running.sender) == Day(10, 2, 3)
    await transitions.accept(conn, [worlds.fact(promises[0].message)], by="test")
    assert await day(conn, running.sender) == Day(10, 2, 3)
    back = GiveBack(
        message=promises[1].message, attempt=promises[1].attempt, wait=60.0, used_retry=True, error_class="never_left",
        error_text="x", why="x",
    )  # fmt: skip
    await transitions.give_back(conn, [back], by="test")
    assert await day(conn, running.sender) == Day(10, 1, 4), "it is planned again"


async def test_cancel_failure_and_opt_out_free_their_places(conn: Conn) -> None:
    running = await worlds.launched(conn, 6)
    await begin(conn, await sender_row(conn, running.sender, daily_limit=10))
    one, two = running.people[:2]
    await transitions.opt_out(conn, [one.contact], recipient=None, at=worlds.now(), why="STOP", by="test")
    assert (await day(conn, running.sender)).reserved == 5
    await transitions.fail(
        conn, [Failure(message=two.message, attempt=0, error_class="quota", error_text="x")], by="test"
    )
    assert (await day(conn, running.sender)).reserved == 4
    assert await transitions.pause(conn, running.campaign, holds="all", why="x", by="test")
    assert (await day(conn, running.sender)).reserved == 4, "a pause keeps them"
    assert await transitions.cancel(conn, running.campaign, why="x", by="test")
    assert (await day(conn, running.sender)).reserved == 0, "at once, before its rows are swept"


async def test_a_spread_launch_gives_each_row_its_day_and_its_morning(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    running = await spread(conn, sender, [3, 2, 2])
    today = local_day(datetime.now(UTC), TZ)
    rows = await conn.fetch(
        "SELECT quota_day, next_at, count(*) FROM message WHERE campaign = $1 GROUP BY 1, 2 ORDER BY 2",
        running.campaign,
    )
    assert [(row["quota_day"], row["count"]) for row in rows] == [
        (None, 3), (today + timedelta(days=1), 2), (today + timedelta(days=2), 2),
    ]  # fmt: skip
    assert [local_day(row["next_at"], TZ) - today for row in rows] == [timedelta(days=n) for n in range(3)]
    assert rows[1]["next_at"] == day_bounds(today + timedelta(days=1), TZ)[0]
    assert [(await day(conn, sender, n)).reserved for n in range(4)] == [3, 2, 2, 0]
    lane = await worlds.lane(conn, running)
    assert len(await transitions.claim_slice(conn, lane.claim(10, day=today))) == 3, "the rest is not due"


async def test_an_interrupted_launch_goes_on_with_the_plan_where_it_was(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    today = await begin(conn, await sender_row(conn, sender))
    plan = {(today + timedelta(days=n)).isoformat(): 3 for n in range(2)}
    people = await worlds.contacts(conn, 6)
    made = await worlds.draft(conn, sender, quota_plan=json.dumps(plan))
    await transitions.start_launch(conn, made, window=60, safety=60, why="x", by="test")
    assert [(await day(conn, sender, n)).reserved for n in range(2)] == [3, 3], "before any row is there"
    for step in (people[:2], people[:4], people[2:]):  # twice the same, as after a crash
        await sql.add_recipients(
            conn, campaign=made, ids=[uuid7() for _ in step], contacts=[c for c, _ in step],
            identities=[p for _, p in step], phones=[p for _, p in step], texts=["Hi"] * len(step),
        )  # fmt: skip
        assert [(await day(conn, sender, n)).reserved for n in range(2)] == [3, 3]
    await transitions.finish_launch(conn, made, "x")
    assert [(await day(conn, sender, n)).reserved for n in range(2)] == [3, 3]


async def test_what_a_day_leaves_over_moves_and_what_others_reserved_stays_theirs(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    await sender_row(conn, sender, daily_limit=10)
    old = await worlds.launched(conn, 8, sender=sender)
    other = await spread(conn, sender, [1, 6])
    row = await sender_row(conn, sender)
    today = local_day(row["now"], TZ)
    tomorrow = today + timedelta(days=1)
    at = row["now"] + timedelta(days=1)
    # A row of that day that somebody else made does not begin it.
    await conn.execute("INSERT INTO quota_day (sender, day) VALUES ($1, $2)", sender, tomorrow)
    assert await reservations.begin_day(conn, sender, TZ, 10, at) == tomorrow
    assert await reservations.begin_day(conn, sender, TZ, 10, at) == tomorrow, "once"
    moved = await conn.fetch(
        "SELECT campaign, quota_day, count(*) AS many FROM message WHERE quota_day > $1 GROUP BY 1, 2", tomorrow
    )
    # Nine were left over; four fit beside the six of the other, five go on.
    assert sum(row["many"] for row in moved) == 5
    assert {row["quota_day"] for row in moved} == {tomorrow + timedelta(days=1)}
    kept = await conn.fetchval(
        "SELECT count(*) FROM message WHERE campaign = $1 AND quota_day = $2", other.campaign, tomorrow
    )
    assert kept == 6
    assert await conn.fetchval("SELECT count(*) FROM message WHERE campaign = $1", old.campaign) == 8


async def test_before_the_day_begins_what_will_move_is_shown_where_it_goes(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    row = dict(await sender_row(conn, sender, daily_limit=10))
    await worlds.launched(conn, 14, sender=sender)
    today = local_day(row["now"], TZ)
    days = await reservations.days_of(conn, row)  # type: ignore[arg-type]
    assert (days[today], days[today + timedelta(days=1)]) == (Day(10, 0, 10), Day(10, 0, 4))


async def test_a_number_over_its_limit_offers_nothing(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    row = await sender_row(conn, sender, daily_limit=10)
    await begin(conn, row)
    await worlds.launched(conn, 9, sender=sender)
    campaign = await worlds.row(conn, "campaign", await worlds.draft(conn, sender))
    with pytest.raises(TooLittleRoom) as short:
        await reservations.fit(conn, row, campaign, 2)
    assert (short.value.remaining, short.value.needed) == (1, 2)
    assert sum((await reservations.fit(conn, row, campaign, 1)).values()) == 1


async def test_a_young_careful_number_may_open_twenty_conversations_a_day(conn: Conn) -> None:
    sender = await worlds.new_sender(conn)
    row = await sender_row(conn, sender, pacing=json.dumps({"profile": "careful"}))
    await begin(conn, row)
    people = await worlds.contacts(conn, 21)
    category = await conn.fetchval("INSERT INTO category (name) VALUES ('Everybody') RETURNING id")
    await conn.executemany(
        "INSERT INTO contact_category (contact, category) VALUES ($1, $2)", [(c, category) for c, _ in people]
    )
    made = await worlds.draft(conn, sender, categories=[category])
    campaign = await worlds.row(conn, "campaign", made)
    with pytest.raises(TooLittleRoom, match="warm-up lets this number open 20 new conversations a day") as short:
        await reservations.fit(conn, row, campaign, 21)
    assert (short.value.remaining, short.value.needed) == (20, 21)
    await conn.execute("UPDATE campaign SET spread_over_days = 2 WHERE id = $1", made)
    over_two = await reservations.fit(conn, row, await worlds.row(conn, "campaign", made), 21)
    assert sorted(over_two.values()) == [10, 11]


async def test_the_sum_is_exact_while_a_lane_claims_and_results_come_in(conn: Conn) -> None:
    """used + reserved never changes while messages are only sent: no reader sees a place twice, or none."""
    running = await worlds.launched(conn, 120)
    row = await sender_row(conn, running.sender, daily_limit=500)
    today = await begin(conn, row)
    lane = await worlds.lane(conn, running, size=200)
    done = asyncio.Event()
    seen: list[int] = []

    async def read(c: Conn) -> None:
        while not done.is_set():
            now = await day(c, running.sender)
            seen.append(now.used + now.reserved)

    async with worlds.connections(3) as others:
        readers = [asyncio.create_task(read(c)) for c in others]
        for _ in range(40):
            promises = await transitions.claim_slice(conn, lane.claim(3, day=today))
            await transitions.accept(conn, [worlds.fact(p.message) for p in promises], by="test")
        done.set()
        await asyncio.gather(*readers)
    assert len(seen) > 10
    assert set(seen) == {120}
    assert await day(conn, running.sender) == Day(500, 120, 0)
