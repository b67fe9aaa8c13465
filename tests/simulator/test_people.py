from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.simulator.receiver import Receiver
from tests.simulator_process import Simulator, until

PHONE = "+33199000001"
PHONES = [f"+331990{n:05d}"[:12] for n in range(0, 2000, 10)]


@pytest.mark.parametrize(
    ("kind", "wire", "has_body"),
    [
        ("text", "text", True),
        ("emoji", "text", True),
        ("opt_out", "text", True),
        ("voice", "audio", False),
        ("audio", "audio", False),
        ("image", "image", None),
        ("video", "video", None),
        ("document", "document", None),
        ("sticker", "sticker", False),
        ("location", "location", False),
        ("poll", "poll", False),
        ("contacts", "contacts", False),
    ],
)
async def test_a_person_answers_with_each_kind(
    simulator: Simulator, receiver: Receiver, kind: str, wire: str, has_body: bool | None
) -> None:
    simulator.behave(phones={PHONE: {"reply": kind, "delay": 0}})
    simulator.send(PHONE)
    (event,) = await until(lambda: receiver.of("message:in:new"))
    data = event["data"]
    assert event["id"] == data["id"] and data["type"] == wire and data["flow"] == "inbound"
    assert data["fromNumber"] == PHONE and data["chat"]["type"] == "chat"
    assert ("media" in data) is (kind in {"voice", "audio", "image", "video", "document", "sticker"})
    if has_body is not None:
        assert (data.get("body") is not None) is has_body
    (line,) = simulator.inbound()
    assert line["genuine"] and line["type"] == ("text" if kind == "opt_out" else kind)
    assert line["opt_out"] is (kind == "opt_out")
    assert (line["timestamp"], line["body"]) == (data["timestamp"], data.get("body"))


