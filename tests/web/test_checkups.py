"""What the gateway says about a number, asked over HTTP, and its webhook registered by one call."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from asyncpg import Connection, Record

from local import embedded
from tests.simulator_process import DEVICE, TOKEN, Simulator, running_simulator
from tests.web.conftest import problem
from tests.web.serving import Web, environment_of, serving
from tests.worlds import new_sender


@pytest.fixture(scope="module")
def gateway() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def web(
    servers: embedded.Servers, template: str, gateway: Simulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """A web process with a gateway behind it."""
    name = f"relance_checkups_{secrets.token_hex(4)}"
    env = environment_of(servers.create_database(name, template), servers.redis_url) | {
        "WASSENGER_BASE_URL": gateway.url,
        "WASSENGER_API_KEY": TOKEN,
        "PUBLIC_URL": "http://127.0.0.1:9/relance",
    }
    with serving(env, tmp_path_factory.mktemp("checkups") / "log") as running:
        yield running
    servers.drop_database(name)


@pytest.fixture
async def number(conn: Connection[Record], gateway: Simulator) -> str:
    """The number of the simulator's device, as new."""
    gateway.reset()
    known: UUID | None = await conn.fetchval("SELECT id FROM sender WHERE device_id = $1", DEVICE)
    if known is None:
        known = await new_sender(conn)
        await conn.execute("UPDATE sender SET device_id = $1 WHERE id = $2", DEVICE, known)
    return str(known)


def codes(checkup: dict[str, Any]) -> dict[str, str]:
    return {one["subject"]: one["code"] for one in checkup["findings"]}


async def test_a_webhook_that_lacks_is_found_registered_and_then_complete(api: httpx.AsyncClient, number: str) -> None:
    before = (await api.get(f"/api/senders/{number}/checkup")).json()
    assert before["ok"] is False
    assert codes(before) == {
        "gateway key": "key_accepted", "number": "number_online", "plan": "plan_with_replies",
        "webhook": "webhook_missing",
    }  # fmt: skip
    mended = (await api.post(f"/api/senders/{number}/webhook")).json()
    assert (mended["ok"], codes(mended)["webhook"]) == (True, "webhook_complete")
    again = await api.post(f"/api/senders/{number}/webhook")
    assert (again.status_code, again.json()["ok"]) == (200, True)
    assert (await api.get(f"/api/senders/{number}/checkup")).json()["ok"] is True


async def test_no_answer_of_it_holds_the_webhooks_token(api: httpx.AsyncClient, web: Web, number: str) -> None:
    for answer in (await api.get(f"/api/senders/{number}/checkup"), await api.post(f"/api/senders/{number}/webhook")):
        assert web.env["WASSENGER_WEBHOOK_SECRET"] not in answer.text


async def test_a_device_that_the_gateway_does_not_know_is_a_finding(
    api: httpx.AsyncClient, conn: Connection[Record], gateway: Simulator
) -> None:
    stranger = await new_sender(conn)
    found = await api.get(f"/api/senders/{stranger}/checkup")
    assert (found.status_code, found.json()["ok"], codes(found.json())["number"]) == (200, False, "number_unknown")


async def test_a_sender_that_does_not_exist_is_not_looked_for_at_the_gateway(api: httpx.AsyncClient) -> None:
    nobody = "019a0000-0000-7000-8000-000000000000"
    problem(await api.get(f"/api/senders/{nobody}/checkup"), 404, "not_found")
    problem(await api.post(f"/api/senders/{nobody}/webhook"), 404, "not_found")
