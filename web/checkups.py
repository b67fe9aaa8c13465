"""What the gateway says about a number, and its webhook registered by a button: ``bin/relance doctor`` over HTTP."""

from __future__ import annotations

from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath

from actors import checkup
from models import pool
from web.senders import found
from web.wire.senders import Checkup, CheckupLine


@get("/{sender_id:uuid}/checkup")
async def look(sender_id: FromPath[UUID]) -> Checkup:
    """Ask the gateway about a number: is our key accepted, is it online, does its plan bring replies, is our webhook
    registered, enabled and complete? Changes nothing. A gateway that does not answer is a finding, not an error."""
    return await _examined(sender_id, fix=False)


@post("/{sender_id:uuid}/webhook", status_code=200)
async def register_webhook(sender_id: FromPath[UUID]) -> Checkup:
    """Register our webhook for a number at the gateway, complete it, enable it; then look at everything again.

    Twice is once. What the gateway refuses is the finding named ``webhook``.
    """
    return await _examined(sender_id, fix=True)


router = Router("/senders", route_handlers=[look, register_webhook], tags=["senders"])


async def _examined(sender: UUID, *, fix: bool) -> Checkup:
    async with pool.connection() as conn:
        device_id = (await found(conn, sender))["device_id"]
    # No connection is held while the gateway thinks.
    findings = await checkup.of_number(device_id, fix=fix)
    return Checkup(
        ok=all(one.ok is not False for one in findings),
        findings=[
            CheckupLine(ok=one.ok, subject=one.name.partition(" …")[0], code=one.code, text=one.text, remedy=one.remedy)
            for one in findings
        ],
    )