async def test_a_person_reacts_and_takes_it_back(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(phones={PHONE: {"reply": "reaction", "delay": 0, "body": "❤️"}})
    sent = simulator.send(PHONE).json()
    (event,) = await until(lambda: receiver.of("message:reaction"))
    assert event["data"]["reaction"] == {"emoji": "❤️", "message": sent["waId"]}
    simulator.say(PHONE, "reaction")
    await until(lambda: len(receiver.of("message:reaction")) == 2)
    assert receiver.of("message:reaction")[1]["data"]["reaction"]["emoji"] == ""
    assert [line["genuine"] for line in simulator.inbound()] == [True, False]
    assert simulator.inbound()[0]["quoted"] == sent["waId"]


async def test_scripts_say_when_what_and_how_often(simulator: Simulator) -> None:
    simulator.behave(
        reply_rate=1,
        phones={
            PHONE: {"reply": "text", "delay": 0.3, "body": "Oui", "times": 3, "quotes": True},
            "+33199000002": {"reply": "none"},
        },
    )
    sent = simulator.send(PHONE).json()
    simulator.send("+33199000002")
    await until(lambda: len(simulator.inbound()) == 3)
    lines = simulator.inbound()
    assert {line["body"] for line in lines} == {"Oui"} and {line["quoted"] for line in lines} == {sent["waId"]}
    arrived = next(step["time"] for step in simulator.ledger()[0]["history"] if step["status"] == "delivered")
    assert 0.29 < lines[0]["time"] - arrived < 1.5


async def test_the_follow_up_is_answered_at_its_own_rate(simulator: Simulator) -> None:
    simulator.behave(reply_rate=1, reply_types={"opt_out": 0, "reaction": 0}, several_rate=0)
    for phone in PHONES[:20]:
        simulator.send(phone)
    await until(lambda: len(simulator.inbound()) == 20)
    for phone in PHONES[:20]:
        simulator.send(phone)
    await until(lambda: all(line["status"] == "read" for line in simulator.ledger()))
    assert len(simulator.inbound()) == 20
    for phone in PHONES[:20]:
        simulator.send(phone)
    await until(lambda: len(simulator.inbound()) == 40)
    simulator.behave(reply_again_rate=1)
    for phone in PHONES[:20]:
        simulator.send(phone)
    await until(lambda: len(simulator.inbound()) == 60)


async def test_one_script_answers_the_first_message_and_the_follow_up(simulator: Simulator) -> None:
    simulator.behave(phones={PHONE: {"reply": "text", "reply_again": "sticker", "delay": 0}})
    simulator.send(PHONE)
    await until(lambda: len(simulator.inbound()) == 1)
    simulator.send(PHONE)
    await until(lambda: [line["type"] for line in simulator.inbound()] == ["text", "sticker"])


async def test_a_person_is_one_whichever_way_the_number_is_spelled(simulator: Simulator) -> None:
    simulator.behave(phones={"+5215512345678": {"reply": "text", "body": "Hola", "delay": 0}})
    simulator.send("+525512345678")
    await until(simulator.inbound)
    (line,) = simulator.inbound()
    assert (line["phone"], line["fromNumber"], line["body"]) == ("+525512345678", "+5215512345678", "Hola")


async def _answers(simulator: Simulator, phones: list[str], seed: int) -> dict[str, list[tuple[str, Any, bool]]]:
    simulator.reset("behaviour", seed=seed)
    for phone in phones:
        simulator.send(phone)
    await until(lambda: all(line["status"] == "read" for line in simulator.ledger()))
    await until(lambda: len(simulator.inbound()) > 60)
    count = -1
    while count != len(simulator.inbound()):  # every delay is far below half a second: two looks alike are the end
        count = len(simulator.inbound())
        await asyncio.sleep(0.5)
    found: dict[str, list[tuple[str, Any, bool]]] = {}
    for line in simulator.inbound():
        found.setdefault(line["phone"], []).append((line["type"], line["body"], line["quoted"] is not None))
    return {phone: sorted(lines, key=str) for phone, lines in found.items()}


async def test_the_same_seed_brings_the_same_people_in_any_order(simulator: Simulator) -> None:
    simulator.behave(reply_rate=0.5, reply_delay=[0.0, 0.05], several_rate=0.3, several_gap=[0, 0.01], quote_rate=0.3)
    first = await _answers(simulator, PHONES, 5)
    again = await _answers(simulator, PHONES[::-1], 5)
    other = await _answers(simulator, PHONES, 6)
    assert first == again != other
    assert 0.38 < len(first) / len(PHONES) < 0.62
    kinds = Counter(kind for lines in first.values() for kind, _, _ in lines)
    assert kinds["text"] > 30 and len(kinds) >= 6
    assert any(len(lines) > 1 for lines in first.values()) and any(q for lines in first.values() for *_, q in lines)


async def test_late_people_take_their_own_delay_and_time_can_be_scaled(simulator: Simulator) -> None:
    simulator.behave(reply_rate=1, late_rate=0.5, late_delay=3600, reply_delay=60, time_scale=1000)
    for phone in PHONES[:30]:
        simulator.send(phone)
    await until(lambda: len(simulator.inbound()) == 30)
    first_at = {line["phone"]: line["time"] for line in simulator.ledger()}
    waits = sorted(line["time"] - first_at[line["phone"]] for line in simulator.inbound())
    assert waits[0] < 1.0 and waits[-1] > 3.6
    assert 5 < sum(wait > 3.0 for wait in waits) < 25


async def test_noise_comes_along_and_is_not_genuine(simulator: Simulator, receiver: Receiver) -> None:
    kinds = ["group", "echo", "status", "notification", "channel", "hidden", "unreact", "vote", "chat_update"]
    simulator.register(receiver.url + "?all", ["chat:update"])
    simulator.behave(noise=dict.fromkeys(kinds, 1))
    simulator.send(PHONE)
    await until(lambda: len(simulator.inbound()) == len(kinds))
    await until(lambda: all(hook["state"] == "delivered" for hook in simulator.webhooks()))
    lines = {line["type"]: line for line in simulator.inbound()}
    assert set(lines) == set(kinds) and not any(line["genuine"] for line in lines.values())
    told = {(body["event"], body["id"]): body["data"] for body in receiver.bodies}
    data = {kind: told[lines[kind]["event"], lines[kind]["id"]] for kind in kinds}
    assert data["group"]["chat"]["type"] == "group" and data["group"]["meta"]["isGroup"] and data["group"]["author"]
    assert data["echo"]["fromNumber"] == receiver.bodies[0]["device"]["phone"]
    assert data["status"]["meta"]["isBroadcast"] and data["notification"]["meta"]["isNotification"]
    assert data["channel"]["chat"]["type"] == "channel" and data["hidden"]["from"].endswith("@lid")
    assert data["unreact"]["reaction"]["emoji"] == "" and data["vote"]["poll"]["votes"]


async def test_inbound_webhooks_may_be_doubled_lost_or_overtaken(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(webhook_duplication=1)
    simulator.say(PHONE, body="twice")
    await until(lambda: [body["data"]["body"] for body in receiver.of("message:in:new")] == ["twice", "twice"])
    simulator.behave(webhook_duplication=0, webhook_disorder=1, disorder_delay=0.3)
    simulator.say(PHONE, body="first")
    simulator.behave(webhook_disorder=0)
    simulator.say(PHONE, body="second")
    await until(lambda: len(receiver.of("message:in:new")) == 4)
    assert [body["data"]["body"] for body in receiver.of("message:in:new")][2:] == ["second", "first"]
    simulator.behave(webhook_loss=1)
    simulator.say(PHONE, body="lost")
    assert [line["body"] for line in simulator.inbound()] == ["twice", "first", "second", "lost"]
    assert "lost" not in [hook["body"] for hook in simulator.webhooks()]


async def test_a_send_only_plan_brings_no_replies(simulator: Simulator, receiver: Receiver) -> None:
    simulator.behave(device_product="gateway", reply_rate=1)
    simulator.send(PHONE)
    await until(simulator.inbound)
    await until(lambda: len(receiver.of("message:out:ack")) == 2)
    assert receiver.of("message:in:new") == [] == simulator.webhooks("message:in:new")


async def test_say_writes_at_the_time_it_is_told(simulator: Simulator, receiver: Receiver) -> None:
    line = simulator.say(PHONE, body="Hier", at="2026-01-02T03:04:05Z", quoted="3EB0AA")
    (event,) = await until(lambda: receiver.of("message:in:new"))
    assert event["data"]["timestamp"] == line["timestamp"] == 1767323045
    assert event["data"]["quoted"]["id"] == "3EB0AA"
    for wrong in ({"phone": "0199"}, {"phone": PHONE, "type": "song"}, {"phone": PHONE, "at": "soon"}, {}):
        assert simulator.call("POST", "/_sim/say", json=wrong).status_code == 400
    assert simulator.call("POST", "/_sim/say", json={"phone": PHONE, "device": "f" * 24}).status_code == 404


async def test_ten_copies_of_one_webhook_arrive_at_once(simulator: Simulator, receiver: Receiver) -> None:
    receiver.holds = 0.3
    simulator.say(PHONE, body="Oui", copies=10)
    await until(lambda: len(receiver.of("message:in:new")) == 10)
    assert receiver.most_open == 10
    assert len(set(receiver.raw)) == 1
    assert len(simulator.inbound()) == 1
    await until(lambda: simulator.webhooks()[0]["state"] == "delivered")
