"""The forecast, against the formula that was asked for and against a lane walked slot by slot."""

import math
import random
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.forecast import HORIZON, PARTS, Forecast, OpenBatch, forecast
from rules.pacing import Layer, Pace, Source, gaps, resolve
from rules.quota import day_bounds, local_day, quiet_until

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
WINDOW = timedelta(hours=24)
PLENTY = 1_000_000
DEFAULT = Pace(delay=3, size=75, pause=30, jitter=0.25, profile="standard")

delays = st.integers(2000, 10_000).map(lambda ms: ms / 1000)  # whole ms: the walk adds up microseconds
paces = st.builds(
    Pace,
    delay=delays,
    size=st.integers(25, 100),
    pause=st.integers(0, 3_600_000).map(lambda ms: ms / 1000),
    jitter=st.just(0.25),
    profile=st.just("standard"),
)


def look_ahead(
    left: int,
    pace: Pace = DEFAULT,
    *,
    now: datetime = START,
    tz: str = "UTC",
    limit: int = PLENTY,
    today: int | None = None,
    quiet: str = "",
    batch: OpenBatch | None = None,
    next_slot: datetime | None = None,
    retries_due: tuple[datetime, ...] = (),
    others: tuple[int, ...] = (),
    windows_end: datetime | None = None,
    time_scale: float = 1,
) -> Forecast:
    seen = forecast(
        now=now,
        left=left,
        pace=pace,
        tz=tz,
        limit_per_day=limit,
        left_today=limit if today is None else today,
        window=WINDOW,
        quiet=quiet,
        batch=batch,
        next_slot=next_slot,
        retries_due=retries_due,
        others=others,
        windows_end=windows_end,
        time_scale=time_scale,
    )
    assert set(seen.parts) == set(PARTS)
    if seen.completes_at is not None:
        assert sum(seen.parts.values()) == pytest.approx((seen.completes_at - now).total_seconds(), abs=0.01)
    return seen


def sending_seconds(seen: Forecast, since: datetime = START) -> float:
    assert seen.sending_ends_at is not None
    return (seen.sending_ends_at - since).total_seconds()


def walk(left: int, pace: Pace, *, limit: int, today: int, tz: str, quiet: str, batch: OpenBatch | None) -> datetime:
    """Send one message after the other, as the lane does, and return the last one's slot."""
    slot, quota, day = START, today, local_day(START, tz)
    in_batch = batch.left if batch else pace.size
    delay, pause = (batch.delay, batch.pause) if batch else (pace.delay, pace.pause)
    while True:
        if local_day(slot, tz) != day:
            quota, day = limit, local_day(slot, tz)
        if night := quiet_until(slot, tz, quiet):
            slot = night
        elif quota == 0:
            slot = day_bounds(day, tz)[1]
        else:
            left, quota, in_batch = left - 1, quota - 1, in_batch - 1
            if left == 0:
                return slot
            slot += timedelta(seconds=delay)
            if in_batch == 0:
                slot += timedelta(seconds=pause)
                in_batch, delay, pause = pace.size, pace.delay, pace.pause


@given(st.integers(1, 1_000_000), paces)
def test_sending_ends_within_one_pause_and_one_gap_of_the_formula(left: int, pace: Pace) -> None:
    formula = left * pace.delay + (math.ceil(left / pace.size) - 1) * pace.pause
    seen = look_ahead(left, pace)
    if seen.sending_ends_at is None:
        assert formula > (HORIZON - timedelta(days=1)).total_seconds()
    else:
        assert abs(sending_seconds(seen) - formula) <= pace.pause + pace.delay + 0.001


@settings(max_examples=60)
@given(st.integers(500, 3000), paces, st.integers(0, 2**32))
def test_3_completion_estimate_is_within_5_percent_of_the_gaps_a_lane_draws(left: int, pace: Pace, seed: int) -> None:
    dice = random.Random(seed)
    truth = 0.0
    for first in range(0, left, pace.size):
        size = min(pace.size, left - first)
        truth += sum(gaps(pace.delay, pace.size, pace.jitter, [dice.random() for _ in range(pace.size)])[:size])
        truth += pace.pause if first + size < left else 0
    assert sending_seconds(look_ahead(left, pace)) == pytest.approx(truth, rel=0.05)


