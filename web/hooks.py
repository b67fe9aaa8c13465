"""Webhooks: authenticate, store, wake, 200. Nothing else happens in the request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from litestar import Litestar, Request, post

from actors.wake import wake
from gateway import Gateway, Rejected, open_gateway
from web.intake import Intake, Webhook
from web.problems import Problem
from web.wire.intake import Stored

log = structlog.get_logger()

MOST_BYTES = 1_048_576
"""A webhook may be so large; WhatsApp's own are a few KiB."""


@asynccontextmanager
async def door(app: Litestar) -> AsyncIterator[None]:
    """Hold the gateway's door open as long as the application runs; it connects to nothing."""
    gateway = open_gateway()
    app.state.gateway = gateway
    try:
        yield
    finally:
        await gateway.close()


@post("/webhooks/wassenger", status_code=200, request_max_body_size=MOST_BYTES, tags=["webhooks"])
async def wassenger(request: Request[Any, Any, Any]) -> Stored:
    """Store one event of the gateway.

    The secret comes as ``?token=`` or in ``X-Relance-Token``. 200: stored, now (``stored`` true) or before (false).
    400: unreadable, and kept. 401: not from the gateway. 413: above 1 MiB. 503: not stored, send it again.
    """
    gateway: Gateway = request.app.state.gateway
    raw = await request.body()
    envelope = gateway.receive(dict(request.headers), dict(request.query_params), raw)
    if isinstance(envelope, Rejected):
        raise Problem(401, "unauthorized", envelope.reason)
    intake: Intake = request.app.state.intake
    inbox = await intake.store(
        Webhook(
            event_key=envelope.event_key,
            kind=envelope.kind,
            device_id=envelope.device_id,
            from_person=envelope.from_person,
            body=raw,
            unreadable=None if envelope.readable else envelope.reason or "unreadable",
        )
    )
    if not envelope.readable:
        log.warning("an unreadable webhook was kept", inbox=str(inbox), kind=envelope.kind, why=envelope.reason)
        raise Problem(400, "unreadable", envelope.reason or "the body cannot be understood")
    if inbox is not None and envelope.from_person:
        wake("handle_interaction", inbox)
    elif inbox is not None:
        wake("digest_acknowledgements")
    return Stored(stored=inbox is not None)
