"""The web process beats, misses a scheduler, and then delivers the alerts itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from local import embedded
from tests.simulator.receiver import running_receiver
from tests.simulator_process import until
from tests.web.serving import environment_of, serving


async def test_a_missing_scheduler_is_told_by_the_web_process_until_one_leads(
    servers: embedded.Servers, template: str, own_log: Path
) -> None:
    name = f"relance_vigil_{os.getpid()}"
    url = servers.create_database(name, template)
    conn = await asyncpg.connect(url)
    async with running_receiver() as receiver:
        env = environment_of(url, servers.redis_url) | {
            "ALERT_URLS": receiver.url.replace("http://", "json://"),
            "WORKER_DOWN_ALERT_SECONDS": "2",
        }
        with serving(env, own_log) as web:
            async with web.client() as client:

                async def shown() -> list[dict[str, Any]]:
                    raised = (await client.get("/api/alerts", params={"open": True})).json()["items"]
                    return [one for one in raised if one["kind"] == "scheduler_down" and one["told_at"]]

                [alert] = await until(shown, seconds=60, what="the alert")
                assert (alert["news"], alert["news_error"], alert["subject"]) == (None, None, "scheduler")
                assert receiver.bodies[0]["title"] == "Relance: scheduler down"
                await _beats(client)
                await conn.execute(
                    "INSERT INTO leader (name, owner, until) VALUES ('scheduler', gen_random_uuid(), now() + '1 hour')"
                )

                async def over() -> bool:
                    return bool((await client.get("/api/alerts?limit=1")).json()["items"][0]["resolved_at"])

                await until(over, seconds=60, what="its end")
        ended = await conn.fetchval("SELECT ended_at FROM heartbeat WHERE kind = 'web'")
        assert ended is not None  # it stopped in good order
        await conn.close()
        servers.drop_database(name)


async def _beats(client: httpx.AsyncClient) -> None:
    seen = (await client.get("/api/monitoring")).json()["processes"]
    assert [(one["kind"], one["alive"]) for one in seen] == [("web", True)]
