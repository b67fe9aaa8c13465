"""Reservations: never beyond a limit, nothing lost, nothing doubled, moved once."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.reservations import (
    Day,
    Days,
    Move,
    Plan,
    TooLittleRoom,
    charge,
    moved,
    overdue,
    plan,
    release,
    reserve,
    spread,
    today_only,
)

TODAY = date(2026, 5, 4)
USUAL = 50

dates = st.integers(-4, 8).map(lambda n: TODAY + timedelta(days=n))
day_states = st.builds(Day, limit=st.integers(1, 60), used=st.integers(0, 70), reserved=st.integers(0, 60))
ledgers = st.dictionaries(dates, day_states, max_size=8)


def held(days: Days) -> int:
    return sum(day.reserved for day in days.values())


def assert_nobody_was_pushed_over_a_limit(before: Days, after: Days) -> None:
    for on, day in after.items():
        if day.reserved > before.get(on, Day(USUAL)).reserved:
            assert day.used + day.reserved <= day.limit


@given(st.integers(0, 2000), ledgers)
def test_a_plan_holds_every_message_once_and_never_more_than_a_day_takes(many: int, days: Days) -> None:
    planned = plan(many, TODAY, days, USUAL)
    assert sum(planned.values()) == many
    assert all(0 < count <= days.get(on, Day(USUAL)).room for on, count in planned.items())
    assert all(on >= TODAY for on in planned)
    after = reserve(days, planned, USUAL)
    assert held(after) == held(days) + many
    assert_nobody_was_pushed_over_a_limit(days, after)


@given(st.integers(1, 2000), ledgers)
def test_a_plan_leaves_no_room_behind_it(many: int, days: Days) -> None:
    planned = plan(many, TODAY, days, USUAL)
    last = max(planned)
    after = reserve(days, planned, USUAL)
    day = TODAY
    while day < last:
        assert after.get(day, Day(USUAL)).room == 0
        day += timedelta(days=1)


def test_the_room_of_today_comes_first_then_the_days_that_follow() -> None:
    days = {TODAY: Day(limit=1000, used=700, reserved=100), TODAY + timedelta(days=1): Day(limit=500)}
    planned = plan(1000, TODAY, days, 1000)
    assert list(planned.values()) == [200, 500, 300]


def test_what_does_not_fit_into_ten_years_is_refused() -> None:
    with pytest.raises(TooLittleRoom, match="raise the daily limit"):
        plan(10_000, TODAY, {}, 1)


@given(st.integers(0, 100), ledgers)
def test_without_spreading_a_launch_fits_today_or_not_at_all(many: int, days: Days) -> None:
    room = days.get(TODAY, Day(USUAL)).room
    try:
        planned = today_only(many, TODAY, days, USUAL)
    except TooLittleRoom as refused:
        assert many > room
        assert (refused.day, refused.needed, refused.remaining) == (TODAY, many, room)
    else:
        assert many <= room
        assert sum(planned.values()) == many


@given(st.integers(0, 400), st.integers(1, 9), ledgers)
def test_a_spread_launch_is_even_or_refused_with_the_day_that_is_too_small(many: int, over: int, days: Days) -> None:
    try:
        planned = spread(many, TODAY, over, days, USUAL)
    except TooLittleRoom as refused:
        assert refused.remaining == days.get(refused.day, Day(USUAL)).room < refused.needed
        assert refused.needed in (many // over, many // over + 1)
    else:
        assert sum(planned.values()) == many
        assert all(TODAY <= on < TODAY + timedelta(days=over) for on in planned)
        counts = [planned.get(TODAY + timedelta(days=n), 0) for n in range(over)]
        assert counts == sorted(counts, reverse=True)
        assert counts[0] - counts[-1] <= 1
        assert_nobody_was_pushed_over_a_limit(days, reserve(days, planned, USUAL))


def test_a_campaign_cannot_be_spread_over_no_day() -> None:
    with pytest.raises(ValueError, match="spread_over_days=0"):
        spread(10, TODAY, 0, {}, USUAL)


@given(ledgers)
def test_what_is_overdue_moves_to_days_with_room_and_nothing_is_lost(days: Days) -> None:
    after = moved(days, overdue(days, TODAY, USUAL), USUAL)
    assert held(after) == held(days)
    assert {on: day.used for on, day in after.items() if on in days} == {on: day.used for on, day in days.items()}
    assert all(day.reserved == 0 for on, day in after.items() if on < TODAY)
    assert all(after[on].reserved >= day.reserved for on, day in days.items() if on >= TODAY)
    assert_nobody_was_pushed_over_a_limit(days, after)


@given(ledgers)
def test_moving_twice_is_moving_once(days: Days) -> None:
    after = moved(days, overdue(days, TODAY, USUAL), USUAL)
    assert overdue(after, TODAY, USUAL) == []
    assert moved(after, [], USUAL) == after


@given(ledgers, st.dictionaries(dates, st.integers(1, 30), max_size=4))
def test_what_was_reserved_can_be_released_and_leaves_no_trace(days: Days, asked: Plan) -> None:
    fits = {on: many for on, many in asked.items() if many <= days.get(on, Day(USUAL)).room}
    back = release(reserve(days, fits, USUAL), fits)
    assert held(back) == held(days)
    assert {on: day for on, day in back.items() if on in days} == days


def test_more_than_is_held_cannot_be_released() -> None:
    with pytest.raises(ValueError, match="2 reservations cannot be released on 2026-05-04: 1 are held"):
        release({TODAY: Day(limit=10, reserved=1)}, {TODAY: 2})
    with pytest.raises(ValueError, match="0 are held"):
        release({}, {TODAY: 1})


@given(ledgers, st.integers(1, 60))
def test_nothing_is_reserved_when_a_part_of_it_does_not_fit(days: Days, many: int) -> None:
    tomorrow = TODAY + timedelta(days=1)
    too_many = days.get(tomorrow, Day(USUAL)).room + many
    with pytest.raises(TooLittleRoom):
        reserve(days, {TODAY: 1, tomorrow: too_many}, USUAL)


@given(ledgers)
def test_a_send_turns_a_reservation_into_use(days: Days) -> None:
    for planned_for in [on for on, day in days.items() if day.reserved]:
        after = charge(days, TODAY, planned_for, USUAL)
        assert held(after) == held(days) - 1
        assert after[TODAY].used == days.get(TODAY, Day(USUAL)).used + 1
        if planned_for == TODAY:
            assert after[TODAY].room == days[TODAY].room


def test_message_2_uses_a_place_that_nobody_reserved() -> None:
    after = charge({TODAY: Day(limit=10, reserved=4)}, TODAY, None, USUAL)
    assert after[TODAY] == Day(limit=10, used=1, reserved=4)


def test_a_launch_lived_through_ends_with_nothing_reserved() -> None:
    days: Days = {}
    days = reserve(days, plan(120, TODAY, days, USUAL), USUAL)
    left, today = 120, TODAY
    while left:
        days = moved(days, overdue(days, today, USUAL), USUAL)
        for _ in range(min(30, days[today].reserved)):  # a slow number: 30 a day
            days, left = charge(days, today, today, USUAL), left - 1
        today += timedelta(days=1)
    assert held(days) == 0
    assert sum(day.used for day in days.values()) == 120
    assert all(day.used <= USUAL for day in days.values())
    assert overdue(days, today, USUAL) == []


def test_moves_of_two_days_into_one_are_added_up() -> None:
    old, older = TODAY - timedelta(days=1), TODAY - timedelta(days=2)
    days = {old: Day(10, reserved=2), older: Day(10, reserved=3)}
    moves = overdue(days, TODAY, USUAL)
    assert moves == [Move(older, TODAY, 3), Move(old, TODAY, 2)]
    assert moved(days, moves, USUAL)[TODAY].reserved == 5
