"""``/v1/messages``: sending, and asking what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice

import msgspec
from aiohttp import web

from local.simulator import shapes
from local.simulator.ledger import Message
from local.simulator.life import Life
from local.simulator.sends import Refusal, Send, checked, refuse_unknown, seconds_of
from local.simulator.world import World

HTML_502 = (
    "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
)
_FILTERS = frozenset({
    "reference", "phone", "status", "deliveryStatus", "createdAfter", "createdBefore", "device", "size", "page", "ids",
    "waIds", "include", "sort",
})  # fmt: skip
_REFUSED: dict[str, Refusal] = {
    "refuse": Refusal(
        400, "phone:invalid", "Phone number is not on WhatsApp", [{"path": "phone", "message": "invalid"}]
    ),
    "bad_request": Refusal(
        400, "schema:invalid", "The message was not accepted", [{"path": "message", "message": "-"}]
    ),
    "unauthorized": Refusal(401, "auth:invalid", "Invalid API token"),
    "payment": Refusal(402, "plan:quota", "The plan allows no more messages"),
    "forbidden": Refusal(403, "auth:forbidden", "The API token may not do this"),
    "not_found": Refusal(404, "device:notfound", "Device not found"),
    "error": Refusal(500, "server:error", "Internal error"),
    "unavailable": Refusal(503, "device:offline", "The device is not connected"),
    "error_after_accept": Refusal(500, "server:error", "Internal error"),
}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def answer(shape: object, status: int = 200) -> web.Response:
    """Return a JSON answer."""
    return web.Response(body=_encode(shape), status=status, content_type="application/json")


def http_date(at: float) -> str:
    """Return a time as in the ``Date`` header."""
    return format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)


async def json_body(request: web.Request) -> object:
    """Return the request's JSON; raises Refusal."""
    try:
        return _decode(await request.read())
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refusal(400, "schema:invalid", "The request body is not valid JSON") from None


