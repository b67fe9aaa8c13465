"""The recipient's clock: zones from the phone, the strictest of several, and what is never open."""

import random
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.quota import BadQuietHours, quiet_until
from rules.zones import quiet_for, zones

NIGHT = "21:00-08:00"
FRANCE, GERMANY, BRITAIN, SWEDEN = "+33199001234", "+4917604069012", "+442079460123", "+46701740605"
WASHINGTON, TORONTO = "+12025550123", "+14165550123"
AUSTRALIA = "+61491570006"

PHONES = [FRANCE, GERMANY, BRITAIN, SWEDEN, WASHINGTON, TORONTO, AUSTRALIA, "+34600000000", "+79000000000",
          "+77000000000", "+5511900000000", "+351900000000", "+881600000000"]  # fmt: skip
phones = st.sampled_from(PHONES)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
clocks = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
quiets = st.tuples(clocks, clocks).filter(lambda c: c[0] != c[1]).map(lambda c: f"{c[0]}-{c[1]}")


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        (FRANCE, ("Europe/Paris",)),
        (GERMANY, ("Europe/Berlin",)),
        (SWEDEN, ("Europe/Stockholm",)),
        (WASHINGTON, ("America/New_York",)),
        (TORONTO, ("America/Toronto",)),
        ("+5511900000000", ("America/Sao_Paulo",)),
        ("+77000000000", ("Asia/Almaty", "Asia/Aqtobe")),
        ("+351900000000", ("Atlantic/Azores", "Europe/Lisbon")),
        ("+22890000000", ("Africa/Lome",)),
        ("+881600000000", ()),
        ("+", ()),
        ("+99999", ()),
    ],
)
def test_a_number_is_in_the_zones_of_its_country_or_region(phone: str, expected: tuple[str, ...]) -> None:
    assert zones(phone) == expected


def test_a_mobile_of_a_wide_country_may_be_anywhere_in_it() -> None:
    assert {"Australia/Perth", "Australia/Sydney"} <= set(zones(AUSTRALIA))
    assert {"Europe/Moscow", "Asia/Kamchatka"} <= set(zones("+79000000000"))


def test_quiet_hours_are_the_recipients_own() -> None:
    evening = datetime(2026, 1, 5, 20, 30, tzinfo=UTC)  # 21:30 in Paris, 20:30 in London, 15:30 in Washington
    assert quiet_for(evening, FRANCE, NIGHT) == datetime(2026, 1, 6, 7, 0, tzinfo=UTC)
    assert quiet_for(evening, BRITAIN, NIGHT) is None
    assert quiet_for(evening, WASHINGTON, NIGHT) is None
    assert quiet_for(evening, FRANCE, "") is None


def test_where_a_country_has_several_zones_the_strictest_counts() -> None:
    spain = "+34600000000"
    summer = datetime(2026, 7, 6, tzinfo=UTC)  # Madrid is UTC+2, the Canaries UTC+1
    assert quiet_for(summer.replace(hour=6, minute=30), spain, NIGHT) == summer.replace(hour=7)  # 07:30 in the Canaries
    assert quiet_for(summer.replace(hour=7), spain, NIGHT) is None
    assert quiet_for(summer.replace(hour=19), spain, NIGHT) == summer.replace(hour=7) + timedelta(days=1)


def test_a_number_of_no_country_is_quiet_by_the_clock_it_is_given() -> None:
    noon = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    assert quiet_for(noon, "+881600000000", NIGHT) is None
    assert quiet_for(noon, "+881600000000", NIGHT, otherwise="Asia/Tokyo") == datetime(2026, 1, 5, 23, 0, tzinfo=UTC)


def test_a_country_in_which_it_is_always_quiet_somewhere_is_open_by_its_middle() -> None:
    russia, hours = "+79000000000", "18:00-09:00"
    day = [datetime(2026, 5, 4, hour, 0, tzinfo=UTC) for hour in range(24)]
    open_hours = [now for now in day if quiet_for(now, russia, hours) is None]
    assert len(open_hours) == 9
    for now in day:
        ends = quiet_for(now, russia, hours)
        assert ends is None or quiet_for(ends, russia, hours) is None


@settings(deadline=None)  # the first use of a zone reads its file
@given(moments, phones, quiets)
def test_when_it_ends_nobody_is_asleep_any_more_and_until_then_somebody_is(
    now: datetime, phone: str, quiet: str
) -> None:
    places = zones(phone) or ("UTC",)
    ends = quiet_for(now, phone, quiet)
    if ends is None:
        return
    assert now < ends <= now + timedelta(hours=50)
    assert ends.tzinfo is UTC
    assert quiet_for(ends, phone, quiet) is None
    if all(quiet_until(ends, place, quiet) is None for place in places):
        halfway = now + (ends - now) / 2
        assert any(quiet_until(halfway, place, quiet) is not None for place in places)


@settings(deadline=None)
@given(moments, st.sampled_from([FRANCE, GERMANY, WASHINGTON, "+881600000000"]), quiets)
def test_with_one_zone_it_is_that_zones_night(now: datetime, phone: str, quiet: str) -> None:
    (place,) = zones(phone) or ("UTC",)
    assert quiet_for(now, phone, quiet) == quiet_until(now, place, quiet)


@settings(deadline=None)
@given(moments, st.sampled_from(["+34600000000", "+351900000000", BRITAIN]))
def test_the_strictest_is_never_kinder_than_any_single_zone(now: datetime, phone: str) -> None:
    alone = [quiet_until(now, place, NIGHT) for place in zones(phone)]
    together = quiet_for(now, phone, NIGHT)
    assert (together is None) is all(end is None for end in alone)
    assert together is None or together >= max(end for end in alone if end is not None)


def test_hours_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(BadQuietHours):
        quiet_for(datetime(2026, 1, 5, tzinfo=UTC), FRANCE, "21-8")


def test_the_zone_is_that_of_the_wall_clock_there() -> None:
    now = datetime(2026, 7, 6, 19, 0, tzinfo=UTC)
    assert now.astimezone(ZoneInfo("Europe/Paris")).hour == 21
    assert quiet_for(now, FRANCE, NIGHT) is not None
    assert quiet_for(now - timedelta(seconds=1), FRANCE, NIGHT) is None


def test_a_hundred_thousand_recipients_are_judged_in_a_second_or_so() -> None:
    dice = random.Random(5)
    starts = ["+3363998", "+44770090", "+120255501", "+3460000", "+4670174"]
    people = [f"{dice.choice(starts)}{dice.randrange(10_000):04d}" for _ in range(100_000)]
    now = datetime(2026, 5, 4, 19, 30, tzinfo=UTC)
    began = time.process_time()
    for phone in people:
        quiet_for(now, phone, NIGHT)
    assert time.process_time() - began < 10
