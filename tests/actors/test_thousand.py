"""A thousand messages on a mature number at the defaults: forecast, then sent by the real lane in compressed time."""

from __future__ import annotations

import os
from datetime import datetime

import pytest

from actors.stats import refresh_stats
from models import pool
from models.progress import snapshot
from tests.actors.conftest import Opens
from tests.actors.world import run

SCALE = 20


@pytest.mark.skipif("RELANCE_LONG" not in os.environ, reason="3 minutes: RELANCE_LONG=1 runs it")
async def test_a_thousand_messages_take_what_was_forecast_within_1_percent(
    opens: Opens, capsys: pytest.CaptureFixture[str]
) -> None:
    """MATURE_DELAY_SECONDS 3, batches of 75, pauses of 30 s, jitter 0.25; time runs 20 times as fast."""
    world = await opens(TIME_SCALE=str(SCALE), PACING_JITTER="0.25", WASSENGER_RATE_LIMIT_SECONDS="3")
    world.simulator.behave(latency_ms=50)
    campaign = await world.launch(1000)
    await run(refresh_stats, campaign)
    async with pool.connection() as conn:
        told = await snapshot(conn, campaign)
    forecast = (datetime.fromisoformat(told["sending_ends_at"]) - datetime.fromisoformat(told["at"])).total_seconds()
    assert 56 <= forecast * SCALE / 60 <= 57
    await world.send_all(campaign, seconds=400)
    times = [line["time"] for line in world.sent()]
    took = times[-1] - times[0]
    with capsys.disabled():
        print(f"\n1000 messages: forecast {forecast * SCALE / 60:.2f} min, took {took * SCALE / 60:.2f} min")
    assert len(times) == 1000
    assert took == pytest.approx(forecast, rel=0.01)
