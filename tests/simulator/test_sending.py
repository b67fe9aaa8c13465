from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.simulator_process import DEVICE, Simulator, until

PHONE = "+33199000001"


def test_an_accepted_message_is_queued_and_in_the_ledger(simulator: Simulator) -> None:
    simulator.behave(sent_delay=5)
    before = time.time()
    answer = simulator.send(PHONE, "Bonjour Awa", reference="ref-1", retries=0)
    body = answer.json()
    assert answer.status_code == 201
    assert re.fullmatch("[0-9a-f]{24}", body["id"])
    assert re.fullmatch("3EB0[0-9A-F]{14,28}", body["waId"])
    assert (body["status"], body["deliveryStatus"], body["wid"]) == ("queued", "queued", "33199000001@c.us")
    (line,) = simulator.ledger()
    assert (line["reference"], line["phone"], line["text"], line["device"]) == ("ref-1", PHONE, "Bonjour Awa", DEVICE)
    assert line["id"] == body["id"] and before <= line["time"] <= time.time()
    assert simulator.ledger(since=line["time"]) == []


def test_the_same_reference_is_accepted_again(simulator: Simulator) -> None:
    assert [simulator.send(PHONE, reference="same").status_code for _ in range(2)] == [201, 201]
    assert [line["reference"] for line in simulator.ledger()] == ["same", "same"]


@pytest.mark.parametrize(
    ("more", "code", "path"),
    [
        ({"type": "text", "quoted": "x"}, "schema:invalid", "type"),
        ({"phone": "33199000001"}, "phone:invalid", "phone"),
        ({"phone": "+0199000001"}, "phone:invalid", "phone"),
        ({"phone": None}, "schema:invalid", "phone"),
        ({"group": "1@g.us"}, "schema:invalid", "phone"),
        ({"message": None}, "schema:invalid", "message"),
        ({"message": "x" * 4097}, "schema:invalid", "message"),
        ({"message": 5}, "schema:invalid", "message"),
        ({"device": None}, "device:invalid", "device"),
        ({"retries": 101}, "schema:invalid", "retries"),
        ({"retries": True}, "schema:invalid", "retries"),
        ({"enqueue": "later"}, "schema:invalid", "enqueue"),
        ({"reference": ""}, "schema:invalid", "reference"),
        ({"expiration": {"seconds": 4}}, "schema:invalid", "expiration"),
        ({"expiration": {"seconds": 60, "duration": "1h"}}, "schema:invalid", "expiration"),
        ({"expiration": {"date": "soon"}}, "schema:invalid", "expiration"),
        ({"expiration": {"hours": 1}}, "schema:invalid", "expiration.hours"),
        ({"schedule": {"delayTo": "soon"}}, "schema:invalid", "deliverAt"),
        ({"media": {"url": "http://x", "file": "y"}}, "schema:invalid", "media"),
        ({"media": {"href": "http://x"}}, "schema:invalid", "media.href"),
        ({"media": {"file": "y", "format": "gold"}}, "schema:invalid", "media"),
    ],
)
def test_a_wrong_body_is_refused_and_the_mistake_named(
    simulator: Simulator, more: dict[str, object], code: str, path: str
) -> None:
    body = {"phone": PHONE, "message": "x", "device": DEVICE} | more
    body = {key: value for key, value in body.items() if value is not None}
    answer = simulator.call("POST", "/v1/messages", json=body)
    told = answer.json()
    assert (answer.status_code, told["status"], told["errorCode"]) == (400, 400, code)
    assert path in [error["path"] for error in told["errors"]]
    assert simulator.ledger() == []


def test_broken_json_and_a_body_that_is_no_object_are_refused(simulator: Simulator) -> None:
    for raw in (b"{", b"[]", b'"x"', b"\xff"):
        assert simulator.call("POST", "/v1/messages", content=raw).status_code == 400


