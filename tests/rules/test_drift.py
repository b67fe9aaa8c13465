"""Why the estimate moved: what changed is named with its share, and the passing of time is not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.drift import causes, moved
from rules.forecast import Inputs, OpenBatch
from rules.pacing import Pace
from rules.quota import day_bounds, local_day, quiet_until

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PACE = Pace(delay=3, size=75, pause=30, jitter=0.25, profile="standard")
BEFORE = Inputs(
    now=START, left=1000, pace=PACE, tz="UTC", limit_per_day=5000, left_today=5000, window=timedelta(hours=24)
)


def lived(before: Inputs) -> Iterator[Inputs]:
    """Send a campaign exactly as planned, and yield how it stands after each message and each wait."""
    now, left, today, day = before.now, before.left, before.left_today, local_day(before.now, before.tz)
    in_batch = 0
    while left:
        if local_day(now, before.tz) != day:
            today, day = before.limit_per_day, local_day(now, before.tz)
        if night := quiet_until(now, before.tz, before.quiet):
            now = night
        elif today == 0:
            now = day_bounds(day, before.tz)[1]
        else:
            sent_at, left, today, in_batch = now, left - 1, today - 1, in_batch + 1
            now += timedelta(seconds=before.pace.delay)
            batch: OpenBatch | None = OpenBatch(
                left=before.pace.size - in_batch, delay=before.pace.delay, pause=before.pace.pause
            )
            if in_batch == before.pace.size:
                now, in_batch, batch = now + timedelta(seconds=before.pace.pause), 0, None
            yield replace(before, now=sent_at, left=left, left_today=today, next_slot=now, batch=batch)


@settings(max_examples=25, deadline=None)
@given(
    left=st.integers(2, 300),
    delay=st.floats(2, 10),
    size=st.integers(25, 100),
    pause=st.floats(0, 600),
    limit=st.integers(40, 400),
    quiet=st.sampled_from(["", "21:00-08:00", "12:00-13:00"]),
    tz=st.sampled_from(["UTC", "Europe/Paris", "Pacific/Apia"]),
    share=st.floats(0, 1),
)
def test_the_passing_of_time_moves_nothing(
    left: int, delay: float, size: int, pause: float, limit: int, quiet: str, tz: str, share: float
) -> None:
    pace = replace(PACE, delay=delay, size=size, pause=pause)
    before = replace(BEFORE, left=left, pace=pace, limit_per_day=limit, left_today=limit, quiet=quiet, tz=tz)
    states = list(lived(before))
    earlier = states[int(share * (len(states) - 1))]
    later = states[int((share + 1) / 2 * (len(states) - 1))]
    assert moved(before, later) == ""
    assert moved(earlier, later) == ""


@pytest.mark.parametrize(
    ("after", "says"),
    [
        (replace(BEFORE, pace=replace(PACE, delay=4.5)), "the delay grew from 3 to 4.5 s: +25 min"),
        (replace(BEFORE, pace=replace(PACE, delay=2)), "the delay fell from 3 to 2 s: −17 min"),
        (replace(BEFORE, pace=replace(PACE, pause=300)), "the pause between batches grew from 30 to 300 s: +58 min"),
        (replace(BEFORE, pace=replace(PACE, size=25)), "the size of the batches fell from 75 to 25: +13 min"),
        (replace(BEFORE, left=1500), "500 messages were added: +28 min"),
        (replace(BEFORE, left_today=500), "4500 messages of today's quota went elsewhere: +14 h 32 min"),
        (replace(BEFORE, quiet="09:30-17:30"), "quiet hours are now 09:30-17:30 instead of none: +8 h"),
        (replace(BEFORE, others=(500,)), "other campaigns on the number have 500 messages left instead of 0: +28 min"),
        (
            replace(
                BEFORE,
                now=START + timedelta(seconds=90),
                left=970,
                left_today=4970,
                retries_due=(START + timedelta(hours=2),) * 30,
            ),
            "30 retries wait: +1 h 4 min",
        ),
        (replace(BEFORE, next_slot=START + timedelta(minutes=20)), "nothing may leave before 09:20 UTC: +20 min"),
        (replace(BEFORE, now=START + timedelta(minutes=20)), "sending went slower than planned: +20 min"),
        (replace(BEFORE, left=400), "sending went faster than planned, or fewer are left to send to: −34 min"),
        (
            replace(BEFORE, batch=OpenBatch(left=75, delay=4.5, pause=30)),
            "the delay of the open batch grew from 3 to 4.5 s: +2 min",
        ),
        (
            replace(BEFORE, pace=replace(PACE, delay=4.5), batch=OpenBatch(left=75, delay=4.5, pause=30)),
            "the delay grew from 3 to 4.5 s: +25 min",
        ),
        (
            replace(BEFORE, pace=replace(PACE, delay=4.5), left=1500),
            "the delay grew from 3 to 4.5 s: +37 min; 500 messages were added: +28 min",
        ),
        (replace(BEFORE, left=0), ""),
        (BEFORE, ""),
    ],
)
def test_what_changed_is_named_with_its_share(after: Inputs, says: str) -> None:
    assert moved(BEFORE, after) == says


def test_a_lower_limit_moves_the_end_to_other_days() -> None:
    before = replace(BEFORE, limit_per_day=500, left_today=500)
    assert moved(before, replace(before, limit_per_day=100)).startswith("the daily limit fell from 500 to 100: +4 days")
    never = replace(before, left=600, limit_per_day=1, left_today=1)
    assert "more than ten years" not in moved(before, never)
    assert moved(before, replace(never, left=10_000)).startswith(
        "the daily limit fell from 500 to 1: more than ten years"
    )


def test_messages_for_a_campaign_that_was_done_are_an_addition() -> None:
    assert moved(replace(BEFORE, left=0), replace(BEFORE, left=3)) == "3 messages were added"


def test_a_slower_delay_at_a_later_batch_is_told_from_the_time_that_passed() -> None:
    states = list(lived(BEFORE))
    slower = replace(PACE, delay=4.5)
    later = replace(states[149], pace=slower)  # two batches went as planned, then the errors came
    assert moved(states[10], later) == "the delay grew from 3 to 4.5 s: +21 min"
    running = replace(states[160], pace=slower, batch=OpenBatch(left=64, delay=4.5, pause=30))
    assert moved(states[10], running).startswith("the delay grew from 3 to 4.5 s: +21 min")


inputs = st.builds(
    lambda minutes, left, delay, pause, size, limit, today, quiet, retries, others, in_batch: replace(
        BEFORE,
        now=START + timedelta(minutes=minutes),
        left=left,
        pace=replace(PACE, delay=delay, pause=pause, size=size),
        limit_per_day=limit,
        left_today=min(today, limit),
        quiet=quiet,
        retries_due=tuple(START + timedelta(minutes=due) for due in retries),
        others=tuple(others),
        batch=OpenBatch(left=in_batch, delay=delay, pause=pause) if in_batch else None,
    ),
    st.integers(0, 2000),
    st.integers(1, 2000),
    st.floats(2, 10),
    st.floats(0, 600),
    st.integers(25, 100),
    st.integers(100, 2000),
    st.integers(0, 2000),
    st.sampled_from(["", "21:00-08:00", "08:00-12:00"]),
    st.lists(st.integers(0, 3000), max_size=3),
    st.lists(st.integers(1, 500), max_size=2),
    st.integers(0, 25),
)


@settings(max_examples=60, deadline=None)
@given(inputs, inputs)
def test_the_causes_add_up_to_the_whole_move(before: Inputs, after: Inputs) -> None:
    ends = before.forecast().sending_ends_at, after.forecast().sending_ends_at
    assert ends[0] is not None
    assert ends[1] is not None
    found = causes(before, after)
    assert sum(cause.seconds for cause in found) == pytest.approx((ends[1] - ends[0]).total_seconds(), abs=0.01)
    assert all(cause.words for cause in found)
    told = moved(before, after)
    assert bool(told) is (
        abs((ends[1] - ends[0]).total_seconds()) >= max(30.0, 0.01 * (ends[1] - after.now).total_seconds())
    )
