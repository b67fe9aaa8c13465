from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.simulator.receiver import Receiver
from tests.simulator_process import DEVICE, Simulator, until

PHONE = "+33199000001"


def _acks(receiver: Receiver) -> list[str]:
    return [body["data"]["ack"] for body in receiver.of("message:out:ack")]


def _statuses(line: dict[str, Any]) -> list[str]:
    return [step["status"] for step in line["history"]]


async def test_a_message_leaves_arrives_and_is_read(simulator: Simulator, receiver: Receiver) -> None:
    sent = simulator.send(PHONE, reference="r").json()
    await until(lambda: _acks(receiver) == ["delivered", "read"])
    (event,) = receiver.of("message:out:sent")
    assert event["id"] == event["data"]["id"] == sent["id"]
    assert event["data"]["reference"] == "r"
    ack = receiver.of("message:out:ack")[0]
    assert ack["id"] == ack["data"]["id"] == sent["waId"]
    (line,) = simulator.ledger()
    assert _statuses(line) == ["queued", "sent", "delivered", "read"]
    assert [step["time"] for step in line["history"]] == sorted(step["time"] for step in line["history"])


@pytest.mark.parametrize(
    ("acks", "told"),
    [("all", ["delivered", "read"]), ("skip_delivered", ["read"]), ("delivered", ["delivered"]), ("none", [])],
)
async def test_a_scripted_person_acknowledges_as_told(
    simulator: Simulator, receiver: Receiver, acks: str, told: list[str]
) -> None:
    simulator.behave(phones={PHONE: {"acks": acks}})
    simulator.send(PHONE)
    last = "delivered" if acks == "delivered" else "read"
    await until(lambda: simulator.ledger()[0]["status"] == last)
    await until(lambda: all(hook["state"] == "delivered" for hook in simulator.webhooks()))
    assert _acks(receiver) == told


