from __future__ import annotations

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from actors.interactions import handle_interaction
from actors.sweeper import sweep_campaigns
from models import pool, transitions
from tests.actors.people import inbound, phones
from tests.actors.world import World, run

HOUR = 3600.0


async def end_windows(world: World, ago: float) -> None:
    """Let the windows have ended so long ago."""
    await world.execute(
        "UPDATE recipient SET window_ends_at = now() - make_interval(secs => $1) WHERE state = 'awaiting_reply'", ago
    )
    await world.execute(
        "UPDATE message SET sent_at = now() - make_interval(secs => $1 + 3600),"
        " promised_at = now() - make_interval(secs => $1 + 3600) WHERE status = 'sent'",
        ago,
    )


async def sweep(world: World) -> list[Any]:
    with capture_logs() as said:
        await run(sweep_campaigns)
    return said


async def test_silence_is_marked_after_the_window_and_its_grace(world: World) -> None:
    campaign = await world.reached(3, window=HOUR)
    await end_windows(world, 30)  # the grace is a hundredth of an hour: 36 s
    await sweep(world)
    assert await world.states(campaign) == {"awaiting_reply": 3}
    await end_windows(world, 40)
    said = await sweep(world)
    assert await world.states(campaign) == {"no_interaction": 3}
    assert sum(line["event"] == "no interaction" for line in said) == 3
    events = await world.rows("SELECT why FROM event WHERE new = 'no_interaction'")
    assert [row["why"] for row in events] == ["silent for the whole window"] * 3


async def test_the_grace_of_a_long_window_is_a_minute(world: World) -> None:
    campaign = await world.reached(1, window=24 * HOUR)
    await end_windows(world, 55)
    await sweep(world)
    assert await world.states(campaign) == {"awaiting_reply": 1}
    await end_windows(world, 65)
    await sweep(world)
    assert await world.states(campaign) == {"no_interaction": 1}


async def test_silence_waits_for_what_this_number_heard_and_nobody_digested(world: World) -> None:
    campaign = await world.reached(phones(2), window=HOUR)
    await end_windows(world, 60)
    inbox = await world.store(inbound("in_new_text", phones(1)[0], at=1.0))
    assert inbox is not None
    body = json.loads(inbound("in_new_text", phones(1)[0]))
    ends = await world.value("SELECT min(window_ends_at) FROM recipient")
    body["data"]["timestamp"] = ends.timestamp() - 10
    await world.execute(
        "UPDATE inbox SET received_at = now() - interval '61 s', body = $2 WHERE id = $1",
        inbox,
        json.dumps(body).encode(),
    )
    await sweep(world)
    assert await world.states(campaign) == {"awaiting_reply": 2}
    await run(handle_interaction, inbox)
    await world.settled()
    await sweep(world)
    assert await world.states(campaign) == {"followed_up": 1, "no_interaction": 1}


async def test_what_another_number_has_not_digested_holds_nothing_back(world: World) -> None:
    campaign = await world.reached(1, window=HOUR)
    await end_windows(world, 60)
    inbox = await world.store(inbound("in_new_text", phones(1)[0]).replace(b"5a1e00000000000000000001", b"f" * 24))
    await world.execute("UPDATE inbox SET received_at = now() - interval '1 day' WHERE id = $1", inbox)
    await sweep(world)
    assert await world.states(campaign) == {"no_interaction": 1}


async def test_a_campaign_in_which_everybody_is_final_completes_with_report_event_and_log_line(world: World) -> None:
    campaign = await world.reached(phones(3), window=HOUR)
    await world.hear(inbound("in_new_text", phones(1)[0]))
    await end_windows(world, 60)
    said = await sweep(world)
    row = await world.row("SELECT * FROM campaign WHERE id = $1", campaign)
    assert row["status"] == "completed" and row["completed_at"] is not None and row["why"] == "every recipient is final"
    report = json.loads(row["final_stats"])
    assert report["status"] == "completed"
    totals = report["totals"]
    assert (totals["total"], totals["sent"], totals["message_2_sent"], totals["no_interaction"]) == (3, 3, 1, 2)
    [line] = [line for line in said if line["event"] == "campaign completed"]
    assert line["campaign"] == str(campaign) and line["no_interaction"] == 2
    assert (line["replied_share"], line["message_2_share"]) == (report["rates"]["replied"], 0.3333)
    assert line["total_seconds"] == report["durations"]["total"] and line["reply_p50_ms"] > 0
    assert await world.value("SELECT count(*) FROM event WHERE subject = 'campaign' AND new = 'completed'") == 1
    await sweep(world)
    assert await world.value("SELECT count(*) FROM event WHERE subject = 'campaign' AND new = 'completed'") == 1


@pytest.mark.parametrize("state", ["queued", "awaiting_reply", "unconfirmed", "replied"])
async def test_nobody_completes_a_campaign_with_somebody_open(world: World, state: str) -> None:
    campaign = await world.reached(phones(1), window=HOUR)
    if state == "replied":  # Message 2 has not left
        async with pool.connection() as conn:
            await transitions.pause(conn, campaign, holds="all", why="a person", by="test")
        await world.hear(inbound("in_new_text", phones(1)[0]))
        await world.execute("UPDATE campaign SET status = 'sending', why = '', moved_by = 'test'")
    elif state != "awaiting_reply":
        campaign = await world.launch(phones(1, 5))
        await world.promise(campaign)
        if state == "unconfirmed":
            row = await world.row("SELECT id, attempt FROM message WHERE campaign = $1", campaign)
            async with pool.connection() as conn:
                await transitions.doubt(conn, [(row["id"], row["attempt"], "test")], by="test")
    await sweep(world)
    assert await world.status(campaign) != "completed"
    assert await world.states(campaign) == {state: 1}