class Messages:
    """The handlers of this resource."""

    def __init__(self, world: World, life: Life) -> None:
        self._world = world
        self._life = life

    async def send(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/messages``: accept or refuse, and answer as the behaviour wants."""
        world = self._world
        body = await json_body(request)
        order = checked(body, world.devices, world.now())
        behaviour = world.behaviour
        number = world.attempts[order.phone or ""]
        if behaviour.latency_ms or behaviour.latency_jitter_ms:
            more = behaviour.latency_jitter_ms * world.dice.draw(order.phone or "", "latency", number)
            await asyncio.sleep((behaviour.latency_ms + more) / 1000)
        fate = world.outcome(order.phone, order.device) if order.phone is not None else "ok"
        match fate:
            case "rate_limit":
                headers = {} if behaviour.retry_after is None else {"Retry-After": str(behaviour.retry_after)}
                raise Refusal(429, "rate:limit", "Too many requests: wait a minute", headers=headers)
            case "html_502":
                return web.Response(text=HTML_502, status=502, content_type="text/html")
            case "hang":
                return await self._never(request)
            case "close":
                return _closed(request)
            case _ if fate in _REFUSED and not fate.endswith("_after_accept"):
                raise _REFUSED[fate]
        message = self._accept(order, fate, number)
        if behaviour.answer_lag_ms:
            await asyncio.sleep(behaviour.answer_lag_ms / 1000)
        return await self._answered(request, message, fate)

    async def one(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/messages/{id}``."""
        await self.may_look_up()
        return answer(shapes.resource(self._visible(request.match_info["id"])))

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """``DELETE /v1/messages/{id}``: take one out of the queue; with ``?force=true`` forget a sent one."""
        message = self._visible(request.match_info["id"])
        if message.status != "queued" and request.query.get("force") != "true":
            raise Refusal(409, "message:processed", "The message left the queue already")
        if message.status == "queued":
            message.history.append(("deleted", time.time()))
        message.deleted = True
        return answer(shapes.resource(message) | {"deleted": True})

    async def list(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/messages``: newest first, filtered, one page."""
        await self.may_look_up()
        query, world = request.query, self._world
        refuse_unknown(dict(query), _FILTERS)
        first, size = page_of(request, world.behaviour.page_limit)
        visible_until = time.time() - world.behaviour.lookup_lag_seconds
        found = (m for m in self._candidates(request) if m.accepted_at <= visible_until and not m.deleted)
        if not world.behaviour.lookup_ignores_filter:
            found = (m for m in found if _fits(m, request))
        return answer([shapes.resource(message) for message in islice(found, first, first + size)])

    async def may_look_up(self) -> None:
        """Take the time a look-up takes; raises Refusal while they are unavailable."""
        behaviour = self._world.behaviour
        if behaviour.lookup_latency_ms:
            await asyncio.sleep(behaviour.lookup_latency_ms / 1000)
        if behaviour.lookups_unavailable:
            raise Refusal(503, "server:unavailable", "Service temporarily unavailable")

    def _accept(self, order: Send, fate: str, number: int) -> Message:
        world = self._world
        ledger, at, now = world.ledger, time.time(), world.now()
        phone = order.phone or ""
        wid = order.wid or world.wid(phone)
        message = Message(
            id=ledger.new_id(), wa_id=ledger.new_wa_id(), device=order.device, phone=phone, wid=wid, text=order.text,
            reference=order.reference, accepted_at=at, created_at=now,
            expires_at=None if order.expires_in is None else now + order.expires_in,
            options=order.options, fate=fate, ordinal=number,
        )  # fmt: skip
        ledger.keep(message)
        if order.phone is not None:
            chat = ledger.chat(order.device, wid, phone, now)
            chat.phone = phone
            self._life.begin(message, chat, order.deliver_at)
        return message

    async def _answered(self, request: web.Request, message: Message, fate: str) -> web.StreamResponse:
        match fate:
            case "timeout_after_accept":
                late = self._world.behaviour.timeout_seconds
                if late is None:
                    return await self._never(request)
                await asyncio.sleep(late)
            case "error_after_accept":
                raise _REFUSED[fate]
            case "html_after_accept":
                return web.Response(text=HTML_502, status=502, content_type="text/html")
            case "close_after_accept":
                return _closed(request)
            case "garbled_after_accept":
                return web.Response(body=b'{"id": "', status=201, content_type="application/json")
        return answer(shapes.resource(message), 201)

    async def _never(self, request: web.Request) -> web.StreamResponse:
        """Answer nothing until the client goes away."""
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
            await asyncio.sleep(0.1)  # the connection has no event to wait for
        return _closed(request)

    def _visible(self, message_id: str) -> Message:
        message = self._world.ledger.by_id.get(message_id)
        lag = self._world.behaviour.lookup_lag_seconds
        if message is None or message.deleted or time.time() - message.accepted_at < lag:
            raise Refusal(404, "message:notfound", "Message not found")
        return message

    def _candidates(self, request: web.Request) -> Iterable[Message]:
        """Return the fewest messages that may fit, newest first."""
        query, ledger = request.query, self._world.ledger
        if self._world.behaviour.lookup_ignores_filter:
            return reversed(ledger.messages)
        if "reference" in query:
            return reversed(ledger.by_reference.get(query["reference"], []))
        if "createdAfter" in query:
            return ledger.created_after(_date(query["createdAfter"]))
        return reversed(ledger.messages)


def page_of(request: web.Request, limit: int) -> tuple[int, int]:
    """Return the first row and the number of rows that ``page`` (from 0) and ``size`` ask for."""
    try:
        page, size = int(request.query.get("page", 0)), int(request.query.get("size", 20))
        if page < 0 or size < 1:
            raise ValueError(page, size)
    except ValueError:
        raise Refusal(400, "schema:invalid", "page and size must be whole numbers") from None
    size = min(size, limit)
    return page * size, size


def _fits(message: Message, request: web.Request) -> bool:
    query = request.query
    wanted = set(query.get("status", "").split(",")) | set(query.get("deliveryStatus", "").split(",")) - {""}
    return (
        query.get("reference") in {None, message.reference}
        and query.get("phone") in {None, message.phone, f"+{message.wid.partition('@')[0]}"}
        and query.get("device") in {None, message.device.id}
        and ("ids" not in query or message.id in query["ids"].split(","))
        and ("waIds" not in query or message.wa_id in query["waIds"].split(","))
        and ("createdBefore" not in query or message.created_at < _date(query["createdBefore"]))
        and ("createdAfter" not in query or message.created_at >= _date(query["createdAfter"]))
        and (wanted <= {""} or bool({message.status, shapes.resource(message)["status"]} & wanted))
    )


def _date(text: str) -> float:
    try:
        return seconds_of(text)
    except ValueError:
        raise Refusal(400, "schema:invalid", f"{text} is not an ISO date") from None


def _closed(request: web.Request) -> web.StreamResponse:
    """Cut the connection; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)
