from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulator_process import DEVICE, Simulator, until

PHONE = "+33199000001"


def _list(simulator: Simulator, **query: Any) -> list[dict[str, Any]]:
    answer = simulator.call("GET", "/v1/messages", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def test_a_message_is_found_by_id_reference_phone_and_device(simulator: Simulator) -> None:
    sent = simulator.send(PHONE, reference="a").json()
    simulator.send("+33199000002", reference="b")
    assert simulator.call("GET", f"/v1/messages/{sent['id']}").json()["reference"] == "a"
    assert [row["id"] for row in _list(simulator, reference="a")] == [sent["id"]]
    assert [row["id"] for row in _list(simulator, phone=PHONE)] == [sent["id"]]
    assert [row["id"] for row in _list(simulator, ids=sent["id"])] == [sent["id"]]
    assert [row["id"] for row in _list(simulator, waIds=sent["waId"])] == [sent["id"]]
    assert [row["reference"] for row in _list(simulator, device=DEVICE)] == ["b", "a"]
    assert _list(simulator, reference="c") == _list(simulator, device="f" * 24) == []
    assert simulator.call("GET", "/v1/messages/nothing").status_code == 404


async def test_a_message_is_found_by_either_of_its_two_states(simulator: Simulator) -> None:
    simulator.send(PHONE)
    await until(lambda: _list(simulator, status="read"))
    (row,) = _list(simulator, status="sent")
    assert (row["status"], row["deliveryStatus"]) == ("sent", "read")
    assert _list(simulator, status="queued,failed") == []


def test_lists_are_paged_from_zero_newest_first(simulator: Simulator) -> None:
    for n in range(5):
        simulator.send(PHONE, reference=str(n))
    pages = [[row["reference"] for row in _list(simulator, size=2, page=page)] for page in range(4)]
    assert pages == [["4", "3"], ["2", "1"], ["0"], []]
    simulator.behave(page_limit=1)
    assert len(_list(simulator, size=100)) == 1
    assert simulator.call("GET", "/v1/messages", params={"size": 0}).status_code == 400
    assert simulator.call("GET", "/v1/messages", params={"nonsense": 1}).status_code == 400


def test_created_after_and_before_cut_the_list(simulator: Simulator) -> None:
    first = simulator.send(PHONE, reference="a").json()
    simulator.behave(clock_skew_seconds=100)
    second = simulator.send(PHONE, reference="b").json()
    assert [row["reference"] for row in _list(simulator, createdAfter=second["createdAt"])] == ["b"]
    assert [row["reference"] for row in _list(simulator, createdAfter=first["createdAt"])] == ["b", "a"]
    assert [row["reference"] for row in _list(simulator, createdBefore=second["createdAt"])] == ["a"]
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert _list(simulator, createdAfter=later) == []
    assert simulator.call("GET", "/v1/messages", params={"createdAfter": "yesterday"}).status_code == 400


async def test_look_ups_may_lag_behind(simulator: Simulator) -> None:
    simulator.behave(lookup_lag_seconds=0.4)
    sent = simulator.send(PHONE, reference="a").json()
    assert _list(simulator, reference="a") == []
    assert simulator.call("GET", f"/v1/messages/{sent['id']}").status_code == 404
    assert len(simulator.ledger()) == 1
    await until(lambda: _list(simulator, reference="a"))


def test_look_ups_may_be_unavailable_or_ignore_the_question(simulator: Simulator) -> None:
    simulator.send(PHONE, reference="a")
    simulator.behave(lookup_ignores_filter=True)
    assert [row["reference"] for row in _list(simulator, reference="other")] == ["a"]
    simulator.behave(lookups_unavailable=True, lookup_latency_ms=10)
    for path in ("/v1/messages?reference=a", "/v1/messages/x", f"/v1/chat/{DEVICE}/messages"):
        assert simulator.call("GET", path).status_code == 503


async def test_only_a_queued_message_can_be_deleted(simulator: Simulator) -> None:
    simulator.behave(queue_delay=3)
    queued = simulator.send(PHONE, reference="a", enqueue="always").json()
    left = simulator.send(PHONE, reference="b").json()
    assert simulator.call("DELETE", f"/v1/messages/{queued['id']}").status_code == 200
    assert _list(simulator, reference="a") == []
    await until(lambda: simulator.ledger()[1]["status"] == "read")
    assert simulator.call("DELETE", f"/v1/messages/{left['id']}").status_code == 409
    assert simulator.call("DELETE", f"/v1/messages/{left['id']}?force=true").status_code == 200
    assert [line["deleted"] for line in simulator.ledger()] == [True, True]
    assert simulator.ledger()[0]["status"] == "queued"


def test_the_device_tells_its_health_and_plan(simulator: Simulator) -> None:
    (device,) = simulator.call("GET", "/v1/devices").json()
    assert device == simulator.call("GET", f"/v1/devices/{DEVICE}").json()
    assert (device["status"], device["session"]["status"]) == ("operative", "online")
    assert device["billing"]["subscription"]["product"] == "io"
    simulator.behave(device_offline=[DEVICE], device_product="gateway")
    device = simulator.call("GET", f"/v1/devices/{DEVICE}").json()
    health = simulator.call("GET", f"/v1/devices/{DEVICE}/health").json()
    assert device["session"]["status"] == health["session"]["status"] == "offline"
    assert device["billing"]["subscription"]["product"] == "gateway"
    assert simulator.call("GET", f"/v1/devices/{'f' * 24}").status_code == 404


def test_a_number_without_whatsapp_does_not_exist(simulator: Simulator) -> None:
    simulator.behave(phones={"+33199000002": {"send": "refuse"}})
    found = simulator.call("POST", "/v1/numbers/exists", json={"phone": PHONE})
    missing = simulator.call("POST", "/v1/numbers/exists", json={"phone": "+33199000002"})
    assert (found.status_code, found.json()["exists"]) == (200, True)
    assert (missing.status_code, missing.json()["exists"]) == (404, False)
    assert simulator.call("POST", "/v1/numbers/exists", json={"phone": "0199"}).status_code == 400
    assert simulator.call("POST", "/v1/numbers/exists", json=[]).status_code == 400


def test_what_came_in_can_be_read_back_page_by_page(simulator: Simulator) -> None:
    simulator.send(PHONE)
    for n in range(3):
        simulator.say(PHONE, body=str(n), at=1_700_000_000.5 + n)
    path = f"/v1/chat/{DEVICE}/messages"

    def bodies(**query: Any) -> list[str]:
        return [row["body"] for row in simulator.call("GET", path, params=query).json()]

    assert bodies(flow="inbound") == ["2", "1", "0"]
    assert bodies(flow="inbound", sort="date:asc", size=2, page=1) == ["2"]
    assert bodies(flow="inbound", after="2023-11-14T22:13:21Z") == ["2", "1"]
    assert bodies(flow="inbound", after="1700000002") == ["2"]
    assert bodies(flow="inbound", before="1700000001") == ["0"]
    assert bodies(flow="outbound") == ["Bonjour"]
    assert simulator.call("GET", path, params={"after": "soon"}).status_code == 400


def test_an_inbound_attachment_can_be_fetched(simulator: Simulator) -> None:
    simulator.say(PHONE, "image")
    (row,) = simulator.call("GET", f"/v1/chat/{DEVICE}/messages?flow=inbound").json()
    answer = simulator.call("GET", row["media"]["links"]["download"])
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert simulator.call("GET", f"/v1/chat/{DEVICE}/files/none/download").status_code == 404
