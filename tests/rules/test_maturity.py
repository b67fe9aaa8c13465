"""Maturity: what a number must have behind it, what it is told it lacks, and whose word counts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.maturity import Facts, Thresholds, judge

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
OLD = Facts(first_used_at=NOW - timedelta(days=28), sent=500, attempts=100, failed=2, opened=100, answered=25)

shares = st.integers(0, 200).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))
facts = st.builds(
    lambda age, sent, failed, answered: Facts(
        first_used_at=None if age is None else NOW - timedelta(hours=age),
        sent=sent,
        attempts=failed[1],
        failed=failed[0],
        opened=answered[1],
        answered=answered[0],
    ),
    st.one_of(st.none(), st.integers(-24, 2000)),
    st.integers(0, 2000),
    shares,
    shares,
)


def test_a_number_that_meets_every_threshold_is_mature_and_says_so() -> None:
    judged = judge(OLD, NOW)
    assert judged.mature
    assert judged.missing == ()
    assert judged.reasons == (
        "It is used for 28 days.",
        "500 messages left it.",
        "2.0 % of the last 100 attempts failed.",
        "25.0 % of the last 100 people written to answered.",
    )


@pytest.mark.parametrize(
    ("change", "lacks"),
    [
        ({"first_used_at": NOW - timedelta(days=27, hours=23)}, "It is used for 27 days: 28 are needed."),
        ({"first_used_at": NOW + timedelta(days=2)}, "It is used for 0 days: 28 are needed."),
        ({"first_used_at": None}, "Nobody knows since when it is used: 28 days are needed."),
        ({"sent": 499}, "499 messages left it: 500 are needed."),
        ({"failed": 3}, "3.0 % of the last 100 attempts failed: it must be less than 3.0 %."),
        ({"attempts": 19, "failed": 0}, "Only 19 recent attempts: failures are judged from 20 on."),
        ({"answered": 24}, "24.0 % of the last 100 people written to answered: at least 25.0 % are needed."),
        ({"opened": 19, "answered": 19}, "Only 19 conversations have ended: replies are judged from 20 on."),
    ],
)
def test_each_threshold_that_is_not_met_is_named(change: dict[str, object], lacks: str) -> None:
    judged = judge(replace(OLD, **change), NOW)  # type: ignore[arg-type]
    assert not judged.mature
    assert judged.missing == (lacks,)
    assert lacks in judged.reasons


@given(facts)
def test_a_number_is_mature_exactly_when_nothing_is_missing(seen: Facts) -> None:
    judged = judge(seen, NOW)
    assert judged.mature is judged.computed is (judged.missing == ())
    assert len(judged.reasons) == 4
    assert set(judged.missing) <= set(judged.reasons)
    assert all(sentence.endswith(".") for sentence in judged.reasons)


@given(facts, st.booleans())
def test_a_person_overrides_and_the_reasons_say_that_and_what_the_figures_say(seen: Facts, word: bool) -> None:
    judged = judge(seen, NOW, override=word)
    plain = judge(seen, NOW)
    assert judged.mature is word
    assert judged.computed is plain.mature
    assert judged.missing == plain.missing
    assert judged.reasons[1:] == plain.reasons
    assert ("otherwise" in judged.reasons[0]) is (word is not plain.mature)


@given(facts, facts)
def test_more_of_what_is_good_never_takes_maturity_away(one: Facts, other: Facts) -> None:
    born = min((f.first_used_at for f in (one, other) if f.first_used_at is not None), default=None)
    better = replace(
        one,
        first_used_at=born,
        sent=max(one.sent, other.sent),
        failed=min(one.failed, other.failed),
        answered=one.opened,
    )
    assert judge(better, NOW).mature or not judge(one, NOW).mature


def test_thresholds_are_the_operators() -> None:
    easy = Thresholds(age=timedelta(days=1), sent=1, failure_rate=0.5, reply_rate=0.0, least=1)
    seen = Facts(first_used_at=NOW - timedelta(days=1), sent=1, attempts=1, failed=0, opened=1, answered=0)
    assert judge(seen, NOW, easy).mature
    assert not judge(seen, NOW).mature
