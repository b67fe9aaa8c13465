"""The HTTP side: routes, the key at the door, errors in the vendor's shape, counting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from local.simulator import shapes
from local.simulator.account import Account
from local.simulator.control import Control
from local.simulator.life import Life
from local.simulator.messages import Messages, http_date
from local.simulator.people import People
from local.simulator.sends import Refusal
from local.simulator.world import World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_LARGEST_BODY = 64 * 1024 * 1024
_encode = msgspec.json.Encoder().encode


def application(world: World) -> web.Application:
    """Return the web application of one simulator."""
    people = People(world)
    life = Life(world, people)
    messages = Messages(world, life)
    account = Account(world, messages)
    control = Control(world, life, people)
    app = web.Application(client_max_size=_LARGEST_BODY)
    add = app.router.add_route
    for method, path, handler in (
        ("POST", "/v1/messages", messages.send),
        ("GET", "/v1/messages", messages.list),
        ("GET", "/v1/messages/{id}", messages.one),
        ("DELETE", "/v1/messages/{id}", messages.delete),
        ("GET", "/v1/devices", account.devices),
        ("GET", "/v1/devices/{id}", account.device),
        ("GET", "/v1/devices/{id}/health", account.device_health),
        ("POST", "/v1/numbers/exists", account.number_exists),
        ("POST", "/v1/files", account.upload),
        ("GET", "/v1/webhooks", account.webhooks),
        ("POST", "/v1/webhooks", account.register),
        ("GET", "/v1/webhooks/{id}", account.webhook),
        ("PATCH", "/v1/webhooks/{id}", account.change_webhook),
        ("DELETE", "/v1/webhooks/{id}", account.remove_webhook),
        ("POST", "/v1/webhooks/{id}/enable", account.enable_webhook),
        ("POST", "/v1/webhooks/{id}/disable", account.disable_webhook),
        ("GET", "/v1/chat/{device}/messages", account.chat_messages),
        ("GET", "/v1/chat/{device}/files/{id}/download", account.download),
    ):
        add(method, path, _guarded(world, f"{method} {path}", handler))
    for method, path, handler in (
        ("GET", "/_sim/behaviour", control.show_behaviour),
        ("PUT", "/_sim/behaviour", control.set_behaviour),
        ("GET", "/_sim/ledger", control.ledger),
        ("GET", "/_sim/inbound", control.inbound),
        ("GET", "/_sim/webhooks", control.webhooks),
        ("GET", "/_sim/requests", control.requests),
        ("POST", "/_sim/say", control.say),
        ("POST", "/_sim/event", control.event),
        ("POST", "/_sim/reset", control.reset),
    ):
        add(method, path, _plain(handler))
    return app


def _guarded(world: World, endpoint: str, handler: Handler) -> Handler:
    """Let a call of the vendor's API in by its key, count it, and answer a Refusal as an error."""
    requests = world.requests

    async def guarded(request: web.Request) -> web.StreamResponse:
        requests.started(endpoint)
        status = "none"
        try:
            try:
                _check_key(world, request)
                response = await handler(request)
            except Refusal as refusal:
                response = _refused(refusal)
            if world.behaviour.clock_skew_seconds:
                response.headers["Date"] = http_date(world.now())
            if response.status != 499:
                status = str(response.status)
            return response
        finally:
            requests.ended(endpoint, status)

    return guarded


def _plain(handler: Handler) -> Handler:
    async def plain(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refusal as refusal:
            return _refused(refusal)

    return plain


def _check_key(world: World, request: web.Request) -> None:
    headers = request.headers
    key = headers.get("Token") or headers.get("Authorization", "").removeprefix("Bearer ")
    if not key or world.behaviour.key_revoked:
        raise Refusal(401, "auth:invalid", "Missing or invalid API token")
    if key != world.token:
        raise Refusal(403, "auth:forbidden", "Invalid API token")


def _refused(refusal: Refusal) -> web.Response:
    body = shapes.error(refusal.status, refusal.code, refusal.text, refusal.errors)
    return web.Response(
        body=_encode(body), status=refusal.status, content_type="application/json", headers=refusal.headers
    )
