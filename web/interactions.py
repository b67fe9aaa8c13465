"""Interactions: everything contacts did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from litestar import Response, Router, get
from litestar.params import FromQuery, QueryParameter

from models import pool
from models.queries import sql
from rules.reply import Outcome
from web import csvs
from web.pages import Cursor, Limit, Moment, first_key, key, moment, page
from web.wire.common import Page
from web.wire.messages import InteractionLine

Kind = Literal[
    "text", "emoji", "voice", "audio", "image", "video", "document", "sticker", "location", "reaction", "poll", "other"
]

_LATE = timedelta(days=1)
"""The gateway's clock may be so far ahead of ours: what happened at a time was stored no longer than this before."""


@get()
async def listed(
    campaign_id: FromQuery[UUID | None] = None,
    type: FromQuery[Kind | None] = None,
    since: Moment = None,
    contact_id: FromQuery[UUID | None] = None,
    in_window: Annotated[
        bool | None, QueryParameter(description="Whether the reply window of its campaign was open.")
    ] = None,
    outcome: Annotated[
        Outcome | None, QueryParameter(description="What it meant for the person's campaign, e.g. opt_out.")
    ] = None,
    format: FromQuery[Literal["json", "csv"]] = "json",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Page[InteractionLine]]:
    """List interactions, newest first, or only what happened ``since``; ``csv``: all of them as a file."""
    start = moment(since, "since")
    wanted: dict[str, Any] = {
        "campaign": campaign_id, "type": type, "contact": contact_id, "since": start,
        "floor": start and first_key(start, _LATE),
        "in_window": in_window, "outcome": outcome,
    }  # fmt: skip
    if format == "csv":

        async def following(conn: pool.Conn, before: UUID | None) -> Sequence[Mapping[str, Any]]:
            rows: Sequence[Mapping[str, Any]] = await sql.list_interactions(
                conn, before=before, many=csvs.STEP, **wanted
            )
            return rows

        exported = csvs.export("interactions.csv", InteractionLine.__struct_fields__, following)
        return cast("Response[Page[InteractionLine]]", exported)
    async with pool.connection() as conn:
        rows = await sql.list_interactions(conn, before=key(cursor), many=limit + 1, **wanted)
    return Response(page(rows, limit, lambda row: InteractionLine(**row)))


router = Router("/interactions", route_handlers=[listed], tags=["interactions"])
