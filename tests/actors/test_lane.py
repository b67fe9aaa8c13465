from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Any
from uuid import UUID

import pytest

from actors import lease
from local import embedded
from models import pool, transitions
from tests.actors.conftest import OTHER_DEVICE, Opens
from tests.actors.people import phones
from tests.actors.world import World
from tests.simulator_process import until

FAST = {"TIME_SCALE": "60", "WASSENGER_RATE_LIMIT_SECONDS": "3", "WASSENGER_BATCH_SIZE": "25"}
"""A gap of 50 ms, pauses of half a second."""
GAP = 0.05


def times(lines: list[dict[str, Any]]) -> list[float]:
    return [line["time"] for line in lines]


def gaps(world: World) -> list[float]:
    return [b - a for a, b in pairwise(times(world.sent()))]


async def batches(world: World, campaign: UUID) -> list[Any]:
    return await world.rows("SELECT * FROM batch WHERE campaign = $1 ORDER BY number", campaign)


@pytest.mark.parametrize(
    ("contacts", "delay", "size", "pause", "scale", "most"),
    [
        (60, 3, 25, 30, 60, 1.8),  # a latency that added to the gaps would make it 2.5
        pytest.param(
            300,
            3,
            75,
            30,
            20,
            1.03,
            marks=pytest.mark.skipif("RELANCE_LONG" not in os.environ, reason="50 s: RELANCE_LONG=1 runs it"),
        ),
    ],
)
async def test_a_campaign_lasts_what_its_delay_batch_and_pause_say(
    opens: Opens, contacts: int, delay: int, size: int, pause: int, scale: int, most: float
) -> None:
    world = await opens(
        TIME_SCALE=str(scale), WASSENGER_RATE_LIMIT_SECONDS=str(delay), WASSENGER_BATCH_SIZE=str(size),
        WASSENGER_BATCH_PAUSE_SECONDS=str(pause), PACING_JITTER="0.25",
    )  # fmt: skip
    world.simulator.behave(latency_ms=100)
    campaign = await world.launch(contacts)
    await world.send_all(campaign, seconds=120)
    lasted = times(world.sent())[-1] - times(world.sent())[0]
    # From the first to the last, that is all gaps but the one after the last.
    planned = ((contacts - 1) * delay + (ceil(contacts / size) - 1) * pause) / scale
    assert 0.97 * planned <= lasted <= most * planned
    assert [row["attempted"] for row in await batches(world, campaign)] == [size] * (contacts // size) + [
        contacts % size
    ] * (contacts % size > 0)
    assert len({line["phone"] for line in world.sent()}) == contacts == len(world.sent())


async def test_gaps_are_drawn_and_their_mean_is_the_delay(opens: Opens) -> None:
    world = await opens(
        TIME_SCALE="20", WASSENGER_RATE_LIMIT_SECONDS="2", PACING_JITTER="0.5", WASSENGER_BATCH_SIZE="25"
    )
    campaign = await world.launch(25)
    await world.send_all(campaign)
    [batch] = await batches(world, campaign)
    drawn = [gap / 20 for gap in batch["gaps"]]
    assert sum(batch["gaps"]) == pytest.approx(25 * 2)
    assert len(set(drawn)) > 20
    assert statistics.correlation(gaps(world), drawn[:-1]) > 0.5  # fixed gaps have none with what was drawn


async def test_a_pause_acts_within_a_second_and_a_resume_sends_only_what_is_pending(opens: Opens) -> None:
    world = await opens(**FAST)
    world.simulator.behave(latency_ms=100)
    campaign = await world.launch(40)
    async with world.sending() as lane:
        await until(lambda: len(world.sent()) > 5)
        async with pool.connection() as conn:
            assert await transitions.pause(conn, campaign, holds="all", why="a person", by="test")
        await asyncio.wait_for(asyncio.shield(lane), 30)
    await world.settled()
    left = len(world.sent())
    await asyncio.sleep(0.5)
    assert len(world.sent()) == left < 40
    assert await world.statuses(campaign) == {"sent": left, "pending": 40 - left}
    assert [row["finished_why"] for row in await batches(world, campaign)] == ["paused"]
    async with pool.connection() as conn:
        assert await transitions.resume(conn, campaign, why="a person", by="test")
    await world.send_all(campaign)
    assert len(world.sent()) == len({line["phone"] for line in world.sent()}) == 40


