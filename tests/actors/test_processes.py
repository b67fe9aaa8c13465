from __future__ import annotations

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from uuid import UUID

import pytest

from actors.wake import wake
from local.stack import children
from tests.actors.conftest import Opens
from tests.actors.crew import Crew
from tests.actors.people import inbound, phones
from tests.actors.world import World
from tests.simulator_process import until

OFFICIAL = '{"profile": "official", "rate": 50}'


async def known(world: World, kind: str, many: int = 1) -> None:
    """Wait until so many processes of a kind beat, this one not counted."""

    async def beats() -> bool:
        query = "SELECT count(*) FROM heartbeat WHERE kind = $1 AND pid <> $2 AND beat_at > now() - interval '2 s'"
        return bool(await world.value(query, kind, os.getpid()) >= many)

    await until(beats, seconds=20, what=f"{many} {kind}")


async def gone(process: subprocess.Popen[bytes], seconds: float) -> None:
    await until(lambda: process.poll() is not None, seconds=seconds, what="the end of the process")


async def test_a_wake_up_starts_its_actor_at_once(
    world: World, crew: Crew, record_property: Callable[[str, object], None]
) -> None:
    crew.start("replies")
    await known(world, "replies")
    took = []
    for _ in range(20):
        inbox = await world.store(inbound("update_edit", phones(1)[0]).replace(b"message:update", b"message:reaction"))

        async def digested(inbox: UUID | None = inbox) -> bool:
            return bool(await world.value("SELECT digested_at IS NOT NULL FROM inbox WHERE id = $1", inbox))

        began = time.time()
        wake("handle_interaction", inbox)
        await until(digested)
        at = await world.value("SELECT digested_at FROM inbox WHERE id = $1", inbox)
        took.append((at.timestamp() - began) * 1000)
    median = statistics.median(took)
    record_property("figures", f"from wake to digested: median {median:.1f} ms, worst {max(took):.1f} ms")
    assert min(took) < 200  # a polling consumer takes 250 ms


async def test_a_webhook_brings_message_2_at_once(
    world: World, crew: Crew, record_property: Callable[[str, object], None]
) -> None:
    numbers = phones(20)
    await world.reached(numbers)
    crew.start("replies")
    await known(world, "replies")
    took = []
    for number, phone in enumerate(numbers):
        began = time.time()
        wake("handle_interaction", await world.store(inbound("in_new_text", phone)))
        await until(lambda number=number: len(world.sent()) > number)  # type: ignore[misc]
        took.append((world.sent()[-1]["time"] - began) * 1000)
    median = statistics.median(took)
    record_property("figures", f"from webhook to Message 2: median {median:.1f} ms, worst {max(took):.1f} ms")
    assert sorted(line["phone"] for line in world.sent()) == sorted(numbers)


async def test_a_killed_workers_batch_is_resumed_by_another_at_its_first_unsent_message(
    opens: Opens, crew: Crew
) -> None:
    pace = {"TIME_SCALE": "10", "WASSENGER_RATE_LIMIT_SECONDS": "5", "WASSENGER_BATCH_SIZE": "25"}  # a gap of 0.5 s
    world = await opens(**pace)
    campaign = await world.launch(8)
    first = crew.start("worker", **pace)
    await known(world, "worker")
    wake("send_batch", world.sender)

    async def three() -> bool:
        return (await world.statuses(campaign)).get("sent", 0) == 3

    await until(three)
    os.killpg(first.pid, signal.SIGKILL)
    second = crew.start("worker", **pace)
    await known(world, "worker")
    assert await world.statuses(campaign) == {"sent": 3, "pending": 5}
    await world.execute("UPDATE sender SET lease_until = now()")  # its ten seconds are over
    wake("send_batch", world.sender)
    await until(lambda: len(world.sent()) == 8)
    assert len({line["phone"] for line in world.sent()}) == 8
    [batch] = await world.rows("SELECT number, attempted FROM batch")
    assert tuple(batch) == (1, 8)
    assert second.poll() is None


@pytest.mark.parametrize("how", ["to the master", "twice to the group"])
async def test_sigterm_drains_and_leaves_nothing_half_sent(world: World, crew: Crew, how: str) -> None:
    await world.execute("UPDATE sender SET pacing = $1", OFFICIAL)
    world.simulator.behave(latency_ms=400)
    campaign = await world.launch(500)
    worker = crew.start("worker")
    await known(world, "worker")
    wake("send_batch", world.sender)
    await until(lambda: len(world.sent()) > 30)
    if how == "to the master":
        worker.terminate()
    else:
        os.killpg(worker.pid, signal.SIGTERM)
        time.sleep(0.1)
        os.killpg(worker.pid, signal.SIGTERM)
    await gone(worker, 20)
    statuses = await world.statuses(campaign)
    assert statuses == {"sent": len(world.sent()), "pending": 500 - len(world.sent())}, crew.words()[-3000:]
    assert await world.value("SELECT lease_until IS NULL FROM sender WHERE id = $1", world.sender)
    assert "Traceback" not in crew.words()


async def test_the_workers_end_with_their_master(world: World, crew: Crew) -> None:
    """However early: a child that boots when its master is killed would wait for ever to report to it."""
    worker = crew.start("worker")
    await known(world, "worker")
    family = children(worker.pid)
    assert family
    worker.kill()
    worker.wait()
    await until(lambda: not any(_lives(child) for child in family), seconds=15, what="the end of the children")


async def test_a_lane_full_of_message_1_delays_no_reply_and_holds_no_thread(opens: Opens, crew: Crew) -> None:
    pace = {"TIME_SCALE": "1", "WASSENGER_RATE_LIMIT_SECONDS": "10"}
    world = await opens(**pace)
    senders = [world.sender, *[await world.add_sender(f"{n:024x}") for n in range(1, 12)]]
    for number, sender in enumerate(senders):
        await world.launch(phones(2, 100 * number), sender=sender)
    crew.start("worker", **pace)
    await known(world, "worker")
    for sender in senders:
        wake("send_batch", sender)

    async def all_run() -> bool:
        return bool(await world.value("SELECT count(*) FROM sender WHERE lease_until > now()") >= 12)

    await until(all_run, what="twelve lanes in one process of eight threads")
    wake("sweep_campaigns")
    wake("refresh_stats", await world.value("SELECT id FROM campaign LIMIT 1"))

    async def refreshed() -> bool:
        return bool(await world.value("SELECT count(*) FROM campaign_minute"))

    await until(refreshed)  # were the threads held, not before ten seconds per message are over


def _command(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _lives(pid: int) -> bool:
    return bool(_command(pid))
