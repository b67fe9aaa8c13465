"""The whole way with real processes: a worker is killed, a person is told; it is replaced, a person is told."""

from __future__ import annotations

import os
import signal

from tests.actors.crew import Crew
from tests.actors.world import Memory
from tests.simulator.receiver import Receiver, running_receiver
from tests.simulator_process import until


def told(receiver: Receiver, title: str, word: str) -> bool:
    return any(body["title"] == title and word in body["message"] for body in receiver.bodies)


async def test_a_killed_worker_is_told_once_and_so_is_its_replacement(memory: Memory, crew: Crew) -> None:
    async with running_receiver() as receiver:
        secret = "the-operators-t0ken"
        address = receiver.url.replace("http://", "json://") + f"?+X-Token={secret}"
        watched = {
            "ALERT_URLS": address,
            "WORKER_DOWN_ALERT_SECONDS": "3",
            "HEARTBEAT_URL": f"{receiver.url}?ping={secret}",
        }
        worker, _ = crew.start("worker"), crew.start("replies")

        async def beats() -> bool:
            return bool(
                await memory.value(
                    "SELECT count(DISTINCT kind) = 2 FROM heartbeat WHERE kind IN ('worker', 'replies')"
                    " AND beat_at > now() - interval '2 seconds'"
                )
            )

        await until(beats, seconds=60, what="both workers")
        crew.start("scheduler", **watched)
        await until(lambda: receiver.gets >= 1, seconds=60, what="the ping: all is well")
        os.killpg(worker.pid, signal.SIGKILL)
        await until(lambda: told(receiver, "Relance: worker down", "1 worker process"), seconds=60, what="the alert")
        crew.start("worker")
        await until(lambda: told(receiver, "Relance: worker down (over)", "1 worker"), seconds=60, what="its end")
        titles = [body["title"] for body in receiver.bodies if "1 worker process" in body["message"]]
        assert titles == ["Relance: worker down", "Relance: worker down (over)"]
        assert secret not in crew.words()
        assert "Traceback" not in crew.words()
