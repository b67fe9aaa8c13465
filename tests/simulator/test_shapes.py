"""Contract (c): what the simulator says has every key, with its JSON type, that the facts on the wire require."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.receiver import Receiver
from tests.simulator_process import DEVICE, Simulator, until

FOLDER = Path(__file__).resolve().parent.parent / "gateway" / "shapes"
PHONE = "+33199000001"
SEND = "/v1/messages"


def _shape(name: str) -> dict[str, Any]:
    shape = json.loads((FOLDER / f"{name}.json").read_text())
    assert shape["mark"] in {"[V]", "[R]", "[I]"}
    return dict(shape)


def _at(value: Any, path: str) -> Iterator[Any]:
    """Yield every value at a dotted path; ``[]`` stands for each row of a list, which must have one."""
    if not path:
        yield value
        return
    key, _, rest = path.partition(".")
    if key == "[]":
        assert isinstance(value, list) and value, f"no rows for {path}"
        for row in value:
            yield from _at(row, rest)
    else:
        assert isinstance(value, dict) and key in value, f"{key} is missing"
        yield from _at(value[key], rest)


def _kind(value: Any) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def _check(name: str, said: Any) -> None:
    shape = _shape(name)
    for path in shape["required"]:
        wanted = {_kind(value) for value in _at(shape["example"], path)}
        found = {_kind(value) for value in _at(said, path)}
        assert found <= wanted, f"{name}: {path} is {found}, not {wanted}"
    if shape["kind"] == "webhook":
        assert said["event"] == shape["example"]["event"]


def _body(**more: Any) -> dict[str, Any]:
    return {"phone": PHONE, "message": "Bonjour Awa", "device": DEVICE, "reference": "r"} | more


def _post(simulator: Simulator, path: str, body: Any, **behaviour: Any) -> Any:
    simulator.behave(behaviour)
    return simulator.call("POST", path, json=body)


def _after_a_send(simulator: Simulator, path: str) -> Any:
    sent = simulator.call("POST", SEND, json=_body()).json()
    return simulator.call("GET", path.format(id=sent["id"]))


def _hook(simulator: Simulator, method: str, path: str) -> Any:
    hook = simulator.register("http://127.0.0.1:9/hook")
    return simulator.call(method, path.format(id=hook["id"]))


def _created(simulator: Simulator) -> Any:
    return _post(simulator, "/v1/webhooks", _shape("webhook_create_request")["example"] | {"device": DEVICE})


REPLIES: dict[str, Callable[[Simulator], Any]] = {
    "send_201": lambda s: _post(s, SEND, _shape("send_request")["example"] | {"device": DEVICE}),
    "send_media_201": lambda s: _post(s, SEND, _shape("send_media_request")["example"] | {"device": DEVICE}),
    "error_schema_400": lambda s: _post(s, SEND, _body(type="text")),
    "error_phone_invalid_400": lambda s: _post(s, SEND, _body(phone="0199")),
    "error_device_invalid_400": lambda s: _post(s, SEND, _body(device="mine")),
    "error_device_notfound_404": lambda s: _post(s, SEND, _body(device="f" * 24)),
    "error_device_offline_503": lambda s: _post(s, SEND, _body(), device_offline=True),
    "error_key_401": lambda s: _post(s, SEND, _body(), key_revoked=True),
    "error_rate_429": lambda s: _post(s, SEND, _body(), rate_429=1),
    "message_200": lambda s: _after_a_send(s, SEND + "/{id}"),
    "lookup_list_200": lambda s: _after_a_send(s, f"{SEND}?reference=r&size=100&page=0"),
    "lookup_empty_200": lambda s: _after_a_send(s, f"{SEND}?reference=none&size=100&page=0"),
    "device_200": lambda s: s.call("GET", f"/v1/devices/{DEVICE}"),
    "devices_list_200": lambda s: s.call("GET", "/v1/devices?size=100&page=0"),
    "numbers_exists_200": lambda s: _post(s, "/v1/numbers/exists", {"phone": PHONE}),
    "numbers_exists_404": lambda s: _post(s, "/v1/numbers/exists", {"phone": PHONE}, invalid_phones=1),
    "file_upload_array_201": lambda s: _post(s, "/v1/files", {"url": "https://example.org/a.jpg"}),
    "file_upload_object_201": lambda s: _post(
        s, "/v1/files", {"url": "https://example.org/a.jpg"}, readings={"files": "object"}
    ),
    "webhook_create_201": _created,
    "webhook_create_409": lambda s: (_created(s), _created(s))[1],
    "webhook_enable_200": lambda s: _hook(s, "POST", "/v1/webhooks/{id}/enable"),
    "webhooks_list_200": lambda s: _hook(s, "GET", "/v1/webhooks"),
    "chat_messages_list_200": lambda s: (s.say(PHONE), s.call("GET", f"/v1/chat/{DEVICE}/messages?flow=inbound"))[1],
}


@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_has_the_shape_of_the_facts(simulator: Simulator, name: str) -> None:
    answer = REPLIES[name](simulator)
    assert answer.status_code == _shape(name)["status"], answer.text
    _check(name, answer.json())


def test_a_send_only_plan_has_the_shape_of_the_facts(simulator: Simulator) -> None:
    simulator.behave(device_product="gateway")
    said = simulator.call("GET", f"/v1/devices/{DEVICE}").json()
    _check("device_gateway_plan_200", said)
    wanted = _shape("device_gateway_plan_200")["example"]["billing"]["subscription"]["product"]
    assert said["billing"]["subscription"]["product"] == wanted


def test_the_simulator_knows_exactly_the_fields_of_a_send(simulator: Simulator) -> None:
    allowed = set(_shape("send_request")["allowed"])
    told = simulator.call("POST", SEND, json=dict.fromkeys(allowed | {"nonsense"}, 0)).json()
    assert [error["path"] for error in told["errors"]] == ["nonsense"]


SAID: dict[str, dict[str, Any]] = {
    "in_new_text": {"type": "text", "body": "Oui"},
    "in_new_emoji": {"type": "emoji", "body": "👍"},
    "in_new_text_quoting": {"type": "text", "body": "Oui", "quoted": "3EB0AA"},
    "in_new_text_quoting_wid": {"type": "text", "body": "Oui", "quoted": "3EB0AA", "_": {"quoted": "wid"}},
    "in_new_voice": {"type": "voice", "_": {"voice": "voice"}},
    "in_new_voice_ptt": {"type": "voice"},
    "in_new_audio": {"type": "audio"},
    "in_new_image": {"type": "image", "body": "Voilà"},
    "in_new_image_bodiless": {"type": "image"},
    "in_new_video": {"type": "video"},
    "in_new_document": {"type": "document"},
    "in_new_sticker": {"type": "sticker"},
    "in_new_location": {"type": "location"},
    "in_new_contacts": {"type": "contacts"},
    "in_new_poll": {"type": "poll"},
    "reaction": {"type": "reaction", "body": "❤️"},
    "reaction_removed": {"type": "reaction"},
    "reaction_listed": {"type": "reaction", "body": "❤️", "_": {"reaction": "listed"}},
}


@pytest.mark.parametrize("name", SAID)
async def test_what_a_person_writes_has_the_shape_of_the_facts(
    simulator: Simulator, receiver: Receiver, name: str
) -> None:
    said = dict(SAID[name])
    simulator.behave(readings=said.pop("_", {}))
    event = _shape(name)["example"]["event"]
    if event == "message:reaction":
        simulator.send(PHONE)
        await until(lambda: simulator.ledger()[0]["status"] == "read")
    simulator.say(PHONE, **said)
    (told,) = await until(lambda: receiver.of(event))
    _check(name, told)
    assert told["data"]["type"] == _shape(name)["example"]["data"]["type"]


NOISE = {
    "in_new_group": "group", "in_new_own_number": "echo", "in_new_broadcast": "status", "in_new_status": "status",
    "in_new_channel": "channel", "in_new_notification": "notification", "in_new_lid": "hidden",
    "update_poll_vote": "vote", "ignored_chat_update": "chat_update",
}  # fmt: skip


@pytest.mark.parametrize("name", NOISE)
async def test_noise_has_the_shape_of_the_facts(simulator: Simulator, receiver: Receiver, name: str) -> None:
    simulator.register(receiver.url + "?all", ["chat:update"])
    simulator.behave(noise={NOISE[name]: 1})
    simulator.send(PHONE)
    (told,) = await until(lambda: receiver.of(_shape(name)["example"]["event"]))
    _check(name, told)


OUTBOUND: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "out_sent": ({}, {}),
    "out_new_api": ({}, {}),
    "out_ack_delivered": ({"read_rate": 0}, {}),
    "out_ack_read": ({"skip_delivered": 1}, {}),
    "out_ack_resource": ({"skip_delivered": 1, "readings": {"ack": "resource"}}, {}),
    "alias_out_delivered": ({"read_rate": 0, "readings": {"ack": "alias"}}, {}),
    "alias_out_read": ({"skip_delivered": 1, "readings": {"ack": "alias"}}, {}),
    "out_failed": ({"send": "fail"}, {}),
    "out_failed_463": ({"send": "block"}, {}),
    "out_failed_expired": ({"queue_delay": 9, "send": "ok"}, {"enqueue": "always"}),
}


@pytest.mark.parametrize("name", OUTBOUND)
async def test_what_becomes_of_a_message_has_the_shape_of_the_facts(
    simulator: Simulator, receiver: Receiver, name: str
) -> None:
    behaviour, more = OUTBOUND[name]
    simulator.behave(behaviour)
    simulator.register(receiver.url + "?own", ["message:out:new"])
    soon = (datetime.now(UTC) + timedelta(seconds=0.3)).isoformat()
    simulator.send(PHONE, reference="r", expiration={"date": soon}, **more)
    (told,) = await until(lambda: receiver.of(_shape(name)["example"]["event"]))
    _check(name, told)
    if "ack" in (example := _shape(name)["example"]["data"]):
        assert name == "out_new_api" or told["data"]["ack"] == example["ack"]


@pytest.mark.parametrize(("name", "reading"), [("session_offline", "nested"), ("session_flat", "flat")])
async def test_a_lost_session_has_the_shape_of_the_facts(
    simulator: Simulator, receiver: Receiver, name: str, reading: str
) -> None:
    simulator.behave(readings={"session": reading})
    simulator.behave(device_offline=True)
    (told,) = await until(lambda: receiver.of("number:session"))
    _check(name, told)
    simulator.behave(device_offline=False, readings={"session": "nested"})
    await until(lambda: len(receiver.of("number:session")) == 2)
    _check("session_online", receiver.of("number:session")[1])


PLAYED_BY_EVENT = {
    "alias_device_status_changed", "ignored_channel_in", "ignored_contact_update", "ignored_group_update",
    "ignored_status_update", "in_new_outbound_echo", "in_new_unknown_type", "out_ack_played", "out_ack_sent",
    "out_new_typed_on_phone", "reaction_own", "update_edit",
}  # fmt: skip
"""Webhooks the simulator sends only when ``/_sim/event`` is given one."""


@pytest.mark.parametrize("name", sorted(PLAYED_BY_EVENT))
async def test_any_other_webhook_is_delivered_as_it_is(simulator: Simulator, receiver: Receiver, name: str) -> None:
    example = _shape(name)["example"]
    simulator.event(json.dumps(example).encode())
    await until(lambda: receiver.bodies == [example])


def test_every_shape_of_the_facts_is_checked_here() -> None:
    here = {*REPLIES, *SAID, *NOISE, *OUTBOUND, *PLAYED_BY_EVENT, "device_gateway_plan_200"}
    here |= {"session_offline", "session_flat", "session_online"}
    here |= {"send_request", "send_media_request", "webhook_create_request"}
    assert {path.stem for path in FOLDER.glob("*.json")} == here
