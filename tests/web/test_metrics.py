from __future__ import annotations

import os
import re
from pathlib import Path
from uuid import uuid4

import httpx

from local import embedded
from tests.simulator_process import until
from tests.web.conftest import Makes
from tests.web.serving import Web, environment_of, serving, watching


async def _figures(web: Web) -> dict[str, float]:
    """Return every sample of the page by its name and labels."""
    async with httpx.AsyncClient(base_url=web.url) as stranger:
        answer = await stranger.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = re.findall(r"^(\w[^ #]*?(?:\{[^}]*\})?) ([\d.e+-]+)$", answer.text, re.MULTILINE)
    return {name: float(value) for name, value in samples}


def _count(method: str, route: str, status: int) -> str:
    labels = f'method="{method}",route="{route}",status="{status}"'
    return f"relance_http_request_seconds_count{{{labels}}}"


async def test_every_endpoint_is_timed_by_its_template_never_by_its_path(
    web: Web, api: httpx.AsyncClient, new_campaign: Makes
) -> None:
    made = await new_campaign()
    before = await _figures(web)
    await api.get(f"/api/campaigns/{made['id']}")
    await api.get(f"/api/campaigns/{uuid4()}")
    await api.get(f"/nowhere/{uuid4()}")
    after = await _figures(web)
    one = "/api/campaigns/{campaign_id}"
    for name in (_count("GET", one, 200), _count("GET", one, 404), _count("(none)", "(none)", 404)):
        assert after[name] - before.get(name, 0) == 1
    assert not any(made["id"] in name for name in after)


async def test_a_stream_is_timed_to_its_first_byte_and_counted_while_it_is_open(
    web: Web, api: httpx.AsyncClient
) -> None:
    name = _count("GET", "/api/events", 200)
    before = await _figures(web)
    async with watching(api, "/api/events"):
        after = await _figures(web)
        assert after[name] - before.get(name, 0) == 1
        assert after["relance_http_requests_open"] >= 2  # the stream, and the one that asks


async def test_a_slow_request_is_logged_by_its_template(
    servers: embedded.Servers, template: str, own_log: Path
) -> None:
    name = f"relance_slow_{os.getpid()}"
    env = environment_of(servers.create_database(name, template), servers.redis_url)
    with serving(env | {"SLOW_REQUEST_SECONDS": "0.001"}, own_log) as web:
        async with web.client() as client:
            await client.get("/api/messages/stats")
        assert await until(lambda: web.logged(event="slow request", route="/api/messages/stats"), what="the line")
        [line] = web.logged(event="slow request", route="/api/messages/stats")
        assert (line["level"], line["status"]) == ("warning", 200)
        slow = (await _figures(web))['relance_http_slow_requests_total{route="/api/messages/stats"}']
        assert slow == 1
    servers.drop_database(name)
