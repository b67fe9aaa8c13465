"""``/_sim``: tell the simulator how to behave, and ask what truly happened. Not part of the vendor's API."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web

from local.simulator.behaviour import Reply
from local.simulator.document import BadBehaviour, merged
from local.simulator.ledger import Device
from local.simulator.life import Life
from local.simulator.messages import answer, json_body
from local.simulator.numbers import E164
from local.simulator.people import People
from local.simulator.sends import Refusal, seconds_of
from local.simulator.world import World

_LINES_AT_ONCE = 500
_encode_lines = msgspec.json.Encoder().encode


class Say(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Body of ``/_sim/say``."""

    phone: str
    type: Reply = "text"
    body: str | None = None
    device: str | None = None
    """The device written to; null: the only or first one."""
    quoted: str | None = None
    """WhatsApp id of the message answered to."""
    at: float | str | None = None
    """When it was written, unix seconds or ISO; null: now."""
    copies: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    """How many identical webhooks are delivered at once."""


class Reset(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Body of ``/_sim/reset``."""

    keep: list[Literal["behaviour", "webhooks"]] = []
    """What survives."""
    seed: int | None = None
    """Seed of the new run; null: that of the start."""


class Control:
    """The handlers of ``/_sim``."""

    def __init__(self, world: World, life: Life, people: People) -> None:
        self._world = world
        self._life = life
        self._people = people

    async def show_behaviour(self, _request: web.Request) -> web.StreamResponse:
        """``GET /_sim/behaviour``."""
        return answer(self._world.behaviour)

    async def set_behaviour(self, request: web.Request) -> web.StreamResponse:
        """``PUT /_sim/behaviour``: lay a document over the one in force; acts at once."""
        world = self._world
        try:
            behaviour = merged(world.behaviour, await json_body(request))
        except BadBehaviour as bad:
            errors = [{"path": "", "message": problem} for problem in bad.problems]
            raise Refusal(400, "behaviour:invalid", str(bad), errors) from None
        was = {device.id: world.is_offline(device) for device in world.devices.values()}
        world.behaviour = behaviour
        for device in world.devices.values():
            if world.is_offline(device) != was[device.id]:
                self._life.session_changed(device)
        return answer(behaviour)

    async def ledger(self, request: web.Request) -> web.StreamResponse:
        """``GET /_sim/ledger?since=``: one line per accepted message, oldest first."""
        messages = self._world.ledger.accepted_since(_since(request))
        return await _lines(request, (message.line() for message in messages))

    async def inbound(self, request: web.Request) -> web.StreamResponse:
        """``GET /_sim/inbound?since=``: one line per message or reaction that reached a device."""
        since = _since(request)
        inbound = [entry for entry in self._world.ledger.inbound if entry.arrived_at > since]
        return await _lines(request, (entry.line() for entry in inbound))

    async def webhooks(self, request: web.Request) -> web.StreamResponse:
        """``GET /_sim/webhooks?since=``: one line per webhook, with every attempt to deliver it."""
        since = _since(request)
        sent = [webhook for webhook in self._world.post.sent if webhook.queued_at > since]
        return await _lines(request, sent)

    async def requests(self, _request: web.Request) -> web.StreamResponse:
        """``GET /_sim/requests``: counts by endpoint and status, and the most calls open at once."""
        return answer(self._world.requests.told())

    async def say(self, request: web.Request) -> web.StreamResponse:
        """``POST /_sim/say``: a person writes now."""
        said = _as(Say, await json_body(request))
        if not E164.fullmatch(said.phone):
            raise Refusal(400, "say:invalid", "phone must be E.164 with +")
        device = self._device(said.device)
        at = time.time() if said.at is None else _moment(said.at)
        inbound = self._people.say(
            device, said.phone, said.type, body=said.body, quoted=said.quoted, at=at, copies=said.copies
        )
        return answer(inbound.line(), 201)

    async def event(self, request: web.Request) -> web.StreamResponse:
        """``POST /_sim/event?copies=``: deliver this body as it is."""
        try:
            copies = int(request.query.get("copies", 1))
        except ValueError:
            raise Refusal(400, "event:invalid", "copies must be a whole number") from None
        webhook = self._world.tell_raw(await request.read(), max(1, min(copies, 1000)))
        return answer({"state": webhook.state, "deliveries": webhook.open}, 202)

    async def reset(self, request: web.Request) -> web.StreamResponse:
        """``POST /_sim/reset``: a new run, as after the start; ``{keep, seed}`` are optional."""
        wanted = _as(Reset, await json_body(request) if request.can_read_body else {})
        self._world.forget(set(wanted.keep), wanted.seed)
        return answer({"kept": wanted.keep})

    def _device(self, device_id: str | None) -> Device:
        devices = self._world.devices
        device = devices.get(device_id) if device_id is not None else next(iter(devices.values()))
        if device is None:
            raise Refusal(404, "device:notfound", f"Device {device_id} is not one of {', '.join(devices)}")
        return device


async def _lines(request: web.Request, rows: Iterable[Any]) -> web.StreamResponse:
    """Stream rows as JSON lines, letting other requests in between."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    chunk: list[bytes] = []
    for row in rows:
        chunk.append(_encode_lines(row))
        if len(chunk) >= _LINES_AT_ONCE:
            await response.write(b"\n".join(chunk) + b"\n")
            chunk.clear()
    if chunk:
        await response.write(b"\n".join(chunk) + b"\n")
    await response.write_eof()
    return response


def _since(request: web.Request) -> float:
    return _moment(request.query.get("since", "0"))


def _moment(value: float | str) -> float:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return seconds_of(str(value))
    except ValueError:
        raise Refusal(400, "time:invalid", f"{value!r} is neither unix seconds nor an ISO date") from None


def _as(kind: Any, body: object) -> Any:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise Refusal(400, "body:invalid", str(error)) from None