async def test_acknowledgements_may_be_lost_without_a_trace(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(ack_loss=1)
    simulator.send(PHONE)
    await until(lambda: simulator.ledger()[0]["status"] == "read")
    assert simulator.webhooks() == [] and receiver.bodies == []


async def test_acknowledgements_may_come_twice(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(ack_duplication=1)
    simulator.send(PHONE)
    await until(lambda: len(receiver.bodies) == 6)
    assert sorted(_acks(receiver)) == ["delivered", "delivered", "read", "read"]


async def test_acknowledgements_may_overtake_each_other(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(ack_disorder=0.5, disorder_delay=0.3)
    for n in range(20):
        simulator.send(f"+331990000{n:02d}", reference=str(n))
    await until(lambda: len(_acks(receiver)) == 40)
    by_message: dict[str, list[str]] = {}
    for body in receiver.of("message:out:ack"):
        by_message.setdefault(body["data"]["reference"], []).append(body["data"]["ack"])
    assert ["read", "delivered"] in by_message.values()
    assert ["delivered", "read"] in by_message.values()


async def test_delivered_may_be_skipped_and_receipts_may_be_off(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(skip_delivered=1)
    simulator.send(PHONE)
    await until(lambda: _acks(receiver) == ["read"])
    simulator.behave(read_rate=0)
    simulator.send("+33199000002")
    await until(lambda: _acks(receiver) == ["read", "delivered"])


async def test_a_message_may_never_arrive(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(delivered_rate=0, reply_rate=1)
    simulator.send(PHONE)
    await until(lambda: receiver.of("message:out:sent"))
    assert simulator.ledger()[0]["status"] == "sent"


async def test_a_message_may_fail_after_having_been_accepted(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(failed_rate=1, ack_loss=1)
    simulator.send(PHONE, reference="r")
    (event,) = await until(lambda: receiver.of("message:out:failed"))
    assert event["data"]["status"] == "failed" and event["data"]["reference"] == "r"
    assert event["data"]["failureReason"]
    assert _statuses(simulator.ledger()[0]) == ["queued", "failed"]


async def test_new_chats_may_fail_while_known_ones_keep_working(simulator: Simulator, receiver: Receiver) -> None:
    simulator.send(PHONE)
    simulator.say("+33199000002")
    await until(lambda: simulator.ledger()[0]["status"] == "read")
    simulator.behave(fail_new_chats=True)
    for phone in (PHONE, "+33199000002", "+33199000003"):
        simulator.send(phone)
    (event,) = await until(lambda: receiver.of("message:out:failed"))
    assert "463" in event["data"]["failureReason"] and event["data"]["phone"] == "+33199000003"
    await until(lambda: [line["status"] for line in simulator.ledger()[1:]] == ["read", "read", "failed"])


async def test_a_message_expires_in_the_queue(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(queue_delay=60)
    soon = datetime.now(UTC) + timedelta(seconds=0.4)
    started = time.time()
    simulator.send(PHONE, reference="r", enqueue="always", expiration={"date": soon.isoformat()})
    (event,) = await until(lambda: receiver.of("message:out:failed"))
    assert "expired" in event["data"]["failureReason"] and event["data"]["failureCode"] == "message:expired"
    assert 0.3 < simulator.ledger()[0]["history"][-1]["time"] - started < 2


async def test_a_message_whose_time_is_over_is_accepted_and_never_leaves(
    simulator: Simulator, receiver: Receiver
) -> None:
    answer = simulator.send(PHONE, expiration={"date": "2026-01-01T00:00:00Z"})
    assert answer.status_code == 201
    await until(lambda: receiver.of("message:out:failed"))
    assert _statuses(simulator.ledger()[0]) == ["queued", "failed"]


async def test_a_message_can_be_put_off(simulator: Simulator) -> None:
    simulator.send(PHONE, schedule={"delayTo": "1h"}, expiration={"duration": "30m"})
    simulator.send(PHONE, deliverAt=(datetime.now(UTC) + timedelta(seconds=0.3)).isoformat())
    await until(lambda: simulator.ledger()[1]["status"] == "read")
    first, second = simulator.ledger()
    assert first["status"] == "queued"
    assert second["history"][1]["time"] - second["time"] > 0.25


async def test_an_offline_device_refuses_and_says_so(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(device_offline=True)
    answer = simulator.send(PHONE)
    assert (answer.status_code, answer.json()["errorCode"]) == (503, "device:offline")
    assert simulator.ledger() == []
    simulator.behave(device_offline=False)
    assert simulator.send(PHONE).status_code == 201
    events = await until(lambda: receiver.of("number:session")[1:] and receiver.of("number:session"))
    assert {event["data"]["session"]["status"] for event in events} == {"offline", "online"}


async def test_an_offline_device_may_queue_until_it_is_back(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(device_offline=[DEVICE], offline_accepts=True)
    simulator.send(PHONE, reference="waits")
    soon = (datetime.now(UTC) + timedelta(seconds=0.2)).isoformat()
    simulator.send("+33199000002", reference="expires", expiration={"date": soon})
    await until(lambda: receiver.of("message:out:failed"))
    assert simulator.call("GET", f"/v1/devices/{DEVICE}").json()["queue"]["messages"] >= 1
    simulator.behave(device_offline=[])
    await until(lambda: simulator.ledger()[0]["status"] == "read")
    assert [line["status"] for line in simulator.ledger()] == ["read", "failed"]


async def test_our_own_messages_are_echoed_to_who_asks_for_it(simulator: Simulator, receiver: Receiver) -> None:
    simulator.register(receiver.url + "?own", ["message:out:new"])
    simulator.send(PHONE, "Bonjour", reference="r")
    (event,) = await until(lambda: receiver.of("message:out:new"))
    assert (event["data"]["flow"], event["data"]["meta"]["source"]) == ("outbound", "api")


async def test_groups_are_sent_to_without_people_behind_them(simulator: Simulator) -> None:
    simulator.behave(reply_rate=1)
    answer = simulator.send(None, group="120363000000000001@g.us")
    assert answer.status_code == 201 and answer.json()["wid"] == "120363000000000001@g.us"
    by_chat = simulator.send(None, chat="33199000001@c.us")
    assert by_chat.json()["phone"] == PHONE
    await until(simulator.inbound)
    assert [line["phone"] for line in simulator.inbound()] == [PHONE]
