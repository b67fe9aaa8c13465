"""The doctor names what is broken, says what to do, and mends the webhook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import redis

from actors.checkup import NEEDED_EVENTS
from gateway.wassenger import WEBHOOK_EVENTS
from local import stack
from local.embedded import Servers
from tests.cli.conftest import Done, environment_of, run
from tests.simulator_process import Simulator, running_simulator


@pytest.fixture(scope="module")
def gateway(system: stack.Stack) -> Iterator[Simulator]:
    """A gateway of these tests' own, which knows the system's device; the system itself goes on with its own."""
    given = system.env
    with running_simulator(token=given["WASSENGER_API_KEY"], device=given["WASSENGER_DEVICE_ID"]) as simulator:
        yield simulator


@pytest.fixture
def phone(system: stack.Stack, gateway: Simulator) -> Simulator:
    """That gateway as new, our webhook registered."""
    gateway.reset()
    gateway.register(f"{system.url}/webhooks/wassenger?token={system.env['WASSENGER_WEBHOOK_SECRET']}")
    return gateway


@pytest.fixture
def surroundings(system: stack.Stack, phone: Simulator) -> dict[str, str]:
    """The system's environment with that gateway."""
    return environment_of(system) | {"WASSENGER_BASE_URL": phone.url}


def wrong_lines(done: Done) -> list[str]:
    """Return what is wrong, and check that the exit code says so."""
    lines = [line for line in done.out.splitlines() if line.startswith("✗")]
    assert done.code == (1 if lines else 0), done
    return lines


def test_the_doctor_needs_exactly_the_events_that_are_registered() -> None:
    assert set(WEBHOOK_EVENTS) == NEEDED_EVENTS


def test_everything_in_order_is_said_line_by_line_without_a_secret(surroundings: dict[str, str]) -> None:
    done = run(surroundings, "doctor")
    assert wrong_lines(done) == []
    assert "Everything is in order" in done.out
    for name in ("settings", "database", "tables", "Redis", "gateway key", "number", "plan", "webhook", "clock"):
        assert f"✓ {name}" in done.out or f"✓ gateway {name}" in done.out, name
    for secret in ("WASSENGER_API_KEY", "WASSENGER_WEBHOOK_SECRET", "BOOTSTRAP_API_KEY", "SECRET_KEY"):
        assert surroundings[secret] not in done.out


def test_an_alert_address_that_nobody_understands_is_named_by_its_place_alone(surroundings: dict[str, str]) -> None:
    assert "nobody is told" in run(surroundings, "doctor").out
    done = run(surroundings | {"ALERT_URLS": "json://127.0.0.1:9/hook nonsense://t0ken-of-ours"}, "doctor")
    [line] = wrong_lines(done)
    assert "address 2 of ALERT_URLS" in line
    assert "t0ken-of-ours" not in done.out
    assert wrong_lines(run(surroundings | {"ALERT_URLS": "json://127.0.0.1:9/hook"}, "doctor")) == []


def test_settings_that_cannot_be_used_are_all_named(surroundings: dict[str, str]) -> None:
    done = run(surroundings | {"PORT": "many", "SECRET_KEY": ""}, "doctor")
    assert len(wrong_lines(done)) == 2
    assert "PORT='many' cannot be used" in done.out
    assert "SECRET_KEY is missing" in done.out
    assert ".env" in done.out


def test_a_wrong_gateway_key_is_refused(surroundings: dict[str, str]) -> None:
    done = run(surroundings | {"WASSENGER_API_KEY": "0" * 64}, "doctor")
    assert ["gateway key" in line for line in wrong_lines(done)] == [True]
    assert "WASSENGER_API_KEY" in done.out


def test_a_gateway_that_does_not_answer_is_named(surroundings: dict[str, str]) -> None:
    done = run(surroundings | {"WASSENGER_BASE_URL": f"http://127.0.0.1:{stack.free_port()}"}, "doctor")
    assert [line.startswith("✗ gateway ") for line in wrong_lines(done)] == [True]
    assert "check WASSENGER_BASE_URL" in done.out
    assert "does not tell its time" in done.out


@pytest.mark.parametrize(
    ("behaviour", "said", "remedy"),
    [
        ({"device_offline": True}, "offline: the session is offline", "nothing can be sent from it"),
        ({"device_product": "gateway"}, "sends only: replies never reach us", "take a plan with inbound messages"),
        ({"clock_skew_seconds": 3600}, "s ahead of this machine's", "set the clocks by NTP"),
        ({"clock_skew_seconds": -90}, "s behind this machine's", "set the clocks by NTP"),
    ],
)
def test_what_is_wrong_at_the_gateway_is_one_line_with_its_remedy(
    surroundings: dict[str, str], phone: Simulator, behaviour: dict[str, Any], said: str, remedy: str
) -> None:
    phone.behave(behaviour)
    done = run(surroundings, "doctor")
    assert [said in line for line in wrong_lines(done)] == [True]
    assert remedy in done.out


