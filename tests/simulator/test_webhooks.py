from __future__ import annotations

import hashlib
import hmac

from tests.simulator.receiver import Receiver, running_receiver
from tests.simulator_process import DEVICE, Simulator, until

PHONE = "+33199000001"


async def test_a_webhook_is_tried_again_with_a_growing_wait_until_a_2xx(
    simulator: Simulator, receiver: Receiver
) -> None:
    simulator.behave(webhook_retry_seconds=0.1)
    receiver.statuses = [500, 401, 503]
    simulator.say(PHONE)
    await until(lambda: simulator.webhooks() and simulator.webhooks()[0]["state"] == "delivered")
    (webhook,) = simulator.webhooks()
    assert [attempt["status"] for attempt in webhook["deliveries"]] == [500, 401, 503, 200]
    assert len(set(receiver.raw)) == 1
    gaps = [b - a for a, b in zip(receiver.times, receiver.times[1:], strict=False)]
    assert gaps[0] >= 0.09 and gaps[1] >= 0.19 and gaps[2] >= 0.39


async def test_a_webhook_is_given_up_after_so_many_attempts(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(webhook_attempts=2, webhook_retry_seconds=0.01)
    receiver.statuses = [500] * 2
    simulator.say(PHONE)
    await until(lambda: simulator.webhooks()[0]["state"] == "given_up")
    assert len(receiver.raw) == 2


async def test_a_dead_receiver_is_tried_later_and_holds_up_nothing(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(webhook_url="http://127.0.0.1:9/hook?token=secret", webhook_attempts=3)
    simulator.say(PHONE)
    await until(lambda: receiver.of("message:in:new"))
    await until(lambda: simulator.webhooks()[0]["state"] == "given_up")
    attempts = [d for d in simulator.webhooks()[0]["deliveries"] if d["status"] is None]
    assert len(attempts) == 3 and all("Error" in attempt["error"] for attempt in attempts)
    assert "secret" not in str(simulator.webhooks())


async def test_a_slow_receiver_is_left_after_the_time_out(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(webhook_timeout=0.1, webhook_attempts=1)
    receiver.holds = 0.5
    simulator.say(PHONE)
    await until(lambda: simulator.webhooks()[0]["state"] == "given_up")
    assert "Timeout" in simulator.webhooks()[0]["deliveries"][0]["error"]


async def test_deliveries_at_once_are_bounded(simulator: Simulator, receiver: Receiver) -> None:
    receiver.holds = 0.2
    simulator.say(PHONE, copies=200)
    await until(lambda: len(receiver.raw) == 200)
    assert receiver.most_open == 64


async def test_webhooks_may_be_late(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(webhook_delay=0.3)
    said = simulator.say(PHONE)
    await until(lambda: receiver.raw)
    assert receiver.times[0] - said["time"] >= 0.29


async def test_webhooks_are_signed_when_a_secret_is_set(simulator: Simulator, receiver: Receiver) -> None:
    simulator.say(PHONE)
    await until(lambda: len(receiver.raw) == 1)
    assert "X-Wassenger-Signature" not in receiver.headers[0]
    simulator.behave(signing_secret="shared")
    simulator.say(PHONE)
    await until(lambda: len(receiver.raw) == 2)
    digest = hmac.new(b"shared", receiver.raw[1], hashlib.sha256).hexdigest()
    assert receiver.headers[1]["X-Wassenger-Signature"] == f"sha256={digest}"


async def test_only_subscribed_events_of_the_right_device_are_delivered(simulator: Simulator) -> None:
    async with running_receiver() as mine, running_receiver() as everything:
        simulator.register(mine.url, ["message:out:ack"])
        simulator.behave(webhook_url=everything.url)
        simulator.send(PHONE)
        await until(lambda: len(mine.raw) == 2)
        await until(lambda: everything.of("message:out:new") and everything.of("message:out:sent"))
        assert {body["event"] for body in mine.bodies} == {"message:out:ack"}


async def test_an_address_known_twice_gets_each_event_once(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(webhook_url=receiver.url)
    simulator.say(PHONE)
    await until(lambda: simulator.webhooks()[0]["state"] == "delivered")
    assert len(receiver.raw) == 1


async def test_registrations_are_made_changed_disabled_and_removed(simulator: Simulator) -> None:
    async with running_receiver() as receiver:
        hook = simulator.register(receiver.url, ["message:in:new"])
        path = f"/v1/webhooks/{hook['id']}"
        body = {"name": "x", "url": receiver.url, "events": ["message:in:new"], "device": DEVICE}
        assert simulator.call("POST", "/v1/webhooks", json=body).status_code == 409
        assert [row["id"] for row in simulator.call("GET", "/v1/webhooks").json()] == [hook["id"]]
        assert simulator.call("POST", f"{path}/disable").json()["status"] == "disabled"
        simulator.say(PHONE, body="unheard")
        assert simulator.call("POST", f"{path}/enable").json()["status"] == "active"
        simulator.say(PHONE, body="heard")
        await until(lambda: receiver.raw)
        assert [body["data"]["body"] for body in receiver.bodies] == ["heard"]
        changed = simulator.call("PATCH", path, json={"events": ["message:reaction"], "status": "disabled"}).json()
        assert (changed["events"], changed["status"]) == (["message:reaction"], "disabled")
        assert simulator.call("GET", path).json() == changed
        assert simulator.call("DELETE", path).status_code == 200
        assert simulator.call("GET", path).status_code == 404


def test_a_wrong_registration_is_refused(simulator: Simulator) -> None:
    good = {"name": "x", "url": "http://127.0.0.1/x", "events": ["message:in:new"]}
    mistakes: list[dict[str, object]] = [
        {"name": "x" * 31}, {"url": "ftp://x"}, {"events": ["message:in"]}, {"events": []}, {"secret": "x"},
        {"headers": {"a": 1}},
    ]  # fmt: skip
    for wrong in mistakes:
        assert simulator.call("POST", "/v1/webhooks", json=good | wrong).status_code == 400
    assert simulator.call("POST", "/v1/webhooks", json={"name": "x"}).status_code == 400
    assert simulator.call("POST", "/v1/webhooks", json=good | {"device": "f" * 24}).status_code == 404
    made = simulator.call("POST", "/v1/webhooks", json=good).json()
    assert simulator.call("PATCH", f"/v1/webhooks/{made['id']}", json={"status": "gone"}).status_code == 400


async def test_a_registration_that_hears_nothing_is_disabled(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(webhook_disable_after=2, webhook_attempts=1)
    receiver.statuses = [500, 500]
    for _ in range(2):
        simulator.say(PHONE)
    await until(lambda: simulator.call("GET", "/v1/webhooks").json()[0]["status"] == "disabled")
    simulator.say(PHONE)
    assert len(simulator.webhooks()) == 2


async def test_custom_headers_go_along(simulator: Simulator) -> None:
    async with running_receiver() as receiver:
        body = {"name": "x", "url": receiver.url, "events": ["message:in:new"], "headers": {"X-Relance-Token": "t"}}
        assert simulator.call("POST", "/v1/webhooks", json=body).status_code == 201
        simulator.say(PHONE)
        await until(lambda: receiver.raw)
        assert receiver.headers[0]["X-Relance-Token"] == "t"


async def test_an_event_is_delivered_as_it_is(simulator: Simulator, receiver: Receiver) -> None:
    simulator.event(b'{"event": "chat:assigned", broken', copies=2)
    await until(lambda: receiver.raw == [b'{"event": "chat:assigned", broken'] * 2)
    assert simulator.call("POST", "/_sim/event?copies=x", content=b"").status_code == 400
