"""Warm-up: stages that are earned, warnings that cost one, and caps per hour and minute."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pacing import Layer, Pace, Source, gaps, resolve
from rules.warmup import CAPS, STAGES, Day, ceiling, climb, next_allowed, slowed

FIRST = date(2026, 5, 4)
NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
CAREFUL = CAPS["careful"]


def good(day: int, many: int = 40) -> Day:
    return Day(day=FIRST + timedelta(days=day), opened=many, answered=many // 2, attempts=many, failed=0)


def stage_on(day: int, *days: Day, start: int = 0) -> int:
    return climb(days, first_used=FIRST, today=FIRST + timedelta(days=day), start=start).stage


@pytest.mark.parametrize(
    ("age", "cap"),
    [(-1, 20), (0, 20), (3, 20), (4, 40), (7, 40), (8, 80), (14, 80), (15, 150), (28, 150), (29, 300), (999, 300)],
)
def test_the_age_of_a_number_is_the_ceiling_of_its_cap(age: int, cap: int) -> None:
    assert STAGES[ceiling(age)].cap == cap


def test_a_number_that_does_well_every_day_is_at_its_ceiling_every_day() -> None:
    life = [good(day) for day in range(40)]
    for day in range(40):
        assert stage_on(day, *life[: day + 1]) == ceiling(day)


def test_age_alone_earns_nothing() -> None:
    assert stage_on(400) == 0
    assert stage_on(400, good(0, many=18)) == 0


def test_an_old_number_that_starts_here_climbs_a_stage_a_day_at_most() -> None:
    joined = [good(day) for day in range(400, 410)]
    assert [stage_on(day, *joined) for day in range(400, 407)] == [0, 1, 2, 3, 4, 4, 4]


@pytest.mark.parametrize(
    ("answered", "failed", "stage"),
    [(25, 2, 1), (24, 2, 0), (25, 3, 0), (100, 0, 1), (0, 0, 0)],
)
def test_a_stage_needs_a_quarter_of_replies_and_less_than_three_percent_failures(
    answered: int, failed: int, stage: int
) -> None:
    day = Day(day=FIRST, opened=100, answered=answered, attempts=100, failed=failed)
    assert stage_on(4, day) == stage


def test_what_earned_one_stage_does_not_earn_the_next() -> None:
    assert stage_on(29, good(0)) == 1
    assert stage_on(29, good(0), good(10)) == 2


def test_a_warning_costs_a_stage_at_once_and_what_was_shown_before_it() -> None:
    life = [good(day) for day in range(20)]
    warned = Day(day=FIRST + timedelta(days=20), opened=40, answered=40, attempts=40, warned=True)
    assert stage_on(19, *life) == 3
    assert stage_on(20, *life, warned) == 2
    assert stage_on(25, *life, warned) == 2
    assert stage_on(22, *life, warned, good(21)) == 3
    stood = climb([*life, warned], first_used=FIRST, today=FIRST + timedelta(days=25))
    assert (stood.since, stood.why) == (date(2026, 5, 24), "one stage back: there was a warning on 2026-05-24")


def test_there_is_no_stage_before_the_first() -> None:
    assert stage_on(1, Day(day=FIRST, warned=True)) == 0


def test_a_number_declared_mature_begins_at_the_top_and_a_warning_still_counts() -> None:
    assert stage_on(0, start=4) == 4
    assert stage_on(1, Day(day=FIRST, warned=True), start=4) == 3


lives = st.lists(
    st.builds(
        lambda day, opened, answered, failed, warned: Day(
            day=FIRST + timedelta(days=day),
            opened=opened,
            answered=min(opened, answered),
            attempts=opened,
            failed=min(opened, failed),
            warned=warned,
        ),
        st.integers(0, 60),
        st.integers(0, 300),
        st.integers(0, 300),
        st.integers(0, 10),
        st.booleans(),
    ),
    unique_by=lambda day: day.day,
    max_size=40,
)


@given(lives, st.integers(0, 60))
def test_a_standing_is_never_above_its_ceiling_moves_by_one_and_says_why(life: list[Day], on: int) -> None:
    today = FIRST + timedelta(days=on)
    stood = climb(life, first_used=FIRST, today=today)
    assert 0 <= stood.stage <= ceiling(on)
    assert stood.why
    assert stood.cap == STAGES[stood.stage].cap
    assert stood == climb(sorted(life, key=lambda day: day.day), first_used=FIRST, today=today)
    yesterday = climb([day for day in life if day.day < today], first_used=FIRST, today=today - timedelta(days=1))
    assert abs(stood.stage - yesterday.stage) <= 1


def test_the_hour_is_full_until_its_first_message_is_an_hour_old() -> None:
    assert next_allowed(NOW, CAREFUL, None, NOW - timedelta(minutes=59)) == NOW + timedelta(minutes=1)
    assert next_allowed(NOW, CAREFUL, None, NOW - timedelta(minutes=60)) is None
    assert next_allowed(NOW, CAREFUL, NOW - timedelta(seconds=50), None) == NOW + timedelta(seconds=10)
    both = next_allowed(NOW, CAREFUL, NOW - timedelta(seconds=50), NOW - timedelta(minutes=30))
    assert both == NOW + timedelta(minutes=30)
    assert next_allowed(NOW, CAPS["standard"], NOW, NOW) is None
    assert next_allowed(NOW, CAREFUL, None, NOW, time_scale=60) == NOW + timedelta(minutes=1)
    assert next_allowed(NOW, CAREFUL, None, None) is None


@given(st.lists(st.floats(0, 600), min_size=1, max_size=150))
def test_no_hour_ever_holds_more_than_thirty_and_no_minute_more_than_four(wishes: list[float]) -> None:
    left: list[datetime] = []
    now = NOW
    for wish in wishes:
        now += timedelta(seconds=wish)
        of_minute, of_hour = (left[-n] if len(left) >= n else None for n in (4, 30))
        now = next_allowed(now, CAREFUL, of_minute, of_hour) or now
        left.append(now)
    for many, span in ((4, timedelta(minutes=1)), (30, timedelta(hours=1))):
        assert all(later - earlier >= span for earlier, later in zip(left, left[many:], strict=False))


@given(st.floats(15, 45), st.integers(15, 25), st.floats(600, 1500), st.integers(0, 2**32))
def test_careful_gaps_alone_keep_four_a_minute_and_the_slowed_pace_keeps_thirty_an_hour(
    delay: float, size: int, pause: float, seed: int
) -> None:
    dice = random.Random(seed)
    careful = resolve(
        Layer(source=Source.ENVIRONMENT, profile="careful"),
        Layer(source=Source.CAMPAIGN, delay=delay, size=size, pause=pause),
    )
    pace = slowed(careful, CAREFUL.per_hour)
    drawn = gaps(pace.delay, pace.size, pace.jitter, [dice.random() for _ in range(pace.size)])
    assert all(sum(drawn[i : i + 4]) >= 60 - 1e-6 for i in range(size - 3))
    per_hour = pace.size * 3600 / (sum(drawn) + pace.pause)
    assert per_hour <= 30 + 1e-6
    assert pace.pause >= careful.pause


def test_a_pace_without_hourly_cap_stays_as_it_is() -> None:
    pace = Pace(delay=3, size=75, pause=30, jitter=0.25, profile="standard")
    assert slowed(pace, CAPS["standard"].per_hour) is pace