def test_an_unknown_device_is_told_from_a_malformed_one(simulator: Simulator) -> None:
    unknown = simulator.send(PHONE, device="f" * 24)
    malformed = simulator.send(PHONE, device="mine")
    assert (unknown.status_code, unknown.json()["errorCode"]) == (404, "device:notfound")
    assert (malformed.status_code, malformed.json()["errorCode"]) == (400, "device:invalid")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Token": "wrong"}, 403),
        ({"Token": "simulator-key"}, 200),
        ({"Authorization": "simulator-key"}, 200),
        ({"Authorization": "Bearer simulator-key"}, 200),
    ],
)
def test_the_key_opens_the_door_in_each_of_its_headers(
    simulator: Simulator, headers: dict[str, str], status: int
) -> None:
    answer = httpx.get(f"{simulator.url}/v1/devices", headers=headers, trust_env=False)
    assert answer.status_code == status


def test_a_revoked_key_opens_nothing(simulator: Simulator) -> None:
    simulator.behave(key_revoked=True)
    assert simulator.send(PHONE).status_code == 401
    assert simulator.call("GET", "/v1/devices").status_code == 401


@pytest.mark.parametrize(
    ("phone", "wid"),
    [
        ("+525512345678", "5215512345678@c.us"),
        ("+541123456789", "5491123456789@c.us"),
        ("+5531996883193", "553196883193@c.us"),
        ("+5511987654321", "5511987654321@c.us"),
        ("+12025550142", "12025550142@c.us"),
    ],
)
def test_whatsapp_spells_some_numbers_its_own_way(simulator: Simulator, phone: str, wid: str) -> None:
    assert simulator.send(phone).json()["wid"] == wid
    assert simulator.say(phone)["fromNumber"] == f"+{wid.removesuffix('@c.us')}"
    simulator.behave(number_variants=0)
    assert simulator.send(phone).json()["wid"] == f"{phone[1:]}@c.us"


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        ("refuse", 400, "phone:invalid"),
        ("bad_request", 400, "schema:invalid"),
        ("unauthorized", 401, "auth:invalid"),
        ("payment", 402, "plan:quota"),
        ("forbidden", 403, "auth:forbidden"),
        ("not_found", 404, "device:notfound"),
        ("rate_limit", 429, "rate:limit"),
        ("error", 500, "server:error"),
        ("unavailable", 503, "device:offline"),
    ],
)
def test_a_refused_send_accepts_nothing(simulator: Simulator, outcome: str, status: int, code: str) -> None:
    simulator.behave(send=outcome)
    answer = simulator.send(PHONE)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert simulator.ledger() == []


def test_a_429_says_how_long_to_wait_only_when_told_to(simulator: Simulator) -> None:
    simulator.behave(rate_429=1)
    assert "Retry-After" not in simulator.send(PHONE).headers
    simulator.behave(retry_after=90)
    assert simulator.send(PHONE).headers["Retry-After"] == "90"


@pytest.mark.parametrize(
    ("keys", "status"), [({"rate_5xx": 1}, 503), ({"rate_html_502": 1}, 502), ({"invalid_phones": 1}, 400)]
)
def test_a_rate_of_one_hits_everybody(simulator: Simulator, keys: dict[str, float], status: int) -> None:
    simulator.behave(keys)
    answer = simulator.send(PHONE)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html" if status == 502 else "application/json")
    assert simulator.ledger() == []


def test_the_same_seed_hits_the_same_people_in_any_order(simulator: Simulator) -> None:
    phones = [f"+331990010{n:02d}" for n in range(60)]
    behaviour = {"rate_429": 0.3, "rate_5xx": 0.2}
    simulator.behave(behaviour)
    first = {phone: simulator.send(phone).status_code for phone in phones}
    simulator.reset(seed=1)
    simulator.behave(behaviour)
    again = {phone: simulator.send(phone).status_code for phone in reversed(phones)}
    simulator.reset(seed=2)
    simulator.behave(behaviour)
    other = {phone: simulator.send(phone).status_code for phone in phones}
    assert first == again != other
    assert set(first.values()) == {201, 429, 503}


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("error_after_accept", 500), ("html_after_accept", 502), ("garbled_after_accept", 201)],
)
def test_a_send_may_be_accepted_and_answered_badly(simulator: Simulator, outcome: str, status: int) -> None:
    simulator.behave(send=outcome)
    answer = simulator.send(PHONE, reference="kept")
    assert answer.status_code == status
    with pytest.raises(ValueError):
        if status != 500:
            answer.json()
        raise ValueError(answer.json()["errorCode"])
    assert [line["reference"] for line in simulator.ledger()] == ["kept"]


