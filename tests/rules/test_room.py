"""The room of a day: total and new conversations apart, and which of them binds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.room import Today, room

counts = st.integers(0, 2000)
days = st.builds(
    Today,
    limit=st.integers(1, 1500),
    used=counts,
    reserved=counts,
    new_cap=st.one_of(st.none(), st.sampled_from([20, 40, 80, 150, 300])),
    opened=st.integers(0, 400),
    reserved_new=st.integers(0, 50),
)


@pytest.mark.parametrize(
    ("today", "many", "binds"),
    [
        (Today(limit=1000, used=0, reserved=0), 1000, "limit"),
        (Today(limit=1000, used=900, reserved=90), 10, "limit"),
        (Today(limit=1000, used=900, reserved=90, new_cap=20), 10, "limit"),
        (Today(limit=1000, used=0, reserved=0, new_cap=20), 20, "new_conversations"),
        (Today(limit=1000, used=0, reserved=0, new_cap=20, opened=15, reserved_new=5), 0, "new_conversations"),
        (Today(limit=1000, used=1200, reserved=0, new_cap=20, opened=30), 0, "limit"),
        (Today(limit=20, used=0, reserved=0, new_cap=20), 20, "limit"),
    ],
)
def test_the_smaller_of_both_binds_and_is_named(today: Today, many: int, binds: str) -> None:
    left = room(today)
    assert (left.many, left.binds) == (many, binds)
    assert left.why.startswith(f"{many} ")
    assert ("warm-up" in left.why) is (binds == "new_conversations")


@given(days)
def test_the_room_is_the_minimum_of_limit_and_cap_and_never_negative(today: Today) -> None:
    left = room(today)
    by_limit = today.limit - today.used - today.reserved
    by_cap = by_limit if today.new_cap is None else today.new_cap - today.opened - today.reserved_new
    assert left.many == max(0, min(by_limit, by_cap))
    assert left.total == max(0, by_limit)
    assert left.new == left.many


@given(days, counts, counts)
def test_a_share_never_passes_the_limit_nor_the_cap_and_wastes_nothing(today: Today, new: int, known: int) -> None:
    left = room(today)
    some_new, some_known = left.share(new, known)
    assert 0 <= some_new <= min(new, left.new)
    assert 0 <= some_known <= known
    assert some_new + some_known <= left.total
    if some_new < new and some_new < left.new:
        assert some_new + some_known == left.total
