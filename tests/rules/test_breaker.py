"""What failures do to the pace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.breaker import (
    Attempts,
    Kind,
    adjust,
    backoff,
    breaker,
    error_rate,
    invalid_numbers,
    kind,
    may_retry,
    must_pause,
    probe,
)
from rules.pacing import PROFILES, ProfileName

profiles = st.sampled_from(sorted(PROFILES))
counts = st.integers(0, 100).flatmap(lambda settled: st.tuples(st.integers(0, settled), st.just(settled)))


@given(profiles, st.floats(0, 1), counts, st.floats(0, 1), st.floats(1, 5))
def test_2_adaptive_delay_is_exactly_the_factor_capped_at_the_profile(
    profile: ProfileName, share: float, count: tuple[int, int], threshold: float, factor: float
) -> None:
    bounds = PROFILES[profile].delay
    base = min(bounds.most, bounds.least + share * (bounds.most - bounds.least))
    failed, settled = count
    adjusted = adjust(base, profile, failed, settled, threshold, factor)
    slower = settled >= 20 and failed / settled > threshold
    assert adjusted.delay == (min(base * factor, bounds.most) if slower else base)
    assert bounds.hold(adjusted.delay)
    assert adjusted.reason


@given(st.floats(2, 10), st.integers(20, 100))
def test_2_adaptive_delay_is_exactly_50_percent_more_at_the_defaults_and_falls_back(base: float, settled: int) -> None:
    many, few = settled // 20 + 1, settled // 20
    assert adjust(base, "standard", many, settled, 0.05, 1.5).delay == min(base * 1.5, 10)
    assert adjust(base, "standard", few, settled, 0.05, 1.5).delay == base


@pytest.mark.parametrize(
    ("failed", "settled", "delay", "reason"),
    [
        (0, 0, 3, "0 attempts settled, judged from 20 on"),
        (19, 19, 3, "19 attempts settled, judged from 20 on"),
        (1, 20, 3, "5.0 % is not above 5.0 %"),
        (2, 20, 4.5, "10.0 % is above 5.0 %: delay × 1.5"),
        (5, 100, 3, "5.0 % is not above 5.0 %"),
        (6, 100, 4.5, "6.0 % is above 5.0 %: delay × 1.5"),
    ],
)
def test_the_delay_says_why_it_is_what_it_is(failed: int, settled: int, delay: float, reason: str) -> None:
    adjusted = adjust(3, "standard", failed, settled, 0.05, 1.5)
    assert adjusted.delay == delay
    assert reason in adjusted.reason


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_the_error_rate_is_a_share(sent: int, failed: int) -> None:
    assert error_rate(sent, failed) == (failed / (sent + failed) if sent + failed else 0)


@given(counts, st.floats(0.01, 1))
def test_the_breaker_trips_above_its_threshold_from_ten_attempts_on(count: tuple[int, int], threshold: float) -> None:
    failed, settled = count
    trips = settled >= 10 and failed / settled > threshold
    assert (breaker(failed, settled, threshold) is not None) is trips


@pytest.mark.parametrize(
    ("failed", "settled", "trips"), [(9, 9, False), (2, 10, False), (3, 10, True), (21, 100, True)]
)
def test_the_breaker_at_the_default(failed: int, settled: int, trips: bool) -> None:
    assert (breaker(failed, settled, 0.20) is not None) is trips


def test_the_breaker_names_what_it_counted() -> None:
    assert breaker(5, 10, 0.2, what="invalid numbers") == "invalid numbers 50.0 % (5 of 10) is above 20.0 %"


@given(st.floats(1, 3600), st.integers(1, 10))
def test_7_backoff_is_the_base_times_a_power_of_two(base: float, retry: int) -> None:
    assert backoff(base, retry) == base * 2 ** (retry - 1)


def test_7_backoff_at_the_defaults_is_one_two_and_four_minutes_then_failed() -> None:
    waits, attempt = [], 1
    while may_retry(attempt, max_retries=3):
        waits.append(backoff(60, retry=attempt))
        attempt += 1
    assert waits == [60, 120, 240]
    assert attempt == 4


def test_without_retries_the_first_attempt_is_the_last() -> None:
    assert not may_retry(1, max_retries=0)


def test_retries_are_counted_from_one() -> None:
    with pytest.raises(ValueError, match="counted from 1"):
        backoff(60, 0)


@pytest.mark.parametrize(
    "text",
    [
        "refused by the gateway: HTTP 400: +331…23 is not valid; phone:invalid (phone:invalid)",
        "the number is not on WhatsApp",
        "This phone number is invalid",
        "not registered on WhatsApp",
        'HTTP 404: {"exists":false}',
        "131026: message undeliverable",
    ],
)
@pytest.mark.parametrize("error_class", ["refused", "reported"])
def test_a_number_nobody_has_is_recognised_when_it_is_refused_or_reported(error_class: str, text: str) -> None:
    assert kind(error_class, text) is Kind.INVALID_NUMBER


@pytest.mark.parametrize("error_class", ["refused", "never_left", "reported", "expired"])
@pytest.mark.parametrize(
    "text", [None, "", "HTTP 400: message: too long", "device:invalid", "invalid media url", "phone session is invalid"]
)
def test_other_failures_count_as_failures_only(error_class: str, text: str | None) -> None:
    assert kind(error_class, text) is Kind.FAILED


@pytest.mark.parametrize(
    "error_class",
    ["rate_limited", "unknown", "absent", "fenced", "sender_stopped", "quota", "text", "safety_timeout", "", None],
)
def test_what_is_in_doubt_or_was_held_back_never_counts(error_class: str | None) -> None:
    assert kind(error_class, "phone:invalid") is Kind.NOT_COUNTED


def test_a_reach_out_lock_is_a_failure_of_its_own_in_new_chats_only() -> None:
    text = "server returned error 463: reach-out timelock"
    assert kind("reported", text, new_chat=True) is Kind.REACH_OUT
    assert kind("reported", text) is Kind.FAILED
    assert kind("reported", "phone:invalid", new_chat=True) is Kind.INVALID_NUMBER
    assert kind("rate_limited", text, new_chat=True) is Kind.NOT_COUNTED


triples = st.integers(0, 100).flatmap(
    lambda settled: st.integers(0, settled).flatmap(
        lambda failed: st.builds(
            Attempts, settled=st.just(settled), failed=st.just(failed), invalid=st.integers(0, failed)
        )
    )
)


@given(triples, st.floats(0.01, 1), st.floats(0.01, 1))
def test_invalid_numbers_count_in_both_breakers_each_with_its_own_threshold(
    attempts: Attempts, errors: float, invalid: float
) -> None:
    why = must_pause(attempts, errors=errors, invalid=invalid)
    enough = attempts.settled >= 10
    too_many_invalid = enough and attempts.invalid / attempts.settled > invalid
    too_many_errors = enough and attempts.failed / attempts.settled > errors
    assert (why is not None) is (too_many_invalid or too_many_errors)
    if why is not None:
        assert why.startswith("invalid numbers" if too_many_invalid else "error rate")


def test_the_invalid_number_breaker_has_a_sample_of_its_own() -> None:
    assert invalid_numbers(9, 9, 0.2) is None
    assert invalid_numbers(9, 9, 0.2, least=5) is not None
    assert invalid_numbers(2, 10, 0.2) is None


outcomes = st.lists(st.sampled_from([True, False, None]), max_size=30)


@pytest.mark.parametrize(
    ("since_resume", "pauses", "room"),
    [
        ([], False, 5),
        ([True], False, 4),
        ([True, True], True, 0),
        ([True, False, False, False, True], True, 0),
        ([True, False, False, False, False], False, None),
        ([True, False, False, False, False, True], False, None),  # the sixth is the breaker's business
        ([None, None, None, None, None], False, 0),  # wait for what became of them
        ([True, True] + [False] * 8, False, None),  # reported late: the breaker has its own ten by now
        ([True, True] + [False] * 7, True, 0),
    ],
)
def test_after_a_resume_five_attempts_are_a_probe(
    since_resume: list[bool | None], pauses: bool, room: int | None
) -> None:
    seen = probe(since_resume)
    assert (seen.why is not None) is pauses
    assert seen.room == room


@given(outcomes)
def test_a_probe_never_lets_more_than_five_out_before_it_is_judged(since_resume: list[bool | None]) -> None:
    seen = probe(since_resume)
    if seen.room is not None:
        assert 0 <= seen.room <= 5
        assert seen.why is not None or seen.room + min(5, len(since_resume)) == 5
    else:
        assert seen.why is None
        assert sum(o is not None for o in since_resume) >= 5


@given(outcomes)
def test_one_failure_in_the_probe_never_pauses(since_resume: list[bool | None]) -> None:
    if since_resume[:5].count(True) < 2:
        assert probe(since_resume).why is None
