"""Look-ups: only a complete answer proves anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway import Device, GatewayError, Inbound, LookupFailed, SenderStopped, Webhook
from gateway.wassenger import WEBHOOK_EVENTS
from tests.gateway import shape_files
from tests.gateway.conftest import Open
from tests.gateway.orders import DEVICE, REFERENCE
from tests.gateway.raw_server import Connection, RawServer, Request
from tests.gateway.replay import Answered, listed, replaying, shaped

START = datetime(2026, 5, 26, 9, tzinfo=UTC)
URL = "https://relance.example.org/webhooks/wassenger?token=t"


def rows(count: int, first: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Messages as listed: newest first, a second apart."""
    (example,) = shape_files.example("lookup_list_200")
    return [
        {
            **example,
            "id": f"{n:024x}",
            "reference": f"ref-{n}",
            "createdAt": (START + timedelta(seconds=1000 - n)).isoformat(),
            **more,
        }
        for n in range(first, first + count)
    ]


async def test_a_reference_is_found_with_one_request(open_client: Open) -> None:
    server, script = replaying(shaped("lookup_list_200"))
    async with server:
        (found,) = await open_client(server.url).find(DEVICE, REFERENCE)
    assert (found.reference, found.progress, found.message_id) == (REFERENCE, "delivered", "3EB0F6E5D4C3B2A19808")
    assert script.path() == "/v1/messages"
    assert script.query() == {"reference": REFERENCE, "size": "100", "page": "0"}
    assert len(script.asked) == 1


async def test_an_honoured_filter_that_finds_nothing_proves_absence_with_one_request(open_client: Open) -> None:
    server, script = replaying(shaped("lookup_empty_200"))
    async with server:
        assert await open_client(server.url).find(DEVICE, REFERENCE) == []
    assert len(script.asked) == 1


async def test_only_rows_that_carry_exactly_the_reference_count(open_client: Open) -> None:
    near = [*rows(1, reference=REFERENCE + "0"), *rows(1, 1, reference=REFERENCE.upper()), *rows(1, 2, reference=None)]
    server, _ = replaying(listed(near), listed([]))
    async with server:
        assert await open_client(server.url).find(DEVICE, REFERENCE) == []


async def test_an_ignored_filter_is_read_to_the_empty_page(open_client: Open) -> None:
    # Pages of 20 although 100 were asked for: a short page is not the end.
    ours = [{**rows(1, 45)[0], "reference": REFERENCE}]
    server, script = replaying(listed(rows(20)), listed(rows(20, 20)), listed(rows(5, 40) + ours), listed([]))
    async with server:
        client = open_client(server.url)
        (found,) = await client.find(DEVICE, REFERENCE)
        assert found.reference == REFERENCE
        assert [script.query(n)["page"] for n in range(3)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "answer",
    [
        Answered(502, b"<html>502</html>", "text/html"),
        Answered(200, b"<html>hello</html>", "text/html"),
        Answered(503, b'{"message":"unavailable"}'),
        Answered(404, b'{"message":"not found"}'),
        Answered(401, b'{"message":"bad key"}'),
        Answered(429, b'{"message":"slow"}', headers=("retry-after: 9",)),
        Answered(200, b'[{"id":"1"'),
        Answered(200, b""),
        Answered(200, b"null"),
        Answered(200, b'{"data":[]}'),
        Answered(200, b'["text"]'),
        Answered(200, b"[[]]"),
        Answered(200, b'[{"no":"id"}]'),
        Answered(200, b"[" * 100_000),
        Answered(201, b"[]"),
        Answered(302, b"[]"),
    ],
    ids=lambda a: f"{a.status}-{a.body[:20].decode()}",
)
async def test_anything_but_a_whole_list_proves_nothing(open_client: Open, answer: Answered) -> None:
    server, _ = replaying(answer)
    async with server:
        client = open_client(server.url)
        with pytest.raises(LookupFailed):
            await client.find(DEVICE, REFERENCE)
        with pytest.raises(LookupFailed):
            [row async for row in client.outbound_since(DEVICE, START)]
        with pytest.raises(LookupFailed):
            [raw async for raw in client.inbound_since(DEVICE, START)]