async def test_past_its_safety_time_a_campaign_ends_and_what_nobody_could_tell_stays_so(world: World) -> None:
    campaign = await world.launch(phones(4), window=HOUR, safety=2 * HOUR)
    rows = await world.rows("SELECT id, recipient FROM message ORDER BY id")
    await world.execute(
        "UPDATE message SET status = 'sending', promised_at = now(), attempt = 1, process = $2,"
        " why = '', moved_by = 't' WHERE id = ANY($1)",
        [r["id"] for r in rows[:2]],
        world.process.identity.id,
    )
    async with pool.connection() as conn:
        await transitions.doubt(conn, [(rows[0]["id"], 1, "test")], by="test")
        await transitions.accept(
            conn,
            [
                transitions.Fact(
                    message=rows[1]["id"],
                    status="sent",
                    at=await conn.fetchval("SELECT now() - interval '90 minutes'"),
                    why="t",
                )
            ],
            by="t",
        )
    await world.execute(
        "UPDATE campaign SET launched_at = now() - interval '119 minutes', planned_end = now() - interval '121 minutes'"
    )
    await sweep(world)
    assert await world.states(campaign) == {"unconfirmed": 1, "no_interaction": 1, "queued": 2}
    await world.execute("UPDATE campaign SET launched_at = now() - interval '121 minutes'")
    await sweep(world)
    assert await world.states(campaign) == {"unconfirmed": 1, "no_interaction": 1, "failed": 2}
    row = await world.row("SELECT status, why, final_stats FROM campaign")
    assert (row["status"], row["why"]) == ("completed", "the safety time is over")
    assert json.loads(row["final_stats"])["totals"]["unconfirmed"] == 1
    assert await world.value("SELECT DISTINCT error_class FROM message WHERE status = 'failed'") == "safety_timeout"


async def test_paused_time_does_not_count_as_safety_time(world: World) -> None:
    campaign = await world.launch(1, window=HOUR, safety=HOUR)
    await world.execute(
        "UPDATE campaign SET launched_at = now() - interval '90 minutes', planned_end = NULL, paused_seconds = 3600"
    )
    await sweep(world)
    assert await world.states(campaign) == {"queued": 1}
    await world.execute("UPDATE campaign SET paused_seconds = 0")
    await sweep(world)
    assert await world.states(campaign) == {"failed": 1} and await world.status(campaign) == "completed"


async def test_past_its_safety_time_a_message_2_that_never_left_fails(world: World) -> None:
    campaign = await world.reached(phones(1), window=HOUR, safety=HOUR)
    await world.execute("UPDATE sender SET state = 'offline'")
    await world.hear(inbound("in_new_text", phones(1)[0]))
    assert await world.states(campaign) == {"replied": 1}
    await world.execute("UPDATE campaign SET launched_at = now() - interval '3 hours', planned_end = NULL")
    await sweep(world)
    assert await world.states(campaign) == {"failed": 1} and await world.status(campaign) == "completed"
    assert await world.value("SELECT failed_step FROM recipient") == 2


async def test_what_a_cancelled_campaign_has_not_promised_is_cancelled_and_its_windows_run_on(world: World) -> None:
    campaign = await world.launch(5, window=HOUR)
    rows = await world.rows("SELECT id FROM message ORDER BY id LIMIT 2")
    async with pool.connection() as conn:
        now = await conn.fetchval("SELECT now()")
        await conn.execute("UPDATE message SET promised_at = now() WHERE id = ANY($1)", [r["id"] for r in rows])
        await transitions.accept(
            conn, [transitions.Fact(message=r["id"], status="sent", at=now, why="t") for r in rows], by="t"
        )
        await transitions.cancel(conn, campaign, why="a person", by="test")
    await sweep(world)
    assert await world.statuses(campaign) == {"sent": 2, "cancelled": 3}
    assert await world.states(campaign) == {"awaiting_reply": 2, "cancelled": 3}
    await end_windows(world, 60)
    await sweep(world)
    assert await world.states(campaign) == {"no_interaction": 2, "cancelled": 3}
    assert await world.status(campaign) == "cancelled"


async def test_a_reply_in_the_window_after_completion_moves_the_figures_and_not_the_report(world: World) -> None:
    campaign = await world.reached(phones(1), window=HOUR)
    ends = await world.value("SELECT window_ends_at FROM recipient")
    await end_windows(world, 60)
    ends = await world.value("SELECT window_ends_at FROM recipient")
    await sweep(world)
    assert await world.status(campaign) == "completed"
    stored = await world.value("SELECT final_stats FROM campaign")
    await world.hear(inbound("in_new_text", phones(1)[0], at=ends.timestamp() - 5))
    assert await world.states(campaign) == {"followed_up": 1} and len(world.sent()) == 1
    assert await world.value("SELECT final_stats FROM campaign") == stored
    assert await world.value("SELECT sum(no_interaction) FROM campaign_stats") == 0
    why = await world.value("SELECT why FROM event WHERE old = 'no_interaction' AND new = 'replied'")
    assert "window" in why


async def test_an_empty_campaign_completes(world: World) -> None:
    campaign = await world.launch([])
    await sweep(world)
    assert await world.status(campaign) == "completed"
