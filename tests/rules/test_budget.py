"""The no-reply budget: per month, answered ones do not count, alert at 80 %."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.budget import Spent, budget, month_bounds
from rules.quota import local_day

pairs = st.integers(0, 5000).flatmap(lambda opened: st.tuples(st.just(opened), st.integers(0, opened)))


@pytest.mark.parametrize(
    ("opened", "answered", "cap", "level", "left"),
    [
        (5000, 0, None, Spent.OPEN, None),
        (79, 0, 100, Spent.OK, 21),
        (80, 0, 100, Spent.ALERT, 20),
        (99, 0, 100, Spent.ALERT, 1),
        (100, 0, 100, Spent.EXHAUSTED, 0),
        (300, 0, 100, Spent.EXHAUSTED, 0),
        (300, 250, 100, Spent.OK, 50),
        (0, 0, 100, Spent.OK, 100),
        (0, 0, 0, Spent.EXHAUSTED, 0),
    ],
)
def test_the_budget_alerts_at_eighty_percent_and_ends_at_the_cap(
    opened: int, answered: int, cap: int | None, level: Spent, left: int | None
) -> None:
    seen = budget(opened, answered, cap)
    assert (seen.level, seen.left) == (level, left)


@given(pairs, st.integers(0, 3000))
def test_an_answer_gives_room_back_and_a_new_conversation_takes_it(pair: tuple[int, int], cap: int) -> None:
    opened, answered = pair
    seen = budget(opened, answered, cap)
    assert seen.unanswered == opened - answered
    assert seen.left == max(0, cap - seen.unanswered)
    one_more = budget(opened + 1, answered, cap)
    assert one_more.left == max(0, (cap - seen.unanswered) - 1)
    assert budget(opened + 1, answered + 1, cap).left == seen.left
    assert str(seen.unanswered) in seen.why


def test_without_a_cap_the_figure_is_shown_all_the_same() -> None:
    seen = budget(200, 50)
    assert seen.why == "150 of 200 conversations opened this month are not answered; no cap is set"
    assert seen.answered == 0.25


@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["UTC", "Europe/Paris", "America/Santiago", "Pacific/Apia", "Asia/Kolkata"]),
)
def test_a_month_holds_exactly_its_local_days(now: datetime, tz: str) -> None:
    start, end = month_bounds(now, tz)
    assert start <= now < end
    tick = timedelta(seconds=1)
    here = local_day(now, tz)
    assert local_day(start, tz).replace(day=1) == local_day(end - tick, tz).replace(day=1) == here.replace(day=1)
    assert local_day(start - tick, tz) < here.replace(day=1)
    assert local_day(end, tz).day == 1