@given(st.integers(500, 100_000), paces, st.floats(0, 98))
def test_3_completion_estimate_is_within_10_percent_of_the_formula_from_500_messages_on(
    left: int, pace: Pace, pause_in_gaps: float
) -> None:
    """(N·D)+((N/B)·P) counts a pause after the last batch too: one in five at most, hence P ≤ 98·D (294 s at 3 s)."""
    pace = replace(pace, pause=pause_in_gaps * pace.delay)
    formula = left * pace.delay + left / pace.size * pace.pause
    assert sending_seconds(look_ahead(left, pace)) == pytest.approx(formula, rel=0.10)


def test_a_thousand_messages_on_a_mature_number_take_56_to_57_minutes() -> None:
    assert 56 <= sending_seconds(look_ahead(1000)) / 60 <= 57


DEFAULTS = Layer(
    source=Source.ENVIRONMENT,
    profile="standard",
    delay=5,
    size=75,
    pause=30,
    jitter=0.25,
    meant_for="standard",
)
"""What the environment says when nobody says anything."""


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_a_simulated_campaign_of_1000_takes_the_56_to_57_minutes_that_were_forecast(seed: int) -> None:
    """A mature number at the defaults, walked slot by slot on a virtual clock with the gaps its lane would draw."""
    pace = resolve(DEFAULTS, mature=True, mature_delay=3)
    seen = look_ahead(1000, pace, limit=1000)
    dice, clock, sent = random.Random(seed), START, 0
    while sent < 1000:
        for gap in gaps(pace.delay, pace.size, pace.jitter, [dice.random() for _ in range(pace.size)]):
            last, sent, clock = clock, sent + 1, clock + timedelta(seconds=gap)
            if sent == 1000:
                break
        clock += timedelta(seconds=pace.pause)
    took = (last - START).total_seconds()
    assert 56 <= sending_seconds(seen) / 60 <= 57
    assert took == pytest.approx(sending_seconds(seen), rel=0.01)


@settings(max_examples=60)
@given(
    left=st.integers(1, 1500),
    pace=paces,
    limit=st.integers(100, 1500),
    used=st.integers(0, 1500),
    tz=st.sampled_from(["UTC", "Europe/Paris", "Pacific/Apia", "America/Santiago"]),
    quiet=st.sampled_from(["", "21:00-08:00", "12:00-13:30", "00:00-00:15", "08:45-08:15"]),
    open_batch=st.one_of(
        st.none(),
        st.builds(
            OpenBatch, left=st.integers(1, 60), delay=delays, pause=st.integers(0, 600_000).map(lambda ms: ms / 1000)
        ),
    ),
)
def test_the_forecast_is_the_lane_walked_slot_by_slot(
    left: int, pace: Pace, limit: int, used: int, tz: str, quiet: str, open_batch: OpenBatch | None
) -> None:
    today = max(0, limit - used)
    seen = look_ahead(left, pace, limit=limit, today=today, tz=tz, quiet=quiet, batch=open_batch)
    walked = walk(left, pace, limit=limit, today=today, tz=tz, quiet=quiet, batch=open_batch)
    assert seen.sending_ends_at is not None
    assert abs((seen.sending_ends_at - walked).total_seconds()) <= pace.delay + 0.1


def test_the_quota_rolls_over_to_the_next_local_days() -> None:
    seen = look_ahead(2500, limit=1000, today=200, tz="Europe/Paris")
    midnight = datetime(2026, 1, 7, 23, 0, tzinfo=UTC)  # 200 on the 5th, 1000 on the 6th and 7th, 300 on the 8th
    assert seen.sending_ends_at is not None
    assert timedelta(0) < seen.sending_ends_at - midnight < timedelta(hours=1)
    assert seen.parts["quota"] > 2 * 80_000


def test_quiet_hours_add_the_night() -> None:
    evening = START.replace(hour=20, minute=59)
    seen = look_ahead(100, now=evening, quiet="21:00-08:00")
    assert seen.parts["quiet_hours"] == pytest.approx(11 * 3600, abs=4)


