"""Who knocks, and is this event new?"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from gateway import Envelope, Rejected, Unreadable
from gateway.wassenger import Wassenger
from tests.gateway import shape_files
from tests.gateway.orders import DEVICE, SIGNING_KEY, TOKEN, settings_for

RAW = shape_files.body("in_new_text")


def door(**more: str) -> Wassenger:
    return Wassenger.from_settings(settings_for("http://127.0.0.1:1", **more))


OPEN = door()
SIGNED = {"WASSENGER_SIGNING_SECRET": SIGNING_KEY}
STRICT = {**SIGNED, "WASSENGER_REQUIRE_SIGNATURE": "true"}


def signature(raw: bytes = RAW, key: str = SIGNING_KEY) -> str:
    return "sha256=" + hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()


def enveloped(value: Any) -> Envelope:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    answer = OPEN.receive({}, {"token": TOKEN}, raw)
    assert isinstance(answer, Envelope)
    return answer


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, {"token": TOKEN}),
        ({"x-relance-token": TOKEN}, {}),
        ({"X-Relance-Token": TOKEN}, {}),
        ({"X-RELANCE-TOKEN": TOKEN}, {"token": "wrong"}),
    ],
)
def test_our_token_opens_in_the_query_or_in_the_header(headers: dict[str, str], query: dict[str, str]) -> None:
    assert isinstance(door().receive(headers, query, RAW), Envelope)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, {}),
        ({}, {"token": ""}),
        ({}, {"token": TOKEN[:-1]}),
        ({}, {"token": TOKEN + "x"}),
        ({}, {"token": "é" * 20}),
        ({"x-relance-token": "\udcff\ud800"}, {}),
        ({"authorization": f"Bearer {TOKEN}"}, {}),
    ],
)
def test_without_our_token_nothing_opens(headers: dict[str, str], query: dict[str, str]) -> None:
    for knocked in (door(), door(**SIGNED)):
        answer = knocked.receive({**headers, "x-wassenger-signature": signature()}, query, RAW)
        assert isinstance(answer, Rejected)
        assert TOKEN not in answer.reason


@pytest.mark.parametrize(
    ("settings", "given", "opens"),
    [
        ({}, None, True),
        ({}, "sha256=00", True),
        (SIGNED, None, True),
        (SIGNED, "", True),
        (SIGNED, signature(), True),
        (SIGNED, signature().upper(), True),
        (SIGNED, signature(key="another"), False),
        (SIGNED, signature(RAW + b" "), False),
        (SIGNED, "sha256=é", False),
        (SIGNED, signature().removeprefix("sha256="), False),
        (STRICT, None, False),
        (STRICT, "", False),
        (STRICT, signature(), True),
        (STRICT, signature(key="another"), False),
    ],
)
def test_a_signature_is_checked_when_there_is_a_key(settings: dict[str, str], given: str | None, opens: bool) -> None:
    headers = {} if given is None else {"X-Wassenger-Signature": given}
    answer = door(**settings).receive(headers, {"token": TOKEN}, RAW)
    assert isinstance(answer, Envelope if opens else Rejected)


def test_every_shape_is_readable_and_names_its_device() -> None:
    for name in shape_files.names("webhook"):
        event = shape_files.example(name)
        answer = enveloped(event)
        assert (answer.kind, answer.device_id, answer.readable) == (event["event"], DEVICE, True), name


def test_no_two_different_events_share_a_key() -> None:
    keys: dict[str, str] = {}
    for name in shape_files.names("webhook"):
        event = shape_files.example(name)
        if event["event"] == "message:in:new" or name in ("alias_out_read", "out_failed_expired", "out_failed_463"):
            event["data"]["id"] = name  # the files share one id, real messages do not
        key = enveloped(event).event_key
        assert key not in keys, f"{name} and {keys.get(key)}"
        keys[key] = name


@pytest.mark.parametrize("name", ["in_new_text", "out_ack_read", "out_sent", "out_failed"])
def test_one_event_delivered_twice_has_one_key(name: str) -> None:
    event = shape_files.example(name)
    again = {**event, "created": event["created"] + 60, "retry": 2}
    assert enveloped(event).event_key == enveloped(again).event_key


def test_acknowledgements_of_one_message_differ() -> None:
    keys = {
        enveloped(shape_files.body(f"out_ack_{word}")).event_key for word in ("sent", "delivered", "read", "played")
    }
    assert len(keys) == 4


def test_one_id_on_two_devices_is_two_events() -> None:
    event = shape_files.example("in_new_text")
    other = {**event, "device": {"id": "6a1f0c2d9b3e4f5a6b7c8d9f"}}
    assert enveloped(event).event_key != enveloped(other).event_key


@pytest.mark.parametrize("name", ["reaction", "reaction_listed", "update_edit", "update_poll_vote"])
def test_two_reactions_or_edits_of_one_message_are_two_events(name: str) -> None:
    event = shape_files.example(name)
    other = {**event, "created": event["created"] + 1}
    assert enveloped(event).event_key != enveloped(other).event_key
    assert enveloped(event).event_key == enveloped(event).event_key


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"event":"message:in:new"', "not JSON"),
        (b"\x00", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "too deeply"),
        (b'{"a":' * 100_000, "too deeply"),
        (b"[]", "a list"),
        (b"null", "null"),
        (b"7", "a number"),
        (b'"text"', "a text"),
        (b"true", "a truth value"),
        (b"{}", "no usable name"),
        (b'{"event":""}', "no usable name"),
        (b'{"event":7e999}', "no usable name"),
        (b'{"event":{"a":1},"data":{}}', "no usable name"),
        (b'{"event":"a b\\u0000","data":{}}', "no usable name"),
        (b'{"event":"' + b"x" * 65 + b'","data":{}}', "no usable name"),
        (b'{"event":"message:in:new"}', "no data"),
        (b'{"event":"message:in:new","data":[]}', "no data"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_kept_with_the_reason(raw: bytes, why: str) -> None:
    answer = enveloped(raw)
    assert not answer.readable
    assert why in (answer.reason or "")
    assert answer.event_key == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"[" * 100_000, b"{}", b'{"event":"message:in:new"}', b'{"event":"message:in:new","data":7}',
     b'{"event":"message:out:ack","data":{"id":"1","ack":"read"}}'],
)  # fmt: skip
def test_what_cannot_be_read_is_unreadable_later_too(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        OPEN.parse(raw)


KEYS = ["id", "ack", "body", "from", "fromNumber", "timestamp", "meta", "chat", "type", "quoted"]
ODD = {
    "half a character": '"\\ud83d"',
    "NUL": '"\\u0000"',
    "too large": "1e999",
    "too small": "-1e999",
    "not a number": "NaN",
    "infinity": "Infinity",
    "5000 digits": "9" * 5000,
    "null": "null",
    "list": "[]",
    "object": "{}",
    "true": "true",
    "long": '"' + "x" * 9999 + '"',
    "deep": "[" * 400 + "]" * 400,
}


@pytest.mark.parametrize("tricky", ODD.values(), ids=ODD)
@pytest.mark.parametrize("key", KEYS)
def test_an_odd_value_costs_no_reply(key: str, tricky: str) -> None:
    event = shape_files.example("in_new_text")
    event["data"][key] = "@@"
    raw = json.dumps(event).replace('"@@"', tricky).encode()
    assert enveloped(raw).readable
    for value in vars(OPEN.parse(raw)).values():  # PostgreSQL can hold each of them
        assert "\x00" not in str(value)
        str(value).encode()


def test_a_broken_byte_costs_no_reply() -> None:
    raw = RAW.replace(b"Oui", b"Oui\xff\xc3")
    assert enveloped(raw).readable
    assert getattr(OPEN.parse(raw), "body", "").startswith("Oui")