async def test_a_pause_while_the_lane_waits_for_its_slot_closes_the_batch_for_good(opens: Opens) -> None:
    """What was lowered during the pause must not run on at the old pace."""
    world = await opens(TIME_SCALE="2", WASSENGER_RATE_LIMIT_SECONDS="4", WASSENGER_BATCH_SIZE="25")
    campaign = await world.launch(10)
    async with world.sending():
        await until(lambda: len(world.sent()) == 1)
        await asyncio.sleep(0.3)
        async with pool.connection() as conn:
            await transitions.pause(conn, campaign, holds="all", why="a person", by="test")
            await transitions.resume(conn, campaign, why="a person", by="test")
        await until(lambda: len(world.sent()) == 2)
    await world.settled()
    first, second = await batches(world, campaign)
    assert (first["attempted"], first["finished_why"], second["attempted"]) == (1, "paused", 1)


async def test_the_quota_is_exact_and_the_rest_waits_for_the_next_day(opens: Opens) -> None:
    world = await opens(**FAST, DAILY_MESSAGE_LIMIT="7")
    campaign = await world.launch(12)
    async with world.sending() as lane:
        await asyncio.wait_for(asyncio.shield(lane), 30)
    assert len(world.sent()) == 7
    assert await world.statuses(campaign) == {"sent": 7, "pending": 5}
    assert await world.value("SELECT used FROM quota_day") == 7
    assert await world.status(campaign) == "sending"
    await world.execute("UPDATE quota_day SET day = day - 1")
    await world.send_all(campaign)
    assert len(world.sent()) == 12


async def test_the_quota_is_exact_in_slices_of_many(opens: Opens) -> None:
    world = await opens(PACING_PROFILE="official", MESSAGES_PER_SECOND="500", DAILY_MESSAGE_LIMIT="137")
    campaign = await world.launch(300)
    async with world.sending() as lane:
        await asyncio.wait_for(asyncio.shield(lane), 30)
    assert await world.statuses(campaign) == {"sent": 137, "pending": 163}
    assert len(world.sent()) == 137


async def test_a_reached_limit_fails_the_rest_where_that_is_wanted(opens: Opens) -> None:
    world = await opens(**FAST, DAILY_MESSAGE_LIMIT="3", QUOTA_EXHAUSTED="fail")
    campaign = await world.launch(8)

    async def closed() -> bool:
        return [row["finished_why"] is not None for row in await batches(world, campaign)] == [True]

    async with world.sending():
        await until(closed)
    assert await world.statuses(campaign) == {"sent": 3, "failed": 5}
    row = await world.row("SELECT error_class, error_text FROM message WHERE status = 'failed' LIMIT 1")
    assert row["error_class"] == "quota" and "QUOTA_EXHAUSTED" in row["error_text"]


async def test_what_never_left_gives_its_quota_back(opens: Opens) -> None:
    world = await opens(**FAST)
    world.simulator.behave(phones={p: {"send": ["rate_limit", "ok"]} for p in phones(1)})
    campaign = await world.launch(2)
    await world.send_all(campaign)
    assert await world.value("SELECT used FROM quota_day") == 2