async def test_a_connection_that_breaks_proves_nothing(open_client: Open) -> None:
    async def half(request: Request, connection: Connection) -> None:
        await connection.say(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[]")
        connection.close()

    async with RawServer(half) as server:
        with pytest.raises(LookupFailed):
            await open_client(server.url).find(DEVICE, REFERENCE)
    with pytest.raises(LookupFailed, match="no connection"):
        await open_client(server.url).find(DEVICE, REFERENCE)


async def test_a_failed_page_in_the_middle_fails_the_list(open_client: Open) -> None:
    server, _ = replaying(listed(rows(100)), Answered(502, b"<html>", "text/html"))
    seen = []
    async with server:
        with pytest.raises(LookupFailed):
            async for row in open_client(server.url).outbound_since(DEVICE, START):
                seen.append(row)
    assert len(seen) == 100


async def test_a_list_is_read_newest_first_to_its_empty_page(open_client: Open) -> None:
    # The second page overlaps the first, as when a message was sent between the two requests.
    server, script = replaying(listed(rows(100)), listed(rows(50, 99)), listed([]))
    async with server:
        found = [m.reference async for m in open_client(server.url).outbound_since(DEVICE, START)]
    assert found == [f"ref-{n}" for n in range(149)]
    assert script.query() == {"createdAfter": "2026-05-26T09:00:00.000Z", "size": "100", "page": "0"}
    assert len(script.asked) == 3


async def test_other_devices_and_older_rows_are_left_out(open_client: Open) -> None:
    others, objects = rows(1, 0, device="another"), rows(1, 1, device={"id": DEVICE})
    old = rows(2, 2000)
    server, script = replaying(listed(others + objects + old), listed([]))
    async with server:
        found = [m.reference async for m in open_client(server.url).outbound_since(DEVICE, START)]
    assert found == ["ref-1"]
    assert len(script.asked) == 1, "the rest is older still"


async def test_a_list_that_runs_oldest_first_is_turned(open_client: Open) -> None:
    server, _ = replaying(listed(rows(30, 10)[::-1]), listed(rows(10)[::-1]), listed([]))
    async with server:
        found = [m.reference async for m in open_client(server.url).outbound_since(DEVICE, START)]
    assert found == [f"ref-{n}" for n in range(40)]


async def test_a_list_in_no_order_fails(open_client: Open) -> None:
    server, _ = replaying(listed(rows(3, 500)), listed(rows(3)), listed([]))
    async with server:
        with pytest.raises(LookupFailed, match="no order"):
            [m async for m in open_client(server.url).outbound_since(DEVICE, START)]


async def test_a_gateway_that_ignores_the_page_fails(open_client: Open) -> None:
    server, script = replaying(listed(rows(100)))
    async with server:
        with pytest.raises(LookupFailed, match="repeats a page"):
            [m async for m in open_client(server.url).outbound_since(DEVICE, START)]
    assert len(script.asked) == 2


async def test_missed_replies_come_as_the_webhooks_they_missed(open_client: Open) -> None:
    received = shape_files.example("chat_messages_list_200")
    received += [{**received[0], "id": "3EB0FFFFFFFFFFFFFFFF", "flow": "outbound"}]
    received += [{**received[0], "id": "3EB0EEEEEEEEEEEEEEEE", "timestamp": 1779785000}]
    server, script = replaying(listed(received[::-1]), listed([]))
    async with server:
        client = open_client(server.url)
        raw = [body async for body in client.inbound_since(DEVICE, START)]
    assert script.path() == f"/v1/chat/{DEVICE}/messages"
    assert script.query() == {"flow": "inbound", "after": "2026-05-26T09:00:00.000Z", "size": "100", "page": "0"}
    read = [client.parse(body) for body in raw]
    assert [(e.type, e.phone, e.noise) for e in read if isinstance(e, Inbound)] == [
        ("text", "+33199000123", None),
        ("sticker", "+33199000123", None),
    ]


async def test_a_missed_reply_has_the_key_its_webhook_would_have_had(open_client: Open) -> None:
    webhook = shape_files.example("in_new_text")
    server, _ = replaying(listed([{**webhook["data"], "ack": "read", "extra": "\ud83d"}]), listed([]))
    async with server:
        client = open_client(server.url)
        (raw,) = [body async for body in client.inbound_since(DEVICE, START)]
    query = {"token": "a-long-token-of-ours"}
    again, first = client.receive({}, query, raw), client.receive({}, query, json.dumps(webhook).encode())
    assert again == first


# --- devices ---------------------------------------------------------------------------------------


async def test_a_device_is_ready_if_and_only_if_operative_and_online(open_client: Open) -> None:
    server, script = replaying(shaped("device_200"))
    async with server:
        assert await open_client(server.url).device(DEVICE) == Device(
            device_id=DEVICE, phone="+33261910001", state="ready", reason=None, allows_replies=True
        )
    assert script.path() == f"/v1/devices/{DEVICE}"


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"status": "disabled"}, "blocked"),
        ({"status": "removed"}, "blocked"),
        ({"status": "pending"}, "offline"),
        ({"status": None}, "degraded"),
        ({"session": {"status": "authorize"}}, "blocked"),
        ({"session": {"status": "error", "error": "banned +33199000123"}}, "blocked"),
        ({"session": {"status": "new"}}, "offline"),
        ({"session": {"status": "offline"}}, "offline"),
        ({"session": {"status": "timeout"}}, "degraded"),
        ({"session": {"status": "ready"}}, "degraded"),
        ({"session": None}, "degraded"),
    ],
)
async def test_a_device_that_is_not_ready_says_why(open_client: Open, change: dict[str, Any], state: str) -> None:
    body = {**shape_files.example("device_200"), **change}
    server, _ = replaying(Answered(200, json.dumps(body).encode()))
    async with server:
        device = await open_client(server.url).device(DEVICE)
    assert device.state == state
    assert device.reason
    assert "33199000123" not in device.reason


