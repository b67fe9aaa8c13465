"""The rest of ``/v1``: devices, numbers, files, webhooks, and the history of chats."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from local.simulator import shapes
from local.simulator.hooks import EVENTS, Hook
from local.simulator.ledger import Device, iso
from local.simulator.messages import Messages, answer, json_body, page_of
from local.simulator.numbers import E164
from local.simulator.sends import Refusal, refuse_unknown, seconds_of
from local.simulator.world import World

_HOOK_FIELDS = frozenset({"name", "url", "events", "device", "headers"})
_FILE_FIELDS = frozenset({"url", "filename", "reference", "format", "expiration", "permission", "tags"})
_HISTORY_FILTERS = frozenset({"flow", "after", "before", "size", "page", "sort", "chat"})


class Account:
    """The handlers of these resources."""

    def __init__(self, world: World, messages: Messages) -> None:
        self._world = world
        self._messages = messages

    # --- devices and numbers ---------------------------------------------------------------------

    async def devices(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/devices``."""
        first, size = page_of(request, self._world.behaviour.page_limit)
        return answer(
            [self._device_shape(device) for device in list(self._world.devices.values())[first : first + size]]
        )

    async def device(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/devices/{id}``."""
        return answer(self._device_shape(self._device(request.match_info["id"])))

    async def device_health(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/devices/{id}/health``."""
        device = self._device(request.match_info["id"])
        online = not self._world.is_offline(device)
        return answer({
            "id": device.id, "phone": device.phone, "status": "operative", "healthy": online,
            "session": {"status": "online" if online else "offline"}, "checkedAt": iso(self._world.now()),
        })  # fmt: skip

    async def number_exists(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/numbers/exists``: 404 with ``exists: false`` where there is no WhatsApp."""
        body = _object(await json_body(request))
        refuse_unknown(body, ("phone",))
        phone = body.get("phone")
        if not isinstance(phone, str) or not E164.fullmatch(phone):
            raise Refusal(400, "phone:invalid", "Phone number is not valid: E.164 with + is required")
        if not self._world.is_on_whatsapp(phone):
            text = "The number is not on WhatsApp"
            return answer(shapes.error(404, "phone:notfound", text) | {"exists": False, "phone": phone}, 404)
        wid = self._world.wid(phone)
        return answer({"exists": True, "phone": phone, "formatted": phone, "wid": wid})

    # --- files -----------------------------------------------------------------------------------

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/files``: JSON ``{url}`` or a multipart upload; answers with a list."""
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            part = next((value for value in form.values() if isinstance(value, web.FileField)), None)
            if part is None:
                raise Refusal(400, "schema:invalid", "a file is required")
            name, mime, origin = part.filename, part.content_type, "upload"
            size = len(part.file.read())
        else:
            body = _object(await json_body(request))
            refuse_unknown(body, _FILE_FIELDS)
            address = urlsplit(str(body.get("url", "")))
            if address.scheme not in {"http", "https"}:
                raise Refusal(400, "schema:invalid", "url must be an http(s) address")
            name = str(body.get("filename") or address.path.rpartition("/")[2] or "file.bin")
            mime, origin, size = "application/octet-stream", "remote", 0
        world = self._world
        file: dict[str, Any] = {
            "id": world.ledger.new_id(), "format": "native", "filename": name, "size": size, "origin": origin,
            "mime": mime, "ext": name.rpartition(".")[2], "kind": mime.partition("/")[0], "sha2": "0" * 64,
            "status": "active", "permission": "readonly", "expiresAt": iso(world.now() + 86_400 * 30),
            "stats": {"downloads": 0, "deliveries": 0},
        }  # fmt: skip
        world.files[file["id"]] = file
        return answer(file if world.behaviour.readings.files == "object" else [file], 201)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/chat/{device}/files/{id}/download``: some bytes of the right kind."""
        self._device(request.match_info["device"])
        file = self._world.files.get(request.match_info["id"])
        if file is None:
            raise Refusal(404, "file:notfound", "File not found")
        mime = shapes.MEDIA.get(file["kind"], ("application/octet-stream", "", 0))[0]
        return web.Response(body=b"simulated", headers={"Content-Type": mime})

    # --- webhooks --------------------------------------------------------------------------------

    async def webhooks(self, _request: web.Request) -> web.StreamResponse:
        """``GET /v1/webhooks``."""
        return answer([hook.resource() for hook in self._world.hooks.all.values()])

    async def webhook(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/webhooks/{id}``."""
        return answer(self._hook(request).resource())

    async def register(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/webhooks``: 409 where this address is registered for this device already."""
        world, body = self._world, _object(await json_body(request))
        refuse_unknown(body, _HOOK_FIELDS)
        _check_hook(body)
        missing = [{"path": name, "message": "is required"} for name in ("name", "url", "events") if name not in body]
        if missing:
            raise Refusal(400, "schema:invalid", "name, url and events are required", missing)
        if body.get("device") is not None:
            self._device(body["device"])
        hook = world.hooks.add(
            name=body["name"], url=body["url"], events=body["events"], device=body.get("device"),
            headers=body.get("headers") or {}, at=world.now(),
        )  # fmt: skip
        if hook is None:
            raise Refusal(409, "webhook:exists", "This webhook is already registered")
        secret = world.behaviour.signing_secret
        return answer(hook.resource() | ({} if secret is None else {"secret": secret}), 201)

    async def change_webhook(self, request: web.Request) -> web.StreamResponse:
        """``PATCH /v1/webhooks/{id}``."""
        hook, body = self._hook(request), _object(await json_body(request))
        refuse_unknown(body, _HOOK_FIELDS | {"status"})
        _check_hook(body)
        if body.get("status", "active") not in {"active", "disabled"}:
            raise Refusal(400, "schema:invalid", "status must be active or disabled")
        for name, value in body.items():
            setattr(hook, name, value)
        return answer(hook.resource())

    async def remove_webhook(self, request: web.Request) -> web.StreamResponse:
        """``DELETE /v1/webhooks/{id}``."""
        hook = self._hook(request)
        del self._world.hooks.all[hook.id]
        return answer(hook.resource())

    async def enable_webhook(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/webhooks/{id}/enable``."""
        hook = self._hook(request)
        hook.status, hook.given_up = "active", 0
        return answer(hook.resource())

    async def disable_webhook(self, request: web.Request) -> web.StreamResponse:
        """``POST /v1/webhooks/{id}/disable``."""
        hook = self._hook(request)
        hook.status = "disabled"
        return answer(hook.resource())

    # --- chats -----------------------------------------------------------------------------------

    async def chat_messages(self, request: web.Request) -> web.StreamResponse:
        """``GET /v1/chat/{device}/messages``: what came in and went out, newest first (``sort=date:asc``: oldest)."""
        await self._messages.may_look_up()
        world, query = self._world, request.query
        device = self._device(request.match_info["device"])
        refuse_unknown(dict(query), _HISTORY_FILTERS)
        first, size = page_of(request, world.behaviour.page_limit)
        after, before = (_time(query[name]) if name in query else None for name in ("after", "before"))
        found: list[dict[str, Any]] = []
        if query.get("flow") != "outbound":
            found += [i.data for i in world.ledger.inbound if i.device == device.id and i.event == "message:in:new"]
        if query.get("flow") != "inbound":
            for message in world.ledger.messages:
                chat = world.ledger.chats.get((device.id, message.wid))
                if chat is not None and message.device is device and not message.deleted:
                    found.append(shapes.outbound_chat_message(message, chat))
        found = [
            data
            for data in found
            if (after is None or data["timestamp"] >= int(after))
            and (before is None or data["timestamp"] < before)
            and query.get("chat") in {None, data["chat"]["id"]}
        ]
        found.sort(key=lambda data: (data["timestamp"], data["id"]), reverse=query.get("sort") != "date:asc")
        return answer(found[first : first + size])

    def _device(self, device_id: str) -> Device:
        device = self._world.devices.get(device_id)
        if device is None:
            raise Refusal(404, "device:notfound", "Device not found")
        return device

    def _device_shape(self, device: Device) -> dict[str, Any]:
        world = self._world
        hooks = [hook.id for hook in world.hooks.all.values() if hook.device in {None, device.id}]
        return shapes.device_resource(
            device, online=not world.is_offline(device), product=world.behaviour.device_product,
            queued=len(world.held.get(device.id, ())), hooks=hooks,
        )  # fmt: skip

    def _hook(self, request: web.Request) -> Hook:
        hook = self._world.hooks.all.get(request.match_info["id"])
        if hook is None:
            raise Refusal(404, "webhook:notfound", "Webhook not found")
        return hook


def _object(body: object) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise Refusal(400, "schema:invalid", "The request body must be a JSON object")
    return body


def _check_hook(body: dict[str, Any]) -> None:
    problems = []
    if "name" in body and not (isinstance(body["name"], str) and 0 < len(body["name"]) <= 30):
        problems.append({"path": "name", "message": "name must be a text of 1 to 30 characters"})
    if "url" in body and urlsplit(str(body["url"])).scheme not in {"http", "https"}:
        problems.append({"path": "url", "message": "url must be an http(s) address"})
    if "events" in body:
        events = body["events"]
        if not isinstance(events, list) or not events:
            problems.append({"path": "events", "message": "events must be a list"})
        else:
            problems += [{"path": "events", "message": f"{e} is not an event"} for e in events if e not in EVENTS]
    headers = body.get("headers")
    if headers is not None and not (isinstance(headers, dict) and all(isinstance(v, str) for v in headers.values())):
        problems.append({"path": "headers", "message": "headers must be texts"})
    if problems:
        raise Refusal(400, "schema:invalid", problems[0]["message"], problems)


def _time(text: str) -> float:
    try:
        return float(text) if text.replace(".", "", 1).isdigit() else seconds_of(text)
    except ValueError:
        raise Refusal(400, "schema:invalid", f"{text} is neither an ISO date nor unix seconds") from None
