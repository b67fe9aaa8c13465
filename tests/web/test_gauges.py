"""What /metrics says of the service, and that the Grafana dashboard asks for nothing else."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import asyncpg
import httpx

from local import embedded, place, stack
from models import transitions
from models.queries import sql
from tests import worlds
from tests.simulator_process import until
from tests.web.serving import Web, environment_of, serving

DASHBOARD = json.loads((place.ROOT / "docs" / "grafana" / "relance.json").read_text())


async def samples(web: Web) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=web.url) as stranger:
        text = (await stranger.get("/metrics")).text
    found = re.findall(r"^(relance_\w+(?:\{.*\})?) ([\d.e+-]+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in found}


async def test_the_service_is_told_from_the_database_and_the_dashboard_asks_for_nothing_else(
    servers: embedded.Servers, template: str, own_log: Path
) -> None:
    name = f"relance_gauges_{os.getpid()}"
    url = servers.create_database(name, template)
    conn = await asyncpg.connect(url)
    running, _, promises = await worlds.promised(conn, 3)
    facts = [worlds.fact(p.message, accept_ms=40.0) for p in promises[:2]]
    await transitions.accept(conn, facts, by="test")
    await conn.execute("INSERT INTO alert (kind, subject, text) VALUES ('test', 'x', 'x')")
    await sql.store_webhook(
        conn, event_key="k", kind="message:in:new", device_id=None, from_person=True, body=b"{}", unreadable=None
    )
    with serving(environment_of(url, servers.redis_url) | {"SLOW_REQUEST_SECONDS": "0.001"}, own_log) as web:
        async with web.client() as client:
            await client.get("/api/monitoring")  # a slow one, by this measure
        seen = await until(lambda: _whole(web), seconds=30, what="the figures")
        assert seen is not None
        assert seen['relance_messages_sent{step="1"}'] == 2
        assert seen["relance_messages_pending"] == 1
        assert seen['relance_messages_open{status="sending"}'] == 1
        assert seen['relance_alerts_open{kind="test"}'] == 1
        assert seen['relance_inbox_waiting{from="people"}'] == 1
        assert seen['relance_campaigns{status="sending"}'] == 1
        assert seen['relance_accept_seconds{quantile="0.5"}'] == 0.04
        assert seen[f'relance_sender_state{{name="A number",sender="{running.sender}",state="ready"}}'] == 1
        assert (seen["relance_database_up"], seen["relance_redis_up"]) == (1, 1)
        targets = [target for panel in DASHBOARD["panels"] for target in panel["targets"]]
        told = {re.sub(r"\{.*", "", one) for one in seen}
        asked = {
            one for p in DASHBOARD["panels"] for t in p["targets"] for one in re.findall(r"relance_\w+", t["expr"])
        }
        assert asked <= told, asked - told
        labels = {one for name in seen for one in re.findall(r'[{,](\w+)="', name)}
        shown = [target["expr"] + target["legendFormat"] for target in targets]
        used = {one for text in shown for group in re.findall(r"by \(([^)]*)\)|\{\{(\w+)\}\}", text)
                for one in re.split(r",\s*", "".join(group))}  # fmt: skip
        assert used <= labels, used - labels
    await conn.close()
    servers.drop_database(name)


async def _whole(web: Web) -> dict[str, float] | None:
    """Wait for the figures with this process's own heartbeat in them."""
    seen = await samples(web)
    return seen if 'relance_processes_alive{kind="web"}' in seen else None


async def test_without_a_database_the_figures_say_so(own_log: Path) -> None:
    nowhere = f"127.0.0.1:{stack.free_port()}"
    env = environment_of(f"postgresql://relance@{nowhere}/x", f"redis://{nowhere}/0")
    with serving(env, own_log) as web:
        seen = await samples(web)
    assert seen["relance_database_up"] == 0
    assert not any(name.startswith("relance_messages") for name in seen)