@pytest.mark.parametrize(
    ("billing", "allowed"),
    [
        ({"subscription": {"product": "io"}}, True),
        ({"subscription": {"product": "gateway"}}, False),
        ({"subscription": {"plan": "io-business"}}, True),
        ({"subscription": {"product": "other"}}, None),
        (None, None),
    ],
)
async def test_a_plan_tells_whether_replies_arrive(open_client: Open, billing: Any, allowed: bool | None) -> None:
    body = {**shape_files.example("device_200"), "billing": billing, "plan": None}
    server, _ = replaying(listed([body]))
    async with server:
        (device,) = await open_client(server.url).devices()
    assert device.allows_replies is allowed


async def test_every_number_is_listed_once(open_client: Open) -> None:
    device = shape_files.example("device_200")
    server, _ = replaying(listed([device]), listed([{**device, "id": "6a1f0c2d9b3e4f5a6b7c8d9f"}]), listed([]))
    async with server:
        found = await open_client(server.url).devices()
    assert [d.device_id[-1] for d in found] == ["e", "f"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (shaped("error_key_401"), SenderStopped),
        (shaped("error_device_notfound_404"), SenderStopped),
        (Answered(403, b"{}"), SenderStopped),
        (Answered(401, b"<html>", "text/html"), LookupFailed),
        (Answered(500, b"{}"), LookupFailed),
        (Answered(200, b"[1]"), LookupFailed),
        (Answered(200, b'"x"'), LookupFailed),
    ],
)
async def test_a_refusal_about_key_or_device_stops_the_sender(
    open_client: Open, answer: Answered, error: type[GatewayError]
) -> None:
    server, _ = replaying(answer)
    async with server:
        client = open_client(server.url)
        for ask in (lambda: client.device(DEVICE), client.devices, client.webhooks):
            with pytest.raises(error):
                await ask()


# --- webhooks --------------------------------------------------------------------------------------


async def test_registered_webhooks_are_listed(open_client: Open) -> None:
    server, script = replaying(shaped("webhooks_list_200"))
    async with server:
        assert await open_client(server.url).webhooks() == [
            Webhook(
                webhook_id="6a1f0f2b3c4d5e6f70819203", url=URL, events=WEBHOOK_EVENTS, device_id=DEVICE, enabled=True
            )
        ]
    assert script.path() == "/v1/webhooks"


async def test_a_webhook_is_registered_with_every_event(open_client: Open) -> None:
    server, script = replaying(listed([]), shaped("webhook_create_201"))
    async with server:
        await open_client(server.url).register_webhook(DEVICE, URL)
    known = shape_files.shape("webhook_create_request")
    assert (script.asked[1].method, script.path(1)) == (known["method"], known["path"])
    assert shape_files.missing(script.body(1), known["required"]) == []
    assert script.body(1) == known["example"]


async def test_a_webhook_that_is_there_already_is_left_alone(open_client: Open) -> None:
    server, script = replaying(shaped("webhooks_list_200"))
    async with server:
        await open_client(server.url).register_webhook(DEVICE, URL)
    assert len(script.asked) == 1


async def test_a_disabled_webhook_is_completed_and_enabled(open_client: Open) -> None:
    (hook,) = shape_files.example("webhooks_list_200")
    hook |= {"status": "disabled", "events": ["message:in:new", "chat:update"]}
    server, script = replaying(listed([hook]), shaped("webhook_enable_200"))
    async with server:
        await open_client(server.url).register_webhook(DEVICE, URL)
    assert [(r.method, r.target) for r in script.asked[1:]] == [
        ("PATCH", f"/v1/webhooks/{hook['id']}"),
        ("POST", f"/v1/webhooks/{hook['id']}/enable"),
    ]
    assert set(script.body(1)["events"]) == {*WEBHOOK_EVENTS, "chat:update"}


async def test_somebody_faster_is_no_error(open_client: Open) -> None:
    server, script = replaying(listed([]), shaped("webhook_create_409"), shaped("webhooks_list_200"))
    async with server:
        await open_client(server.url).register_webhook(DEVICE, URL)
    assert len(script.asked) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answered(403, b'{"message":"bad key"}'), SenderStopped),
        (Answered(400, b'{"message":"url is not reachable"}'), LookupFailed),
        (Answered(502, b"<html>", "text/html"), LookupFailed),
    ],
)
async def test_a_registration_that_fails_says_so(
    open_client: Open, answer: Answered, error: type[GatewayError]
) -> None:
    server, _ = replaying(listed([]), answer)
    async with server:
        with pytest.raises(error, match=str(answer.status)):
            await open_client(server.url).register_webhook(DEVICE, URL)
