"""Watching a campaign: progress, live events, report, pacing history, charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath, FromQuery, QueryParameter

from models import pool, progress
from models.figures import Progress, Report
from models.queries import from_json, sql
from web import csvs
from web.campaigns import found
from web.monitoring import observed
from web.pages import Cursor, Limit, Moment, moment, page
from web.printing import language, printed
from web.problems import Problem, not_found
from web.stream import MONITORING, event_stream
from web.wire.common import Page
from web.wire.launching import BatchLine, Minute

MOST_WATCHED = 100
"""Campaigns whose snapshot begins the stream of everything, the newest of them."""
_COLUMNS = (
    "phone", "name", "state", "reason", "message_1", "sent_at", "delivered_at", "read_at", "replied_at", "message_2",
    "message_2_sent_at", "error",
)  # fmt: skip


@get("/campaigns/{campaign_id:uuid}/progress")
async def progress_of(campaign_id: FromPath[UUID]) -> Progress:
    """Return the live figures of a campaign."""
    async with pool.connection() as conn:
        return msgspec.convert(await progress.snapshot(conn, campaign_id), Progress)


@get("/campaigns/{campaign_id:uuid}/events", media_type="text/event-stream")
async def events_of(request: Request[Any, Any, Any], campaign_id: FromPath[UUID]) -> Response[Any]:
    """Stream the live figures of a campaign: first a snapshot, then every change, the latest wins."""

    async def snapshots() -> dict[str, Any]:
        async with pool.connection() as conn:
            return {str(campaign_id): await progress.snapshot(conn, campaign_id)}

    return await event_stream(request, campaign_id, snapshots)


@get("/events", media_type="text/event-stream")
async def events(request: Request[Any, Any, Any]) -> Response[Any]:
    """Stream everything a page shows: monitoring, the figures of active campaigns, and each campaign that moves."""

    async def snapshots() -> dict[str, Any]:
        async with pool.connection() as conn:
            watched = await sql.watched_campaigns(conn, many=MOST_WATCHED)
            figures = {str(row["id"]): await progress.snapshot(conn, row["id"]) for row in watched}
        return {MONITORING: await observed(), **figures}

    return await event_stream(request, None, snapshots)


@get("/campaigns/{campaign_id:uuid}/report")
async def report(
    request: Request[Any, Any, Any],
    campaign_id: FromPath[UUID],
    format: FromQuery[Literal["json", "csv", "html"]] = "json",
) -> Response[Report]:
    """Return the report: as of completion where the campaign has completed, else so far.

    ``csv``: a line per person. ``html``: a page to print, in French or English as ``Accept-Language`` asks.
    """
    if format == "csv":
        async with pool.connection() as conn:
            await found(conn, campaign_id)
        return cast("Response[Report]", csvs.export(f"campaign-{campaign_id}.csv", _COLUMNS, _lines(campaign_id)))
    async with pool.connection() as conn:
        row = await sql.final_report(conn, campaign=campaign_id)
        if row is None:
            raise not_found("campaign", campaign_id)
        shown = from_json(row["final_stats"]) or await progress.report(conn, campaign_id)
    if format == "html":
        return cast("Response[Report]", printed(shown, language(request.headers.get("accept-language", ""))))
    # As it was stored at completion, by whichever release that was.
    return Response(cast("Report", shown) if row["final_stats"] else msgspec.convert(shown, Report))


@get("/campaigns/{campaign_id:uuid}/batches")
async def batches(campaign_id: FromPath[UUID], limit: Limit = 50, cursor: Cursor = None) -> Page[BatchLine]:
    """List the batches, newest first, each with its pace and the reason for it."""
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 10):
        raise Problem(400, "invalid_cursor", "cursor must be the next_cursor of the page before")
    async with pool.connection() as conn:
        await found(conn, campaign_id)
        before = int(cursor) if cursor else None
        rows = await sql.list_batches(conn, campaign=campaign_id, before=before, many=limit + 1)
    return page(rows, limit, _batch_line, by="number")


@get("/campaigns/{campaign_id:uuid}/series")
async def series(
    campaign_id: FromPath[UUID],
    after: Moment = None,
    limit: Annotated[int, QueryParameter(ge=1, le=2000)] = 1440,
) -> list[Minute]:
    """Return the counters minute by minute, oldest first, or only ``after`` one; the charts are their differences."""
    behind = moment(after, "after")
    async with pool.connection() as conn:
        await found(conn, campaign_id)
        rows = await sql.minutes_of(conn, campaign=campaign_id, after=behind, many=limit)
    return [Minute(**row) for row in rows]


router = Router("/", route_handlers=[progress_of, events_of, events, report, batches, series], tags=["watching"])


def _batch_line(row: Mapping[str, Any]) -> BatchLine:
    return BatchLine(**{**row, "sources": from_json(row["sources"])})


def _lines(campaign: UUID) -> Any:
    async def following(conn: pool.Conn, after: UUID | None) -> Sequence[Mapping[str, Any]]:
        rows: Sequence[Mapping[str, Any]] = await sql.report_lines(
            conn, campaign=campaign, after=after or UUID(int=0), many=csvs.STEP
        )
        return rows

    return following
