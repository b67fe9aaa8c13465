"""The link to the gateway is cut while a message is being written, and comes back: the kernel sends nothing late.

The worker lives in a network namespace of its own; its only way to the gateway is a pair of virtual interfaces.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.crash.claims import claims_of
from tests.crash.judge import assert_right, lines_of
from tests.crash.stage import Ground, scene
from tests.simulator_process import until

NAME = f"rl{os.getpid() % 100_000}"
CALL_SECONDS = 8.5
"""From a promise to the end of its call: it is written within 4 s, or never; the call has 5 s in all."""
OURS, THEIRS = "10.231.77.1", "10.231.77.2"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextmanager
def link() -> Iterator[None]:
    """A namespace, and the link to it."""
    if os.geteuid() != 0:
        pytest.skip("a network namespace needs root")
    if shutil.which("ip") is None:
        pytest.skip("a network namespace needs iproute2 (the program ip)")
    try:
        _ip("netns", "add", NAME)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine allows no network namespace: {error.stderr.strip()}")
    try:
        _ip("link", "add", f"{NAME}a", "type", "veth", "peer", "name", f"{NAME}b", "netns", NAME)
        _ip("addr", "add", f"{OURS}/30", "dev", f"{NAME}a")
        _ip("link", "set", f"{NAME}a", "up")
        _ip("-n", NAME, "addr", "add", f"{THEIRS}/30", "dev", f"{NAME}b")
        _ip("-n", NAME, "link", "set", f"{NAME}b", "up")
        _ip("-n", NAME, "link", "set", "lo", "up")
        yield
    finally:
        subprocess.run(["ip", "link", "del", f"{NAME}a"], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", NAME], check=False, capture_output=True)


@scene(seconds=50)
async def test_link_cut_and_back_while_a_message_is_written_nothing_arrives_late(ground: Ground) -> str:
    # A gateway that is not on loopback gets real waits: a message every two seconds, on connections kept alive.
    settings = {"TIME_SCALE": "1", "RETRY_BASE_DELAY_SECONDS": "1", "MAX_RETRY_ATTEMPTS": "10"}
    with link():
        async with ground.system(senders=2, start=("scheduler",), settings=settings, listen=OURS) as system:
            campaigns = [await system.books.launched(12, sender=number) for number in range(2)]
            async with claims_of(system.books) as claims:
                (worker,) = system.start("worker", prefix=f"ip netns exec {NAME}")
                await until(lambda: len(system.simulator.ledger()) >= 4, seconds=60, what="four messages")
                while not claims.empty():
                    claims.get_nowait()
                caught = {(await asyncio.wait_for(claims.get(), 30)).message}
                _ip("link", "set", f"{NAME}a", "down")
                cut = time.time()
                # Past the deadline of the call that is being written, and short of what a kernel would try for.
                await asyncio.sleep(11)
                while not claims.empty():
                    caught.add(claims.get_nowait().message)
                _ip("link", "set", f"{NAME}a", "up")
            back = time.time()
            await system.books.all_left(*campaigns, seconds=120)
            await assert_right(system, *campaigns)
            promises = await system.books.rows(
                "SELECT m.phone, array_agg(extract(epoch FROM e.at)::float8 ORDER BY e.id) AS at FROM event e"
                " JOIN message m ON m.id = e.subject_id WHERE e.new = 'sending' AND m.id = ANY($1::uuid[]) GROUP BY 1",
                list(caught),
            )
            again = [row for row in promises if len(row["at"]) > 1]
            late = [row["phone"] for row in promises if _is_late(row["at"], lines_of(system, row["phone"])[0]["time"])]
            assert again, "no message was under way when the link was cut"
            assert late == []
            assert worker.lives
            return (
                f"link cut for {back - cut:.1f} s: {len(caught)} promises met it, {len(again)} were promised again,"
                f" {len(late)} arrived late"
            )


def _is_late(promises: list[float], taken: float) -> bool:
    """Whether the gateway took a message after the deadline of the call that was to bring it."""
    return taken - max(at for at in promises if at < taken) > CALL_SECONDS
