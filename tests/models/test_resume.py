"""Property 4: a resume sends only what is pending, and nothing twice."""

from __future__ import annotations

import asyncio
from uuid import UUID

from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

import settings
from models import transitions
from models.transitions import Failure, GiveBack
from tests import books, worlds

PEOPLE = 8
SETTLED = st.sampled_from(["sent", "failed", "given back", "left open"])
STRETCH = st.lists(SETTLED, max_size=PEOPLE)
"""What becomes of the messages promised between a resume and the next pause."""


@given(stretches=st.lists(STRETCH, min_size=1, max_size=4))
@profile(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_4_resume_sends_only_pending_and_nothing_twice(
    configured: settings.Settings, stretches: list[list[str]]
) -> None:
    asyncio.run(_interrupted(stretches))


async def _interrupted(stretches: list[list[str]]) -> None:
    """Send a campaign that is paused and resumed after each stretch."""
    from models import pool  # reads the settings when it is imported

    conn = await pool.connect()
    try:
        running = await worlds.launched(conn, PEOPLE)
        lane = await worlds.lane(conn, running)
        accepted: dict[UUID, int] = {}
        for stretch in [*stretches, ["sent"] * PEOPLE]:
            pending = {
                row["id"]
                for row in await conn.fetch(
                    "SELECT id FROM message WHERE campaign = $1 AND status = 'pending'", running.campaign
                )
            }
            promises = await transitions.claim_slice(conn, lane.claim(len(stretch)))
            assert {p.message for p in promises} <= pending, "only what was pending is sent"
            assert len(promises) == min(len(stretch), len(pending))
            for promise, outcome in zip(promises, stretch, strict=False):
                assert promise.message not in accepted, "what was accepted is never promised again"
                if outcome == "sent":
                    accepted[promise.message] = 1
                    await transitions.accept(conn, [worlds.fact(promise.message)], by="test")
                elif outcome == "failed":
                    given_up = Failure(
                        message=promise.message, attempt=promise.attempt, error_class="refused", error_text="no"
                    )
                    await transitions.fail(conn, [given_up], by="test")
                elif outcome == "given back":
                    back = GiveBack(
                        message=promise.message, attempt=promise.attempt, wait=0, used_retry=True,
                        error_class="never_left", error_text="no connection", why="never left",
                    )  # fmt: skip
                    await transitions.give_back(conn, [back], by="test")
            assert await transitions.pause(conn, running.campaign, holds="all", why="a person", by="test")
            assert await transitions.claim_slice(conn, lane.claim(PEOPLE)) == [], "a pause holds everything"
            assert await transitions.resume(conn, running.campaign, why="a person", by="test") == running.sender
            lane = worlds.Lane(lane.sender, lane.campaign, await worlds.batch(conn, running), lane.owner, lane.epoch)
        rows = await conn.fetch("SELECT id, status FROM message WHERE campaign = $1", running.campaign)
        assert {row["id"] for row in rows if row["status"] == "sent"} == set(accepted)
        assert not [row for row in rows if row["status"] == "pending"]
        await books.check(conn, running.campaign)
    finally:
        conn.terminate()