@pytest.mark.parametrize(("outcome", "accepted"), [("close", 0), ("close_after_accept", 1)])
def test_a_connection_may_be_cut_before_or_after_acceptance(simulator: Simulator, outcome: str, accepted: int) -> None:
    simulator.behave(send=outcome)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        simulator.send(PHONE)
    assert len(simulator.ledger()) == accepted


@pytest.mark.parametrize(("outcome", "accepted"), [("hang", 0), ("timeout_after_accept", 1)])
async def test_a_send_may_never_be_answered(simulator: Simulator, outcome: str, accepted: int) -> None:
    simulator.behave(send=outcome)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{simulator.url}/v1/messages",
            headers={"Token": simulator.token},
            json={"phone": PHONE, "message": "x", "device": DEVICE},
            timeout=0.3,
            trust_env=False,
        )
    await until(lambda: len(simulator.ledger()) == accepted)
    await until(lambda: simulator.requests()["endpoints"].get("POST /v1/messages", {}).get("none") == 1)
    await until(lambda: simulator.requests()["in_flight"] == {})


def test_an_answer_after_acceptance_may_be_late(simulator: Simulator) -> None:
    simulator.behave(timeout_after_accept=1, timeout_seconds=0.3)
    started = time.monotonic()
    assert simulator.send(PHONE).status_code == 201
    assert time.monotonic() - started >= 0.3


def test_latency_comes_before_acceptance_and_lag_after(simulator: Simulator) -> None:
    simulator.behave(latency_ms=200, latency_jitter_ms=50)
    started = time.time()
    simulator.send(PHONE)
    assert simulator.ledger()[0]["time"] - started >= 0.2
    simulator.behave(latency_ms=0, latency_jitter_ms=0, answer_lag_ms=200)
    simulator.send(PHONE)
    assert time.time() - simulator.ledger()[1]["time"] >= 0.2


def test_one_person_may_be_scripted_attempt_by_attempt(simulator: Simulator) -> None:
    simulator.behave(phones={PHONE: {"send": ["rate_limit", "error", "ok"]}})
    assert [simulator.send(PHONE).status_code for _ in range(4)] == [429, 500, 201, 201]
    assert simulator.send("+33199000002").status_code == 201


def test_the_gateways_clock_may_be_wrong(simulator: Simulator) -> None:
    simulator.behave(clock_skew_seconds=3600)
    answer = simulator.send(PHONE)
    ahead = parsedate_to_datetime(answer.headers["Date"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ahead < timedelta(minutes=61)
    assert datetime.fromisoformat(answer.json()["createdAt"]) - datetime.now(UTC) > timedelta(minutes=59)
    assert simulator.ledger()[0]["time"] < time.time() + 1


def test_media_are_taken_by_address_or_by_uploaded_file(simulator: Simulator) -> None:
    (by_address,) = simulator.call("POST", "/v1/files", json={"url": "https://example.org/a.jpg"}).json()
    (uploaded,) = simulator.call("POST", "/v1/files", files={"file": ("b.png", b"1234", "image/png")}).json()
    assert (by_address["filename"], uploaded["size"], uploaded["mime"]) == ("a.jpg", 4, "image/png")
    answer = simulator.send(PHONE, "La photo", media={"file": uploaded["id"]})
    assert answer.json()["media"]["file"] == uploaded["id"]
    assert simulator.send(PHONE, None, media={"url": "https://example.org/a.jpg", "message": "x"}).status_code == 201
    assert simulator.call("POST", "/v1/files", json={"url": "ftp://x"}).status_code == 400
    assert simulator.call("POST", "/v1/files", json={"uri": "http://x"}).status_code == 400