async def test_nothing_leaves_in_quiet_hours(opens: Opens) -> None:
    now = datetime.now(UTC)
    hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    world = await opens(**FAST)
    campaign = await world.launch(3, quiet_hours=hours)
    async with world.sending() as lane:
        await asyncio.wait_for(asyncio.shield(lane), 30)
    assert await world.statuses(campaign) == {"pending": 3} and world.sent() == []
    await world.execute(
        "UPDATE campaign SET quiet_hours = $1", f"{now + timedelta(hours=1):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    )
    await world.send_all(campaign)


async def test_quiet_hours_that_begin_while_the_lane_waits_hold_the_next_message(opens: Opens) -> None:
    world = await opens(TIME_SCALE="2", WASSENGER_RATE_LIMIT_SECONDS="4")
    campaign = await world.launch(3)
    async with world.sending() as lane:
        await until(lambda: len(world.sent()) == 1)
        now = datetime.now(UTC)
        hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
        await world.execute("UPDATE campaign SET quiet_hours = $1", hours)
        await asyncio.wait_for(asyncio.shield(lane), 30)
    assert await world.statuses(campaign) == {"sent": 1, "pending": 2}


async def test_the_quiet_hours_of_one_campaign_do_not_silence_another(opens: Opens) -> None:
    world = await opens(**FAST)
    now = datetime.now(UTC)
    quiet = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    night, day = await world.launch(phones(3), quiet_hours=quiet), await world.launch(phones(3, 100))

    async def done() -> bool:
        return await world.status(day) == "waiting"

    async with world.sending() as lane:
        await until(done)
        await asyncio.wait_for(asyncio.shield(lane), 30)
    assert await world.statuses(night) == {"pending": 3}
    assert await world.value("SELECT not_before > now() FROM sender WHERE id = $1", world.sender)


async def settle(world: World, campaign: UUID, sent: int, failed: int) -> None:
    """Settle the first Message 1 rows of a campaign as earlier batches would have."""
    await world.execute(
        "WITH first AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM message"
        " WHERE campaign = $1 AND status = 'pending')"
        " UPDATE message m SET status = CASE WHEN n <= $2::int THEN 'sent' ELSE 'failed' END,"
        " why = 'test', moved_by = 'test', promised_at = now(), sent_at = now(), failed_at = now(),"
        " error_class = 'refused', error_text = 'test' FROM first WHERE first.id = m.id AND n <= $2::int + $3::int",
        campaign, sent, failed,
    )  # fmt: skip


@pytest.mark.parametrize(("sent", "failed", "delay"), [(18, 1, 3), (19, 1, 3), (18, 2, 4.5)])
async def test_the_delay_grows_above_5_percent_from_20_attempts_on(
    opens: Opens, sent: int, failed: int, delay: float
) -> None:
    world = await opens(**FAST)
    campaign = await world.launch(sent + failed + 3)
    await settle(world, campaign, sent, failed)
    await world.send_all(campaign)
    [batch] = await batches(world, campaign)
    assert (batch["base_delay"], batch["delay"]) == (3, delay)
    assert ("above" in batch["adjustment"]) is (delay > 3) or "not above" in batch["adjustment"]
    assert sum(gaps(world)) > 2 * delay / 60 * 0.5  # the first may be late, and the next on time again


async def test_above_20_percent_from_10_attempts_the_breaker_pauses_with_reason_and_alert(opens: Opens) -> None:
    world = await opens(**FAST)
    bad = {p: {"send": "bad_request"} for p in phones(30)[::3]}
    world.simulator.behave(phones=bad)
    campaign = await world.launch(30)

    async def paused() -> bool:
        return await world.status(campaign) == "paused"

    async with world.sending():
        await until(paused)
    await world.settled()
    row = await world.row("SELECT why, holds, moved_by FROM campaign WHERE id = $1", campaign)
    assert row["why"].startswith("circuit breaker: error rate ") and "is above 20.0 %" in row["why"]
    assert (row["holds"], row["moved_by"]) == ("message_1", "breaker")
    done = await world.statuses(campaign)
    assert 10 <= done["failed"] + done["sent"] < 30 and "sending" not in done
    assert await world.alerts() == {"breaker"}
    async with pool.connection() as conn:  # a person looked at it: only what comes counts now
        await transitions.resume(conn, campaign, why="a person", by="test")
    world.simulator.behave(phones={p: {"send": "ok"} for p in bad})
    await world.send_all(campaign)


async def test_the_breaker_hears_of_failures_that_the_gateway_reports_later(opens: Opens) -> None:
    world = await opens(TIME_SCALE="20", WASSENGER_RATE_LIMIT_SECONDS="3", WASSENGER_BATCH_SIZE="100")
    campaign = await world.launch(40)
    await settle(world, campaign, 12, 0)

    async def paused() -> bool:
        return await world.status(campaign) == "paused"

    async with world.sending():
        await until(lambda: len(world.sent()) > 2)
        async with pool.connection() as conn:
            rows = await conn.fetch("SELECT id FROM message WHERE status = 'sent' AND batch IS NULL LIMIT 5")
            failures = [transitions.Failure(message=r["id"], error_class="reported", error_text="463") for r in rows]
            await transitions.fail(conn, failures, by="gateway")
        await until(paused, what="the breaker")
    assert len(world.sent()) < 28


async def test_a_changed_configuration_governs_the_next_batch_and_not_the_open_one(opens: Opens) -> None:
    world = await opens(**FAST, WASSENGER_BATCH_PAUSE_SECONDS="0")
    campaign = await world.launch(50)
    async with world.sending():
        await until(lambda: len(world.sent()) > 3)
        await world.execute(
            "INSERT INTO setting (key, value, changed_by) VALUES ('WASSENGER_RATE_LIMIT_SECONDS', '6', 'a person')"
        )
        await until(lambda: len(world.sent()) == 30)
    first, second = await batches(world, campaign)
    assert (first["delay"], second["delay"]) == (3, 6)
    seen = gaps(world)
    assert 0.85 < sum(seen[4:24]) / (20 * 3 / 60) < 1.85
    assert sum(seen[25:29]) > 0.85 * 4 * 6 / 60


async def test_a_pace_that_cannot_be_used_pauses_its_campaign_and_not_the_others(opens: Opens) -> None:
    world = await opens(**FAST)
    broken = await world.launch(phones(3), pacing={"delay": 1})  # no profile allows it
    sound = await world.launch(phones(3, 100))

    async def done() -> bool:
        return await world.status(sound) == "waiting"

    async with world.sending() as lane:
        await until(done)
        assert lane.done() is False or lane.exception() is None
    row = await world.row("SELECT status, why FROM campaign WHERE id = $1", broken)
    assert row["status"] == "paused" and "out of range" in row["why"]
    assert await world.statuses(sound) == {"sent": 3}


async def test_two_campaigns_on_one_number_take_turns_batch_by_batch(opens: Opens) -> None:
    world = await opens(**FAST | {"TIME_SCALE": "120"}, WASSENGER_BATCH_PAUSE_SECONDS="0")
    one = await world.launch(phones(60))
    two = await world.launch(phones(60, 200))
    async with world.sending():
        await until(lambda: len(world.sent()) == 120)
    turns = await world.rows("SELECT campaign, attempted FROM batch ORDER BY started_at")
    assert [row["campaign"] for row in turns] == [one, two, one, two, one, two]
    assert [row["attempted"] for row in turns] == [25, 25, 25, 25, 10, 10]
    assert times(world.sent())[-1] - times(world.sent())[0] > 119 * 3 / 120 - 0.25


async def test_two_numbers_are_paced_independently(opens: Opens) -> None:
    world = await opens(**FAST)
    other = await world.add_sender(OTHER_DEVICE, pacing=json.dumps({"delay": 6}))
    fast, slow = await world.launch(20), await world.launch(phones(10, 500), sender=other)

    async def done() -> bool:
        return {await world.status(fast), await world.status(slow)} == {"waiting"}

    async with world.sending(), world.sending(other):
        await until(done)
    by_device: dict[str, list[float]] = {}
    for line in world.sent():
        by_device.setdefault(line["device"], []).append(line["time"])
    assert len(by_device[OTHER_DEVICE]) == 10
    theirs = by_device[OTHER_DEVICE]
    [mine] = [at for device, at in by_device.items() if device != OTHER_DEVICE]
    assert theirs[-1] - theirs[0] > 9 * 0.1 - 0.1
    assert mine[-1] - mine[0] > 19 * 0.05 - 0.1
    assert max(mine[0], theirs[0]) < min(mine[-1], theirs[-1])  # neither waited for the other to end


async def test_who_opts_out_meanwhile_is_not_sent_to_and_stalls_nobody(opens: Opens) -> None:
    world = await opens(**FAST)
    campaign = await world.launch(10)
    gone = [
        row["id"]
        for row in await world.rows(
            "UPDATE contact SET opted_out_at = now() WHERE phone = ANY($1) RETURNING id",
            phones(10)[4:7] + phones(10)[9:],
        )
    ]
    await world.send_all(campaign)
    assert await world.statuses(campaign) == {"sent": 6, "cancelled": 4}
    assert await world.states(campaign) == {"awaiting_reply": 6, "opted_out": 4}
    assert len(world.sent()) == 6 and len(gone) == 4


async def test_a_batch_of_a_dead_lane_is_resumed_at_its_first_unsent_message(opens: Opens) -> None:
    world = await opens(**FAST)
    campaign = await world.launch(20)
    async with world.sending():
        await until(lambda: len(world.sent()) >= 5)
    await world.send_all(campaign)
    [batch] = await batches(world, campaign)
    assert batch["attempted"] == 20 == len({line["phone"] for line in world.sent()}) == len(world.sent())


async def test_after_a_rate_limit_nothing_leaves_for_a_minute_not_even_what_had_its_slot(opens: Opens) -> None:
    world = await opens(TIME_SCALE="20", WASSENGER_RATE_LIMIT_SECONDS="10")  # gap 0.5 s, hold 3 s
    world.simulator.behave(send="rate_limit", latency_ms=30)
    campaign = await world.launch(3)

    def refused() -> bool:
        return "429" in json.dumps(world.simulator.requests())

    async with world.sending():
        await until(refused)
        began = time.time()
        world.simulator.behave(send="ok")
        await until(lambda: len(world.sent()) == 3)
    assert times(world.sent())[0] - began > 60 / 20 - 0.1
    assert min(gaps(world)) > 0.25
    assert await world.value("SELECT max(retries) FROM message WHERE campaign = $1", campaign) == 0


async def test_a_process_that_hung_does_not_catch_up(opens: Opens) -> None:
    """A slot that was missed is void: the next gap counts from the real write."""
    world = await opens(TIME_SCALE="10", WASSENGER_RATE_LIMIT_SECONDS="10")  # a gap of 1 s
    campaign = await world.launch(4)
    async with world.sending():
        await until(lambda: len(world.sent()) == 1)
        await asyncio.sleep(0.75)  # the second is promised, its slot a quarter of a second away
        time.sleep(1.2)
        await until(lambda: len(world.sent()) == 4)
    assert await world.statuses(campaign) == {"sent": 4}
    assert min(gaps(world)) > 0.5


async def test_a_hanging_process_does_not_catch_up_within_a_slice(opens: Opens) -> None:
    world = await opens(PACING_PROFILE="official", MESSAGES_PER_SECOND="50")
    await world.launch(60)
    async with world.sending():
        await until(lambda: len(world.sent()) > 5)
        time.sleep(1.0)
        await until(lambda: len(world.sent()) == 60)
    seen = times(world.sent())
    # What was missed by a quarter of a second at most may be made up for; half a second's worth was promised.
    assert max(sum(at <= other < at + 0.2 for other in seen) for at in seen) <= (0.2 + 0.25) * 50 + 2


async def test_without_redis_it_goes_on_at_the_same_pace_and_never_faster(
    opens: Opens, servers: embedded.Servers
) -> None:
    assert servers.valkey is not None
    world = await opens(TIME_SCALE="10", WASSENGER_RATE_LIMIT_SECONDS="5")  # a gap of 0.5 s
    campaign = await world.launch(9)
    async with world.sending():
        await until(lambda: len(world.sent()) == 2)
        servers.valkey.freeze()
        try:
            await until(lambda: len(world.sent()) == 4)
        finally:
            servers.valkey.thaw()
        await world.process.redis.flushall()
        await until(lambda: len(world.sent()) == 6)
        servers.valkey.kill()
        try:
            await until(lambda: len(world.sent()) == 8)
        finally:
            servers.valkey.start()
        await until(lambda: len(world.sent()) == 9)
    first, *later = times(world.sent())
    # A send may be late by what a slot may be missed by, and the next one be on time again; no slot may be gained.
    assert all(at - first > n * 0.5 - 0.3 for n, at in enumerate(later, 1)), gaps(world)
    assert await world.statuses(campaign) == {"sent": 9}


async def test_a_slow_gateway_does_not_make_the_lane_promise_ahead_of_it(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.lane.IN_FLIGHT", 20)
    world = await opens(PACING_PROFILE="official", MESSAGES_PER_SECOND="200")
    world.simulator.behave(latency_ms=300)
    campaign = await world.launch(phones(400))
    most = 0
    async with world.sending():
        for _ in range(15):
            await asyncio.sleep(0.1)
            most = max(most, (await world.statuses(campaign)).get("sending", 0))
    assert 0 < most <= 20 + 2 * 80  # calls in flight, the slice being sent, the one promised behind it


async def test_a_new_campaign_does_not_wait_for_the_retries_of_another(opens: Opens) -> None:
    world = await opens(TIME_SCALE="3", WASSENGER_RATE_LIMIT_SECONDS="2")
    one = await world.launch(1)
    await world.execute("UPDATE message SET next_at = now() + interval '20 s', retries = 1 WHERE campaign = $1", one)
    async with world.sending():
        await asyncio.sleep(0.3)
        two = await world.launch(phones(1, 50))
        await until(lambda: world.sent())
    assert world.sent()[0]["phone"] == phones(1, 50)[0]
    assert await world.statuses(two) == {"sent": 1}


async def test_a_stopped_sender_is_blocked_its_campaigns_paused_and_a_person_told(opens: Opens) -> None:
    world = await opens(**FAST)
    world.simulator.behave(send="unauthorized")
    one, two = await world.launch(10), await world.launch(phones(5, 50))
    async with world.sending() as lane:
        await asyncio.wait_for(asyncio.shield(lane), 30)
    await world.settled()
    assert await world.value("SELECT state FROM sender WHERE id = $1", world.sender) == "blocked"
    assert [await world.status(c) for c in (one, two)] == ["paused", "paused"]
    assert await world.alerts() == {"sender_blocked"}
    assert await world.statuses(one) == {"pending": 10} and world.sent() == []
    assert await world.value("SELECT max(retries) FROM message") == 0
    assert await world.value("SELECT coalesce(sum(used), 0) FROM quota_day") == 0
    assert await lease.take(world.sender) is None


async def test_counters_batches_and_quota_agree_with_the_rows(opens: Opens) -> None:
    world = await opens(**FAST, CIRCUIT_BREAKER_THRESHOLD="1")
    world.simulator.behave(phones={p: {"send": "bad_request"} for p in phones(40)[::4]})
    campaign = await world.launch(40)
    await world.send_all(campaign)
    assert await world.statuses(campaign) == {"sent": 30, "failed": 10}
    counted = await world.row(
        "SELECT sum(total) AS total, sum(pending) AS pending, sum(sent) AS sent, sum(send_failed) AS failed"
        " FROM campaign_stats"
    )
    assert tuple(counted) == (40, 0, 30, 10)
    noted = await world.row("SELECT sum(attempted) AS attempted, sum(sent) AS sent, sum(failed) AS failed FROM batch")
    assert tuple(noted) == (40, 30, 10)