@given(st.integers(0, 2000), st.floats(1, 1000))
def test_time_scale_divides_the_paced_waits_and_nothing_else(left: int, scale: float) -> None:
    plain, fast = look_ahead(left), look_ahead(left, time_scale=scale)
    assert sending_seconds(fast) == pytest.approx(sending_seconds(plain) / scale, abs=0.001)
    assert fast.parts["window"] == plain.parts["window"]


def test_an_open_batch_ends_at_its_own_pace() -> None:
    seen = look_ahead(100, batch=OpenBatch(left=10, delay=10, pause=100))
    assert sending_seconds(seen) == 10 * 10 + 100 + 74 * 3 + (3 + 30) + 14 * 3


def test_an_open_batch_larger_than_what_is_left_needs_no_pause() -> None:
    seen = look_ahead(5, batch=OpenBatch(left=10, delay=10, pause=100))
    assert sending_seconds(seen) == 40
    assert seen.parts["pause"] == 0


def test_a_slot_at_the_very_end_of_the_open_time_waits_for_the_next_day() -> None:
    for delay in (9.999999999999998, 10.0, 10.000000000000002):
        pace = Pace(delay=delay, size=25, pause=0, jitter=0.25, profile="standard")
        now = START.replace(hour=8, minute=15)  # 180 gaps of 10 s before it closes at 08:45
        assert look_ahead(180, pace, now=now, quiet="08:45-08:15").parts["quiet_hours"] == 0
        assert look_ahead(181, pace, now=now, quiet="08:45-08:15").parts["quiet_hours"] > 80_000


def test_a_held_lane_starts_later() -> None:
    seen = look_ahead(1, next_slot=START + timedelta(seconds=60))
    assert seen.parts["hold"] == 60
    assert sending_seconds(seen) == 60
    assert look_ahead(1, next_slot=START - timedelta(seconds=60)).sending_ends_at == START


def test_retries_take_slots_and_are_waited_for() -> None:
    due = START + timedelta(seconds=240)
    seen = look_ahead(10, retries_due=(START + timedelta(seconds=60), due))
    assert seen.sending_ends_at == due
    assert seen.parts["delay"] == 11 * 3
    assert seen.parts["retries"] == 240 - 33


def test_other_campaigns_on_the_number_take_their_turn() -> None:
    alone = sending_seconds(look_ahead(150))
    assert sending_seconds(look_ahead(150, others=(75,))) == alone + 75 * 3 + 30
    shared = look_ahead(150, others=(10_000,))
    assert sending_seconds(shared) == sending_seconds(look_ahead(300))
    assert shared.parts["other_campaigns"] == sending_seconds(shared) - alone


def test_the_campaign_is_over_a_window_after_its_last_message() -> None:
    seen = look_ahead(1)
    assert seen.completes_at == START + WINDOW
    assert look_ahead(1, windows_end=START + 2 * WINDOW).completes_at == START + 2 * WINDOW


def test_with_nothing_left_to_send_only_the_open_windows_count() -> None:
    seen = look_ahead(0, windows_end=START + timedelta(hours=3), next_slot=START + timedelta(hours=1), others=(500,))
    assert (seen.sending_ends_at, seen.completes_at) == (START, START + timedelta(hours=3))
    assert look_ahead(0).completes_at == START


def test_what_takes_longer_than_ten_years_has_no_date() -> None:
    seen = look_ahead(1_000_000, limit=1)
    assert (seen.sending_ends_at, seen.completes_at) == (None, None)
    assert look_ahead(100, limit=25, others=(1_000_000,)).sending_ends_at is not None


def test_a_million_messages_are_forecast_at_once() -> None:
    began = time.process_time()
    seen = look_ahead(1_000_000, limit=1000, tz="Europe/Paris", quiet="21:00-08:00")
    assert seen.sending_ends_at is not None
    assert seen.sending_ends_at.date() == local_day(START, "Europe/Paris") + timedelta(days=999)
    assert time.process_time() - began < 10
