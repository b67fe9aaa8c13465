"""Wassenger (and its white-label siblings): HTTP out, webhook JSON in. The facts are the vendor's API v1."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import msgspec

import settings
from gateway import (
    Device,
    Envelope,
    Event,
    File,
    KeptFile,
    LookupFailed,
    Order,
    Outbound,
    Refused,
    Rejected,
    SenderStopped,
    Webhook,
)
from gateway import wassenger_answers as answers
from gateway import wassenger_events as events
from gateway import wassenger_files as files
from gateway.transport import Answer
from gateway.wassenger_api import MAX_PAGES, SEND_LIMIT, Api, page
from gateway.wassenger_outbound import outbound
from gateway.wassenger_webhook import Doorkeeper, envelope
from gateway.wassenger_wire import Json, device_of, iso, moment, text

ORDER_TOLERANCE: Final = timedelta(minutes=1)
"""Rows this close together may be listed in any order."""
VENDOR_RETRIES: Final = 1
"""Deliveries the vendor may try again by itself. Not 25 (its default): they end with our expiration some
seconds later anyway. Not 0: a failure it reports after having accepted is not retried by us."""
LEAST_TYPING: Final = 2
"""Seconds: the vendor shows no shorter typing."""
WEBHOOK_EVENTS: Final = (
    "message:in:new",
    "message:out:sent",
    "message:out:ack",
    "message:out:failed",
    "message:reaction",
    "message:update",
    "number:session",
)
"""Every event we need. ``message:out:new`` would only echo our own sends."""


class Wassenger:
    """The gateway as Wassenger speaks it. One per process: it holds the pool of connections.

    ``timeout`` (seconds) is the deadline of each call, in total. ``connections`` bounds the pool.
    Opens nothing before the first call, so that a web process may authenticate webhooks without a loop.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        webhook_secret: str,
        signing_secret: str = "",
        require_signature: bool = False,
        timeout: float = 5.0,
        connections: int = 200,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        self._api = Api(base_url, api_key, timeout=timeout, connections=connections, verify=verify)
        self._doorkeeper = Doorkeeper(webhook_secret, signing_secret, require_signature=require_signature)

    @classmethod
    def from_settings(cls, given: settings.Settings | None = None) -> Wassenger:
        """Return the client that the settings describe (by default the process's)."""
        s = settings.get() if given is None else given
        return cls(
            base_url=s.wassenger_base_url,
            api_key=s.wassenger_api_key,
            webhook_secret=s.wassenger_webhook_secret,
            signing_secret=s.wassenger_signing_secret,
            require_signature=s.wassenger_require_signature,
            timeout=s.gateway_timeout_seconds,
            verify=ssl.create_default_context(cafile=s.ssl_cert_file) if s.ssl_cert_file else True,
        )

    # --- messages ----------------------------------------------------------------------------------

    async def send(self, order: Order) -> Outbound:
        """Hand over one message. See ``Gateway.send`` for the errors and what each proves."""
        answer = await self._api.call(
            "POST", "/messages", body=self._order_body(order), limit=SEND_LIMIT, may_write=order.may_write
        )
        return answers.accepted(answer, order.reference)

    async def find(self, device_id: str, reference: str) -> Sequence[Outbound]:
        """Look one reference up. The device is not part of the question: a reference is ours alone,
        and finding it anywhere proves that it left.

        A filter that is honoured answers with this reference or with nothing. Where other rows come
        back it was not, and the list is read on to its empty page before anything counts as absent.
        """
        async for rows in self._api.pages("/messages", {"reference": reference}):
            found = [outbound(row) for row in rows if text(row, "reference") == reference]
            if found:
                return found
        return []

    async def outbound_since(self, device_id: str, since: datetime) -> AsyncIterator[Outbound]:
        """List what the device was given since ``since``, newest first, up to the empty page.

        Streams where the gateway lists newest first; a list the other way round is read whole before.
        """
        held: list[tuple[datetime, Json]] = []
        newest_first: bool | None = None
        last: datetime | None = None
        async for rows in self._api.pages("/messages", {"createdAfter": iso(since)}):
            given = [(_created(row), row) for row in rows]
            if newest_first is None:
                newest_first = given[0][0] >= given[-1][0]
            if not newest_first:
                held += given
                continue
            for created, row in given:
                if last is not None and created > last + ORDER_TOLERANCE:
                    raise LookupFailed("the gateway lists its messages in no order")
                last = created
                if _is_of(row, device_id, created, since):
                    yield outbound(row)
            if last is not None and last < since:  # the filter was ignored, and the rest is older still
                return
        for created, row in sorted(held, key=lambda pair: pair[0], reverse=True):
            if _is_of(row, device_id, created, since):
                yield outbound(row)

    async def inbound_since(self, device_id: str, since: datetime) -> AsyncIterator[bytes]:
        """List what the device received since ``since`` as ``message:in:new`` bodies, oldest first."""
        path = f"/chat/{quote(device_id, safe='')}/messages"
        since = since.replace(microsecond=0)  # their times are cut to the second
        received: list[tuple[datetime, Json]] = []
        async for rows in self._api.pages(path, {"flow": "inbound", "after": iso(since)}):
            dated = [(moment(row, "timestamp", "date") or since, row) for row in rows]
            received += [(at, row) for at, row in dated if at >= since and text(row, "flow") != "outbound"]
        for at, row in sorted(received, key=lambda pair: pair[0]):
            yield events.as_webhook(device_id, row, at)

    async def keep(self, file: File) -> KeptFile:
        """Hand over a file that messages will carry. See ``Gateway.keep`` for the errors."""
        return await files.keep(self._api, file)

    # --- numbers and webhooks ----------------------------------------------------------------------

    async def device(self, device_id: str) -> Device:
        """Return the health of one number. Raises LookupFailed, or SenderStopped (bad key, unknown device)."""
        answer = await self._api.ask("GET", f"/devices/{quote(device_id, safe='')}")
        return replace(answers.device(answers.examined(answer)), clock_skew=self._api.clock_skew.total_seconds())

    async def devices(self) -> Sequence[Device]:
        """List every number the key can see. Raises LookupFailed or SenderStopped (bad key)."""
        found: dict[str, Device] = {}
        for number in range(MAX_PAGES):
            answer = await self._api.ask("GET", "/devices", params=page(number))
            listed = {d.device_id: d for d in map(answers.device, answers.objects(answers.examined(answer)))}
            if listed.keys() <= found.keys():  # the end, or a gateway that knows no pages here
                break
            found |= listed
        return list(found.values())

    async def webhooks(self) -> Sequence[Webhook]:
        """List the registered webhooks. Raises LookupFailed or SenderStopped (bad key)."""
        answer = await self._api.ask("GET", "/webhooks")
        return [answers.webhook(row) for row in answers.objects(answers.examined(answer))]

    async def register_webhook(self, device_id: str, url: str) -> None:
        """Register our webhook with every event we need; enable and complete it if it is there already.

        Twice is once. Raises LookupFailed (with the gateway's words) or SenderStopped (bad key).
        """
        ours = await self._registered(device_id, url)
        if ours is None:
            body = {"name": "Relance", "url": url, "events": WEBHOOK_EVENTS, "device": device_id}
            answer = await self._api.ask("POST", "/webhooks", body)
            if answer.status == 409:  # somebody was faster
                ours = await self._registered(device_id, url)
            else:
                _done(answer)
        if ours is None:
            return
        if not set(WEBHOOK_EVENTS) <= set(ours.events):
            wanted = sorted({*WEBHOOK_EVENTS, *ours.events})
            _done(await self._api.ask("PATCH", f"/webhooks/{quote(ours.webhook_id, safe='')}", {"events": wanted}))
        if not ours.enabled:
            _done(await self._api.ask("POST", f"/webhooks/{quote(ours.webhook_id, safe='')}/enable"))

    # --- what comes in -----------------------------------------------------------------------------

    def receive(self, headers: Mapping[str, str], query: Mapping[str, str], raw: bytes) -> Envelope | Rejected:
        """Authenticate a webhook in constant time and name its event."""
        return self._doorkeeper.receive(headers, query, raw)

    def name(self, raw: bytes) -> Envelope:
        """Name an event that we fetched ourselves: the same key as if its webhook had come."""
        return envelope(raw)

    def parse(self, raw: bytes) -> Event:
        """Understand a stored webhook body. Raises Unreadable with the cause."""
        return events.parse(raw)

    async def close(self) -> None:
        """Close every connection at once."""
        await self._api.close()

    # --- steps -------------------------------------------------------------------------------------

    def _order_body(self, order: Order) -> bytes:
        body: dict[str, Any] = {
            "device": order.device_id,
            "phone": order.phone,
            "reference": order.reference,
            "enqueue": "never",  # we own the pace: two pacers would add up
            "retries": VENDOR_RETRIES,
            "expiration": {"date": iso(order.not_after + self._api.clock_skew)},
        }
        if order.text:
            body["message"] = order.text
        if order.typing >= LEAST_TYPING:
            body["typing"] = order.typing
        if order.media is not None:
            media = {"url": order.media.url, "file": order.media.file_id, "filename": order.media.filename}
            body["media"] = {key: value for key, value in media.items() if value is not None}
        try:
            return msgspec.json.encode(body)
        except UnicodeEncodeError:
            raise Refused("the text holds half of a character (a lone surrogate) and cannot be sent") from None

    async def _registered(self, device_id: str, url: str) -> Webhook | None:
        for hook in await self.webhooks():
            if hook.url == url and hook.device_id in (None, device_id):
                return hook
        return None


def _is_of(row: Json, device_id: str, created: datetime, since: datetime) -> bool:
    return created >= since and device_of(row, "device") in (None, device_id)


def _created(row: Json) -> datetime:
    created = moment(row, "createdAt")
    if created is None:
        raise LookupFailed("the gateway lists a message without the time it was created")
    return created


def _done(answer: Answer) -> None:
    """Accept any whole 2xx; raises SenderStopped for a bad key, else LookupFailed."""
    if answer.status in (401, 402, 403) and not answer.is_page:
        raise SenderStopped(answers.described(answer))
    if answer.status not in (200, 201, 202, 204) or answer.is_page:
        raise LookupFailed(answers.described(answer))
