"""Who is missed: as many as died and nobody replaced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.roll_call import Seen, missed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SILENT = 300


def seen(began: int, beat: int, *, ended: bool = False) -> Seen:
    """A process that began and last beat so many seconds ago."""
    return Seen(
        kind="worker",
        host="here",
        pid=began,
        started_at=NOW - timedelta(seconds=began),
        beat_at=NOW - timedelta(seconds=beat),
        missing=beat > SILENT and not ended,
        alive=beat < 15 and not ended,
    )


def test_a_process_that_is_brought_back_again_and_again_is_not_missed() -> None:
    assert missed([seen(5000, 4000), seen(3999, 2000), seen(1999, 0)]) == []


def test_one_newcomer_replaces_one() -> None:
    first, second, heir = seen(5000, 900), seen(5000, 800), seen(700, 0)
    assert missed([heir, second, first]) == [second]


def test_a_newcomer_of_before_the_death_replaces_nobody() -> None:
    gone = seen(5000, 400)
    assert missed([gone, seen(500, 0)]) == [gone]


def test_a_replacement_that_stopped_in_good_order_was_one_all_the_same() -> None:
    assert missed([seen(5000, 900), seen(899, 400, ended=True)]) == []


_process = st.tuples(st.integers(1, 5000), st.integers(0, 5000), st.booleans()).map(
    lambda t: seen(max(t[0], t[1]), min(t[0], t[1]), ended=t[2])
)


@given(st.lists(_process, max_size=12))
def test_only_silent_ones_are_missed_and_never_more_than_newcomers_leave(processes: list[Seen]) -> None:
    left = missed(processes)
    assert all(one.missing for one in left)
    silent = [one for one in processes if one.missing]
    first = min((one.beat_at for one in silent), default=NOW)
    newcomers = sum(one.started_at > first for one in processes)
    assert len(silent) - newcomers <= len(left) <= len(silent)


@given(st.lists(_process, max_size=12))
def test_the_order_of_the_rows_does_not_matter(processes: list[Seen]) -> None:
    mixed = sorted(processes, key=lambda one: one.pid % 7)
    assert len(missed(mixed)) == len(missed(processes))
