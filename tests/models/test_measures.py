"""What the data layer takes, at size. Only on request: RELANCE_MEASURE=1 pytest -s tests/models/test_measures.py."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from models import transitions
from tests import books, worlds

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]

pytestmark = pytest.mark.skipif("RELANCE_MEASURE" not in os.environ, reason="only where RELANCE_MEASURE is set")
SIZE = 100_000


async def measured(what: str, times: int, act: Callable[[], Awaitable[Any]]) -> list[Any]:
    """Do something so often and print its median and worst time; returns what it gave."""
    took, given = [], []
    for _ in range(times):
        began = time.perf_counter()
        given.append(await act())
        took.append((time.perf_counter() - began) * 1000)
    print(f"{what}: p50 {statistics.median(took):.1f} ms, worst {max(took):.1f} ms ({times} times)")
    return given


async def test_a_hundred_thousand_people(conn: Conn) -> None:
    began = time.perf_counter()
    running = await worlds.launched(conn, SIZE)
    print(f"\nlaunch of {SIZE}: {SIZE / (time.perf_counter() - began):,.0f}/s, contacts included")
    await conn.execute("ANALYZE")
    lane = await worlds.lane(conn, running, size=SIZE)
    await measured("claim of 1", 200, lambda: transitions.claim_slice(conn, lane.claim(1)))
    slices = await measured("claim of 100", 300, lambda: transitions.claim_slice(conn, lane.claim(100)))
    promises = [promise for promises in slices for promise in promises]
    assert len(promises) == 30_000
    await measured(
        "claim of nothing (another owner)", 50, lambda: transitions.claim_slice(conn, lane.claim(1, epoch=9))
    )
    groups = iter([promises[at : at + 500] for at in range(0, 30_000, 500)])
    await measured(
        "accept of 500", 60,
        lambda: transitions.accept(conn, [worlds.fact(p.message, gateway_id=p.phone) for p in next(groups)], by="m"),
    )  # fmt: skip
    groups = iter([promises[at : at + 500] for at in range(0, 30_000, 500)])
    await measured(
        "accept of 500 deliveries", 60,
        lambda: transitions.accept(conn, [worlds.fact(p.message, "delivered") for p in next(groups)], by="m"),
    )  # fmt: skip
    singles = iter(promises)
    await measured(
        "accept of 1 reading",
        200,
        lambda: transitions.accept(conn, [worlds.fact(next(singles).message, "read")], by="m"),
    )
    until = worlds.now() + timedelta(days=2)
    silent = await measured("mark_silent of 5,000", 6, lambda: transitions.mark_silent(conn, running.campaign, until))
    assert sum(len(rows) for rows in silent) == 30_000
    kept = await books.check(conn, running.campaign)
    assert (kept["sent"], kept["no_interaction"], kept["pending"]) == (30_000, 30_000, SIZE - 30_000)