def test_a_device_the_key_does_not_know_is_named_with_those_it_does(
    surroundings: dict[str, str], phone: Simulator
) -> None:
    done = run(surroundings | {"WASSENGER_DEVICE_ID": "f" * 24}, "doctor")
    assert any("unknown to the gateway" in line for line in wrong_lines(done))
    assert f"the key sees {phone.device}" in done.out.replace("\n", "")


def test_a_webhook_that_is_missing_disabled_or_incomplete_is_found_and_mended(
    surroundings: dict[str, str], phone: Simulator
) -> None:
    broken: tuple[tuple[str, str, dict[str, Any], str], ...] = (
        ("DELETE", "", {}, "not registered for"),
        ("PATCH", "", {"json": {"events": ["message:in:new"]}}, "without"),
        ("POST", "/disable", {}, "disabled by the gateway"),
    )
    for method, ending, more, said in broken:
        hook = phone.call("GET", "/v1/webhooks").json()[0]["id"]
        assert phone.call(method, f"/v1/webhooks/{hook}{ending}", **more).is_success
        done = run(surroundings, "doctor")
        assert [said in line for line in wrong_lines(done)] == [True], done.out
        assert "doctor --fix" in done.out
        mended = run(surroundings, "doctor", "--fix")
        assert wrong_lines(mended) == []
        assert "registered now, enabled, complete" in mended.out
    assert len(phone.call("GET", "/v1/webhooks").json()) == 1


def test_a_webhook_with_another_token_is_told_from_a_missing_one(surroundings: dict[str, str]) -> None:
    done = run(surroundings | {"WASSENGER_WEBHOOK_SECRET": "another-secret-of-ours"}, "doctor")
    assert ["another token" in wrong_lines(done)[0], "refuses our token" in wrong_lines(done)[1]] == [True, True]


def test_an_address_nobody_answers_at_is_no_address(surroundings: dict[str, str]) -> None:
    done = run(surroundings | {"PUBLIC_URL": f"http://127.0.0.1:{stack.free_port()}"}, "doctor")
    assert any("nobody answers at" in line for line in wrong_lines(done))
    done = run(surroundings | {"PUBLIC_URL": ""}, "doctor")
    assert ["PUBLIC_URL is not set" in line for line in wrong_lines(done)] == [True]
    done = run(surroundings | {"PUBLIC_URL": surroundings["WASSENGER_BASE_URL"]}, "doctor")
    assert any("answered 404" in line for line in wrong_lines(done))


def test_the_doctors_own_knock_is_stored_once_and_ignored(system: stack.Stack, surroundings: dict[str, str]) -> None:
    for _ in range(2):
        assert run(surroundings, "doctor").code == 0
    url = f"{system.url}/webhooks/wassenger?token={system.env['WASSENGER_WEBHOOK_SECRET']}"
    answer = httpx.post(url, content=b'{"event":"relance:doctor","data":{}}', trust_env=False)
    assert answer.json() == {"stored": False}


def test_a_database_that_is_away_or_was_never_released_is_told_apart(
    surroundings: dict[str, str], servers: Servers
) -> None:
    away = run(surroundings | {"DATABASE_URL": f"postgresql://nobody@127.0.0.1:{stack.free_port()}/x"}, "doctor")
    assert ["cannot be reached" in line for line in wrong_lines(away)] == [True]
    assert "check DATABASE_URL" in away.out
    url = servers.create_database("relance_doctor_empty")
    try:
        empty = run(surroundings | {"DATABASE_URL": url}, "doctor")
    finally:
        servers.drop_database("relance_doctor_empty")
    assert ["the database is empty" in line for line in wrong_lines(empty)] == [True]
    assert "python -m models.migrate" in empty.out


def test_a_redis_that_may_forget_or_is_away_is_named(surroundings: dict[str, str], redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            done = run(surroundings | {"REDIS_URL": redis_url}, "doctor")
        finally:
            client.config_set("maxmemory-policy", "noeviction")
    assert ["maxmemory-policy is allkeys-lru" in line for line in wrong_lines(done)] == [True]
    assert "noeviction" in done.out
    away = run(surroundings | {"REDIS_URL": f"redis://127.0.0.1:{stack.free_port()}/0"}, "doctor")
    assert ["✗ Redis" in line for line in wrong_lines(away)] == [True]
