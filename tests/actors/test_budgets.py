"""The no-reply budget: shown, told at 80 %, and a spent one opens no more conversations."""

from __future__ import annotations

import pytest

from actors.sweeper import sweep_campaigns
from models import pool, reservations
from models.no_reply import of_month
from models.queries import sql
from rules.reservations import TooLittleRoom
from tests.actors.conftest import Opens
from tests.actors.people import inbound, phones
from tests.actors.test_lane import FAST
from tests.actors.world import World, run
from tests.simulator_process import until


async def month(world: World) -> tuple[int, str]:
    async with pool.connection() as conn:
        now = await of_month(conn, await sql.read_sender(conn, sender=world.sender))
    return now.unanswered, now.level.value


async def alerts(world: World) -> list[str]:
    query = "SELECT text FROM alert WHERE kind = 'no_reply_budget' AND resolved_at IS NULL"
    return [row["text"] for row in await world.rows(query)]


async def test_without_a_cap_the_month_is_counted_and_nothing_is_held(world: World) -> None:
    await world.reached(5)
    assert await month(world) == (5, "open")
    await run(sweep_campaigns)
    assert await alerts(world) == []


async def test_an_alert_at_80_percent_is_over_when_people_answer(opens: Opens) -> None:
    world = await opens(MONTHLY_NO_REPLY_CAP="5")
    await world.reached(4, message_2=None)
    assert await month(world) == (4, "alert")
    await run(sweep_campaigns)
    [text] = await alerts(world)
    assert "4 of 4 conversations opened this month are not answered: 80 % of the cap of 5" in text
    await world.hear(inbound("in_new_text", phones(1)[0]))
    assert await month(world) == (3, "ok")
    await run(sweep_campaigns)
    assert await alerts(world) == []


async def test_last_month_does_not_count(opens: Opens) -> None:
    world = await opens(MONTHLY_NO_REPLY_CAP="5")
    await world.reached(4)
    await world.execute("UPDATE message SET promised_at = date_trunc('month', now()) - interval '1 hour'")
    assert await month(world) == (0, "ok")


async def test_a_spent_budget_holds_message_1_until_somebody_answers(opens: Opens) -> None:
    world = await opens(**FAST, MONTHLY_NO_REPLY_CAP="3")
    await world.reached(3, message_2=None)
    campaign = await world.launch(phones(2, 10))
    async with world.sending() as lane:
        await until(lane.done, what="the lane to leave")
    assert world.sent() == []
    assert "Message 1 is held" in (await alerts(world))[0]
    await world.hear(inbound("in_new_text", phones(1)[0]))
    await world.send_all(campaign)
    assert len(world.sent()) == 2


async def test_a_launch_beyond_the_budget_is_refused_with_what_is_left(opens: Opens) -> None:
    world = await opens(MONTHLY_NO_REPLY_CAP="5")
    await world.reached(3)
    campaign = await world.draft(world.sender, phones(3, 10))
    async with pool.connection() as conn:
        sender = await sql.read_sender(conn, sender=world.sender)
        row = await sql.campaign(conn, campaign=campaign)
        with pytest.raises(TooLittleRoom, match="of the cap of 5; write to people who answer") as short:
            await reservations.fit(conn, sender, row, 3)
    assert (short.value.needed, short.value.remaining) == (3, 2)
