"""The master of the workers is killed, or the supervisor: their children end with them, and nothing stays."""

from __future__ import annotations

import os
import signal
from functools import partial

from local import place, stack
from local.supervise import Supervisor, read_procfile, render
from tests.crash.judge import assert_right
from tests.crash.process import alive
from tests.crash.stage import Ground, scene
from tests.simulator_process import until


@scene(seconds=20)
async def test_master_of_the_workers_killed_its_child_ends_and_all_is_sent_once(ground: Ground) -> None:
    async with ground.system() as system:
        campaign = await system.books.launched(12)
        await until(lambda: len(system.simulator.ledger()) >= 3, seconds=60, what="three messages")
        worker = system.only("worker")
        master, *children = worker.tree()
        assert children
        os.kill(master, signal.SIGKILL)
        worker.popen.wait()
        await until(partial(_all_ended, children), seconds=30, what="the child to end")
        # It was told to end, not killed: what it had promised is settled, nothing is in doubt.
        assert await system.books.in_doubt() == 0
        await system.bring_back()
        await system.books.all_left(campaign)
        await assert_right(system, campaign)


@scene(seconds=40)
async def test_supervisor_killed_nothing_stays_and_its_successor_goes_on(ground: Ground) -> None:
    lines = {name: command for name, command in read_procfile().items() if name != "release"}
    async with ground.system(start=()) as system:
        folder = place.own_folder(place.socket_base(system.logs.parent, system.logs.parent) / "s", private=True)
        configuration = render(lines, {}, socket=folder / "s", logs=system.logs)
        campaign = await system.books.launched(14)
        for last in (False, True):
            supervisor = Supervisor(configuration, run=folder, logs=system.logs, environment=system.environment)
            supervisor.start()
            try:
                if last:
                    await system.books.all_left(campaign)
                    break
                await until(lambda: len(system.simulator.ledger()) >= 3, seconds=60, what="three messages")
                pids = _tree(supervisor.pid)
                assert len(pids) >= 1 + len(lines) + 2  # every line, and the children of the two masters
                os.kill(supervisor.pid, signal.SIGKILL)
                await until(partial(_all_ended, pids), seconds=30, what="everything to end")
            finally:
                supervisor.stop()
        await assert_right(system, campaign)


def _all_ended(pids: list[int]) -> bool:
    return not any(alive(pid) for pid in pids)


def _tree(pid: int) -> list[int]:
    tree = [pid]
    for parent in tree:  # grows while it is walked
        tree += stack.children(parent)
    return tree
