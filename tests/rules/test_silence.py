"""The silent-drop guard: learned lag, warning, trip, and silence about what cannot be judged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.silence import Accepted, Learned, Silence, judge, lag

LEARNED = Learned(p95=10, sample=200)
SILENT, HEARD, YOUNG = Accepted(age=121, acked=False), Accepted(age=121, acked=True), Accepted(age=119, acked=False)


@pytest.mark.parametrize(
    ("messages", "level"),
    [
        ([], Silence.UNKNOWN),
        ([SILENT] * 4, Silence.UNKNOWN),
        ([YOUNG] * 50, Silence.UNKNOWN),
        ([YOUNG] * 50 + [HEARD] * 5, Silence.HEARD),
        ([SILENT] * 5, Silence.WARNING),
        ([SILENT] * 9, Silence.WARNING),
        ([SILENT] * 10, Silence.TRIP),
        ([SILENT] * 5 + [HEARD] * 5, Silence.HEARD),
        ([SILENT] * 6 + [HEARD] * 5, Silence.WARNING),
        ([SILENT] * 16 + [HEARD] * 4, Silence.WARNING),
        ([SILENT] * 17 + [HEARD] * 3, Silence.TRIP),
        ([HEARD] * 20 + [SILENT] * 500, Silence.HEARD),  # only the newest count
        ([YOUNG] * 10 + [SILENT] * 20, Silence.TRIP),
    ],
)
def test_silence_warns_and_then_trips(messages: list[Accepted], level: Silence) -> None:
    verdict = judge(LEARNED, messages)
    assert verdict.level is level
    assert verdict.why


def test_the_lag_is_learned_with_a_floor_and_a_least_sample() -> None:
    assert lag(Learned(p95=100, sample=20)) == 300
    assert lag(Learned(p95=1, sample=20)) == 120
    assert lag(Learned(p95=100, sample=19)) is None
    assert lag(Learned(p95=None, sample=0)) is None
    assert lag(Learned(p95=1, sample=20), floor=0.5, factor=2) == 2


def test_a_number_of_which_nothing_was_ever_heard_is_not_judged() -> None:
    verdict = judge(Learned(p95=None, sample=0), [SILENT] * 500)
    assert verdict.level is Silence.UNKNOWN
    assert verdict.why == "not judged: 0 acknowledgements are known, 20 are needed to learn their delay"


def test_a_slow_number_is_given_its_time() -> None:
    slow = Learned(p95=3600, sample=100)
    assert judge(slow, [Accepted(age=10_000, acked=False)] * 20).level is Silence.UNKNOWN
    assert judge(slow, [Accepted(age=10_801, acked=False)] * 20).level is Silence.TRIP


messages = st.lists(st.builds(Accepted, age=st.floats(0, 1000), acked=st.booleans()), max_size=60)
learned = st.builds(Learned, p95=st.one_of(st.none(), st.floats(0, 300)), sample=st.integers(0, 200))
ORDER = [Silence.UNKNOWN, Silence.HEARD, Silence.WARNING, Silence.TRIP]


@given(learned, messages)
def test_one_acknowledgement_more_never_makes_it_worse(known: Learned, seen: list[Accepted]) -> None:
    before = judge(known, seen).level
    for at, message in enumerate(seen[:25]):
        better = [*seen[:at], Accepted(age=message.age, acked=True), *seen[at + 1 :]]
        assert ORDER.index(judge(known, better).level) <= ORDER.index(before)


@given(learned, messages)
def test_what_is_all_heard_or_too_young_is_never_a_drop(known: Learned, seen: list[Accepted]) -> None:
    after = lag(known)
    fine = [m for m in seen if m.acked or after is None or m.age <= after]
    assert judge(known, fine).level in (Silence.UNKNOWN, Silence.HEARD)
