"""A person retries what failed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Router, post
from litestar.params import FromPath

from actors.wake import wake
from models import pool, transitions
from models.queries import sql
from web.auth import who
from web.campaigns import found, shown
from web.problems import Problem
from web.wire.copies import Retried


@post("/{campaign_id:uuid}/retry-failed", status_code=200)
async def retry_failed(campaign_id: FromPath[UUID]) -> Retried:
    """Send Message 1 once more to those whose failure proves that they never got it.

    A failure that the gateway reports after it had accepted the message proves nothing, and is not retried; nor is
    anybody who opted out. A completed campaign sends again, and its report is made anew when it completes; a paused one
    stays paused. 409 where nothing can be retried, with the reasons in ``not_retried``.
    """
    retried = 0
    while True:  # bounded steps, each a transaction: whatever ends this in between, the next call goes on
        async with pool.connection() as conn:
            step = await transitions.retry_failed(conn, campaign_id, by=who())
            if step is None:
                status: Any = (await found(conn, campaign_id))["status"]
                raise Problem(409, "not_possible", f"the campaign is {status}: nothing of it can be retried")
        retried += step
        if step < transitions.STEP:
            break
    async with pool.connection() as conn:
        left = {row["reason"]: row["people"] for row in await sql.still_failed(conn, campaign=campaign_id)}
        if not retried:
            detail = "no Message 1 of this campaign failed in a way that proves that it never left"
            raise Problem(409, "nothing_to_retry", detail, not_retried=left)
        row = await found(conn, campaign_id)
        wake("send_batch", row["sender"])
        wake("refresh_stats", campaign_id)
        return Retried(retried=retried, not_retried=left, campaign=await shown(conn, campaign_id))


router = Router("/campaigns", route_handlers=[retry_failed], tags=["campaigns"])
