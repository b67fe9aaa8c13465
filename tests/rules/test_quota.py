"""Quota: days as they come (23, 24, 25 hours, or none), levels, and nights that end."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.quota import (
    BadQuietHours,
    Level,
    Quiet,
    day_bounds,
    level,
    local_day,
    message_2_limit,
    parse_quiet,
    quiet_from,
    quiet_until,
    remaining,
)

ZONES = ["UTC", "Europe/Paris", "America/New_York", "America/Santiago", "America/Havana", "Africa/Cairo",
         "Asia/Kolkata", "Asia/Beirut", "Australia/Lord_Howe", "Pacific/Apia", "America/Scoresbysund"]  # fmt: skip
zones = st.sampled_from(ZONES)
moments = st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
changes = st.sampled_from(
    [datetime(2025, 3, 9, 7), datetime(2025, 11, 2, 6), datetime(2025, 3, 30, 1), datetime(2025, 10, 26, 1),
     datetime(2025, 9, 7, 4), datetime(2025, 4, 6, 3), datetime(2025, 4, 24, 22), datetime(2025, 10, 4, 15, 30)]
)  # fmt: skip
near_changes = st.builds(
    lambda at, by: at.replace(tzinfo=UTC) + by, changes, st.timedeltas(timedelta(hours=-30), timedelta(hours=30))
)
instants = st.one_of(moments, near_changes)
clocks = st.builds(lambda h, m: time(h, m), st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
quiets = st.tuples(clocks, clocks).filter(lambda c: c[0] != c[1]).map(lambda c: f"{c[0]:%H:%M}-{c[1]:%H:%M}")
TICK = timedelta(seconds=1)


@given(instants, zones)
def test_a_day_holds_exactly_the_moments_whose_local_date_it_is(now: datetime, tz: str) -> None:
    start, end = day_bounds(local_day(now, tz), tz)
    assert start <= now < end
    assert local_day(start, tz) == local_day(end - TICK, tz) == local_day(now, tz)
    assert local_day(start - TICK, tz) < local_day(now, tz) < local_day(end, tz)


@given(st.dates(date(2010, 1, 1), date(2030, 1, 1)), zones)
def test_days_follow_each_other_without_gap_or_overlap(day: date, tz: str) -> None:
    start, end = day_bounds(day, tz)
    assert day_bounds(day + timedelta(days=1), tz)[0] == end
    assert start <= end


@pytest.mark.parametrize(
    ("day", "tz", "hours"),
    [
        (date(2026, 3, 29), "Europe/Paris", 23),
        (date(2026, 10, 25), "Europe/Paris", 25),
        (date(2026, 7, 1), "Europe/Paris", 24),
        (date(2025, 9, 7), "America/Santiago", 23),  # there is no midnight: it is 01:00 at once
        (date(2025, 4, 5), "America/Santiago", 25),
        (date(2025, 10, 5), "Australia/Lord_Howe", 23.5),
        (date(2011, 12, 30), "Pacific/Apia", 0),  # Samoa skipped it
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(day: date, tz: str, hours: float) -> None:
    start, end = day_bounds(day, tz)
    assert end - start == timedelta(hours=hours)


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_what_remains_is_never_negative_and_never_oversells(limit: int, used: int, reserved: int) -> None:
    left = remaining(limit, used, reserved)
    assert left >= 0
    assert left == 0 or used + reserved + left == limit


@pytest.mark.parametrize(
    ("limit", "allowance", "expected"),
    [(1000, 0.5, 1500), (1000, 0, 1000), (1, 0.5, 1), (3, 0.5, 4), (1000, 0.29, 1290), (7, 10, 77)],
)
def test_message_2_may_pass_the_limit_by_its_allowance(limit: int, allowance: float, expected: int) -> None:
    assert message_2_limit(limit, allowance) == expected


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_levels_scale_with_the_limit_and_only_rise(used: int, limit: int) -> None:
    order = list(Level)
    assert order.index(level(used, limit)) <= order.index(level(used + 1, limit))
    assert (level(used, limit) is Level.BLOCKED) is (used > limit)
    assert level(used, limit) is level(used * 7, limit * 7)


@pytest.mark.parametrize("nothing", ["", "  "])
def test_no_quiet_hours_are_never_quiet(nothing: str) -> None:
    now = datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert parse_quiet(nothing) is None
    assert quiet_until(now, "UTC", nothing) is None
    assert quiet_from(now, "UTC", nothing) is None


def test_quiet_hours_are_read() -> None:
    assert parse_quiet(" 12:30-13:45 ") == Quiet(time(12, 30), time(13, 45))


@pytest.mark.parametrize("text", ["21-8", "21:00", "24:00-08:00", "21:60-08:00", "21:00–08:00", "08:00-08:00", "x"])
def test_quiet_hours_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(BadQuietHours) as refused:
        parse_quiet(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    ("local", "quiet", "ends"),
    [
        ("2026-01-05 20:59", "21:00-08:00", None),
        ("2026-01-05 21:00", "21:00-08:00", "2026-01-06 08:00"),
        ("2026-01-06 07:59", "21:00-08:00", "2026-01-06 08:00"),
        ("2026-01-06 08:00", "21:00-08:00", None),
        ("2026-01-05 12:00", "12:00-14:00", "2026-01-05 14:00"),
        ("2026-01-05 14:00", "12:00-14:00", None),
        ("2026-03-28 23:00", "21:00-08:00", "2026-03-29 08:00"),  # a night of ten hours
        ("2026-03-29 01:59", "01:00-02:30", "2026-03-29 03:00"),  # 02:30 is jumped over
        ("2026-10-25 01:30", "01:00-02:30", "2026-10-25 02:30+01:00"),  # 02:30 comes twice: the second
    ],
)
def test_a_night_ends_when_the_clock_on_the_wall_says_so(local: str, quiet: str, ends: str | None) -> None:
    paris = ZoneInfo("Europe/Paris")
    now = datetime.fromisoformat(local).replace(tzinfo=paris)
    until = quiet_until(now, "Europe/Paris", quiet)
    if ends is None:
        assert until is None
        return
    expected = datetime.fromisoformat(ends)
    assert until == (expected if expected.tzinfo else expected.replace(tzinfo=paris))
    assert until is not None
    assert until.tzinfo is UTC


@given(instants, zones, quiets)
def test_a_night_that_is_on_ends_later_and_is_over_then(now: datetime, tz: str, quiet: str) -> None:
    until = quiet_until(now, tz, quiet)
    if until is not None:
        assert now < until <= now + timedelta(hours=26)
        assert quiet_until(until - TICK, tz, quiet) == until or until - now < TICK
        assert quiet_until(until, tz, quiet) != until


@given(instants, zones, quiets)
def test_away_from_clock_changes_quiet_is_what_the_clock_on_the_wall_shows(now: datetime, tz: str, quiet: str) -> None:
    zone = ZoneInfo(tz)
    assume(len({(now + timedelta(hours=h)).astimezone(zone).utcoffset() for h in (-26, 0, 26)}) == 1)
    hours = parse_quiet(quiet)
    assert hours is not None
    wall = now.astimezone(zone).time()
    started, ended = wall >= hours.start, wall >= hours.end
    expected = started and not ended if hours.start < hours.end else started or not ended
    assert (quiet_until(now, tz, quiet) is not None) is expected


@given(instants, zones, quiets)
def test_the_next_night_begins_after_now_and_quiet_begins_with_it(now: datetime, tz: str, quiet: str) -> None:
    begins = quiet_from(now, tz, quiet)
    assert begins is not None
    assert now < begins <= now + timedelta(hours=50)
    assert quiet_until(begins, tz, quiet) is not None
    if quiet_until(now, tz, quiet) is None:
        assert quiet_until(now + (begins - now) / 2, tz, quiet) is None
        assert quiet_until(begins - TICK, tz, quiet) is None or begins - now < TICK
