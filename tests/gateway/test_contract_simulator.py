"""The real client against the simulator's process: the same promises as against the shapes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway import (
    Delivery,
    Envelope,
    Event,
    GatewayError,
    Inbound,
    LookupFailed,
    Order,
    Outbound,
    RateLimited,
    Refused,
    SenderStopped,
    SessionChange,
    Unknown,
)
from gateway.wassenger import WEBHOOK_EVENTS, Wassenger
from tests.gateway.conftest import Open
from tests.gateway.orders import PHONE, SIGNING_KEY, TOKEN, order
from tests.gateway.raw_server import Connection, RawServer, Request
from tests.simulator_process import Simulator, running_simulator, until


@pytest.fixture(scope="module")
def process() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(process: Simulator) -> Simulator:
    process.reset()
    process.behave(reply_rate=0.0)
    return process


@pytest.fixture
def client(simulator: Simulator, open_client: Open) -> Wassenger:
    return open_client(simulator.url, api_key=f"Token {simulator.token}", signing_secret=SIGNING_KEY, timeout=2.0)


def to_simulator(simulator: Simulator, number: int = 0, **more: Any) -> Order:
    return order(device_id=simulator.device, reference=f"ref-{number}", **more)


async def test_what_was_accepted_is_in_the_ledger_once(simulator: Simulator, client: Wassenger) -> None:
    sent = await client.send(to_simulator(simulator))
    (line,) = simulator.ledger()
    assert (line["reference"], line["phone"], line["text"]) == ("ref-0", PHONE, "Bonjour Awa")
    assert (sent.reference, sent.gateway_id, sent.message_id, sent.wid) == (
        "ref-0",
        line["id"],
        line["waId"],
        line["wid"],
    )
    assert {"enqueue": "never", "retries": 1}.items() <= line["options"].items()
    assert line["options"]["expiration"].keys() == {"date"}


@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("refuse", Refused),
        ("bad_request", Refused),
        ("unauthorized", SenderStopped),
        ("payment", SenderStopped),
        ("forbidden", SenderStopped),
        ("not_found", SenderStopped),
        ("rate_limit", RateLimited),
        ("error", Unknown),
        ("unavailable", Unknown),
        ("html_502", Unknown),
        ("hang", Unknown),
        ("close", Unknown),
    ],
)
async def test_a_refusal_leaves_nothing_and_a_look_up_says_so(
    simulator: Simulator, client: Wassenger, fate: str, error: type[GatewayError]
) -> None:
    simulator.behave(send=fate, retry_after=75)
    with pytest.raises(GatewayError) as raised:
        await client.send(to_simulator(simulator))
    assert type(raised.value) is error
    assert raised.value.retry_after == (75.0 if fate == "rate_limit" else None)
    assert simulator.ledger() == []
    assert await client.find(simulator.device, "ref-0") == []


@pytest.mark.parametrize(
    "fate", ["timeout_after_accept", "error_after_accept", "html_after_accept", "close_after_accept"]
)
async def test_an_acceptance_we_were_not_told_of_is_found(simulator: Simulator, client: Wassenger, fate: str) -> None:
    simulator.behave(send=fate)
    with pytest.raises(Unknown):
        await client.send(to_simulator(simulator))
    (line,) = simulator.ledger()
    (found,) = await client.find(simulator.device, "ref-0")
    assert (found.gateway_id, found.message_id) == (line["id"], line["waId"])


async def test_an_acceptance_with_half_a_body_has_no_ids(simulator: Simulator, client: Wassenger) -> None:
    simulator.behave(send="garbled_after_accept")
    assert await client.send(to_simulator(simulator)) == Outbound(reference="ref-0")
    assert len(simulator.ledger()) == 1


async def test_a_message_that_came_too_late_is_told_as_expired(simulator: Simulator, client: Wassenger) -> None:
    simulator.behave(sent_delay=0.5)
    await client.send(to_simulator(simulator, not_after=datetime.now(UTC) + timedelta(seconds=0.1)))

    async def failed() -> list[Outbound]:
        return [found for found in await client.find(simulator.device, "ref-0") if found.progress == "failed"]

    found: list[Outbound] = await until(failed)
    assert [message.expired for message in found] == [True]


@pytest.mark.parametrize("skew", [40.0, -40.0])
async def test_an_expiration_holds_by_the_gateways_clock(simulator: Simulator, client: Wassenger, skew: float) -> None:
    simulator.behave(clock_skew_seconds=skew)
    await client.device(simulator.device)  # any answer tells the clock
    not_after = datetime.now(UTC) + timedelta(seconds=12)
    await client.send(to_simulator(simulator, not_after=not_after))
    (line,) = simulator.ledger()
    told = datetime.fromisoformat(line["options"]["expiration"]["date"])
    assert abs((told - not_after).total_seconds() - skew) < 2


@pytest.mark.parametrize("ignored", [False, True])
async def test_a_list_is_complete_whatever_its_pages(simulator: Simulator, client: Wassenger, ignored: bool) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    await asyncio.gather(*(client.send(to_simulator(simulator, n, phone=f"+33199000{n:03}")) for n in range(25)))
    simulator.behave(page_limit=7, lookup_ignores_filter=ignored)
    listed = [m.reference async for m in client.outbound_since(simulator.device, began)]
    assert listed == [line["reference"] for line in reversed(simulator.ledger())]
    assert [m.reference for m in await client.find(simulator.device, "ref-3")] == ["ref-3"]
    assert await client.find(simulator.device, "ref-none") == []
    assert [m async for m in client.outbound_since(simulator.device, datetime.now(UTC) + timedelta(seconds=5))] == []


async def test_look_ups_that_are_unavailable_prove_nothing(simulator: Simulator, client: Wassenger) -> None:
    simulator.behave(lookups_unavailable=True)
    with pytest.raises(LookupFailed, match="503"):
        await client.find(simulator.device, "ref-0")
    with pytest.raises(LookupFailed, match="503"):
        [row async for row in client.outbound_since(simulator.device, datetime.now(UTC))]


async def test_the_device_tells_its_health_and_its_plan(simulator: Simulator, client: Wassenger) -> None:
    device = await client.device(simulator.device)
    assert (device.state, device.allows_replies) == ("ready", True)
    assert [d.device_id for d in await client.devices()] == [simulator.device]
    simulator.behave(device_product="gateway", device_offline=True)
    device = await client.device(simulator.device)
    assert (device.state, device.allows_replies) == ("offline", False)
    with pytest.raises(SenderStopped):
        await client.device("0" * 24)
    simulator.behave(key_revoked=True)
    with pytest.raises(SenderStopped):
        await client.device(simulator.device)


# --- webhooks --------------------------------------------------------------------------------------


class Mailbox:
    """Receives webhooks as the web process would, and reads them as the workers would."""

    def __init__(self, client: Wassenger) -> None:
        self.client = client
        self.envelopes: list[Envelope] = []
        self.events: list[Event] = []

    async def __call__(self, request: Request, connection: Connection) -> None:
        query = {key: values[0] for key, values in parse_qs(urlsplit(request.target).query).items()}
        answer = self.client.receive(request.headers, query, request.body)
        await connection.answer(200 if isinstance(answer, Envelope) else 401)
        if isinstance(answer, Envelope):
            self.envelopes.append(answer)
            self.events.append(self.client.parse(request.body))

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


async def test_registering_twice_registers_once_and_enables_again(simulator: Simulator, client: Wassenger) -> None:
    url = f"http://127.0.0.1:9/webhooks/wassenger?token={TOKEN}"
    for _ in range(2):
        await client.register_webhook(simulator.device, url)
    (hook,) = await client.webhooks()
    assert (hook.url, set(hook.events), hook.enabled) == (url, set(WEBHOOK_EVENTS), True)
    simulator.call("POST", f"/v1/webhooks/{hook.webhook_id}/disable").raise_for_status()
    assert [h.enabled for h in await client.webhooks()] == [False]
    await client.register_webhook(simulator.device, url)
    assert [h.enabled for h in await client.webhooks()] == [True]


async def test_every_kind_of_reply_is_told_apart(simulator: Simulator, client: Wassenger) -> None:
    simulator.behave(signing_secret=SIGNING_KEY)
    mailbox = Mailbox(client)
    kinds = ["text", "emoji", "voice", "audio", "image", "video", "document", "sticker", "location", "poll", "contacts"]
    async with RawServer(mailbox) as server:
        await client.register_webhook(simulator.device, f"{server.url}/webhooks/wassenger?token={TOKEN}")
        sent = await client.send(to_simulator(simulator))
        for kind in kinds:
            await asyncio.to_thread(simulator.say, PHONE, kind)
        await asyncio.to_thread(simulator.say, PHONE, "reaction", body="👍", quoted=sent.message_id)
        await asyncio.to_thread(simulator.say, PHONE, "reaction", quoted=sent.message_id)
        await asyncio.to_thread(simulator.say, PHONE, "text", body="Oui", quoted=sent.message_id)
        await until(lambda: len(mailbox.of(Inbound)) == len(kinds) + 3)
    inbound = sorted(mailbox.of(Inbound), key=lambda event: event.at)
    assert {event.phone for event in inbound} == {PHONE}
    assert sorted(e.type for e in inbound if not e.quoted_id) == sorted(
        ["other" if k == "contacts" else k for k in kinds]
    )
    quoting = {(e.type, e.body, e.noise) for e in inbound if e.quoted_id == sent.message_id}
    assert quoting == {("reaction", "👍", None), ("reaction", None, "removed reaction"), ("text", "Oui", None)}
    assert len({e.event_key for e in mailbox.envelopes}) == len(mailbox.envelopes)


async def test_noise_is_never_a_reply(simulator: Simulator, client: Wassenger) -> None:
    every = ["group", "echo", "status", "notification", "channel", "unreact", "vote", "chat_update"]
    simulator.behave(noise=dict.fromkeys(every, 1.0))
    mailbox = Mailbox(client)
    async with RawServer(mailbox) as server:
        simulator.behave(webhook_url=f"{server.url}/?token={TOKEN}")
        await client.send(to_simulator(simulator))
        await until(lambda: len(simulator.inbound(genuine=False)) >= len(every))
        await until(lambda: all(hook["state"] == "delivered" for hook in simulator.webhooks()))
    assert len(mailbox.of(Inbound)) >= 5
    assert [event for event in mailbox.of(Inbound) if event.noise is None] == []


async def test_deliveries_carry_our_reference_and_grow(simulator: Simulator, client: Wassenger) -> None:
    simulator.behave(read_rate=1.0, time_scale=50)
    mailbox = Mailbox(client)
    async with RawServer(mailbox) as server:
        await client.register_webhook(simulator.device, f"{server.url}/?token={TOKEN}")
        sent = await client.send(to_simulator(simulator))
        await until(lambda: {"sent", "delivered", "read"} <= {d.outbound.progress for d in mailbox.of(Delivery)})
    for delivery in mailbox.of(Delivery):
        assert delivery.outbound.reference == "ref-0"
        assert delivery.outbound.message_id == sent.message_id
        assert delivery.outbound.gateway_id in (None, sent.gateway_id)


async def test_a_failure_and_a_lost_session_are_told(simulator: Simulator, client: Wassenger) -> None:
    simulator.behave(send="block")
    mailbox = Mailbox(client)
    async with RawServer(mailbox) as server:
        await client.register_webhook(simulator.device, f"{server.url}/?token={TOKEN}")
        await client.send(to_simulator(simulator))
        await until(lambda: any(d.outbound.progress == "failed" for d in mailbox.of(Delivery)))
        await asyncio.to_thread(simulator.behave, device_offline=True)
        await until(lambda: mailbox.of(SessionChange))
    (failed,) = (d.outbound for d in mailbox.of(Delivery) if d.outbound.progress == "failed")
    assert failed.error
    assert not failed.expired
    assert [change.state for change in mailbox.of(SessionChange)] == ["offline"]


async def test_missed_replies_are_read_back_as_they_would_have_come(simulator: Simulator, client: Wassenger) -> None:
    mailbox = Mailbox(client)
    began = datetime.now(UTC) - timedelta(seconds=2)
    async with RawServer(mailbox) as server:
        await client.register_webhook(simulator.device, f"{server.url}/?token={TOKEN}")
        await client.send(to_simulator(simulator))
        for kind in ("text", "sticker", "poll"):
            await asyncio.to_thread(simulator.say, PHONE, kind)
        await until(lambda: len(mailbox.of(Inbound)) == 3)
        simulator.behave(page_limit=2)
        raw = [body async for body in client.inbound_since(simulator.device, began)]
    again = [client.receive({}, {"token": TOKEN}, body) for body in raw]
    assert {e.event_key for e in again if isinstance(e, Envelope)} == {
        e.event_key for e in mailbox.envelopes if e.kind == "message:in:new"
    }
    read = [client.parse(body) for body in raw]
    assert sorted(read, key=repr) == sorted(mailbox.of(Inbound), key=repr)
