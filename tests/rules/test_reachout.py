"""The reach-out lock: what it is recognised by, and what it must not be mistaken for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.reachout import Outcome, is_timelock, judge

LOCKED = Outcome(known_chat=False, failed=True, error="reported: server returned error 463: reach-out timelock")
FAILED = Outcome(known_chat=False, failed=True, error="message could not be delivered")
NOBODY = Outcome(known_chat=False, failed=True, error="phone:invalid", invalid_number=True)
NEW = Outcome(known_chat=False, failed=False)
KNOWN = Outcome(known_chat=True, failed=False)
KNOWN_FAILED = Outcome(known_chat=True, failed=True, error="message could not be delivered")


@pytest.mark.parametrize(
    "said",
    [
        "463",
        "error 463",
        "server returned error 463: reach-out timelock",
        "HTTP 500: 463 (463)",
        "nack 463",
        "status=463",
        "REACHOUT_TIMELOCK",
        "reach out time lock until tomorrow",
        "yellowCard",
        "Your account is restricted from starting new chats",
        "Restricted: you cannot start new conversations",
        "this number is temporarily restricted",
    ],
)
def test_the_wordings_of_a_reach_out_lock_are_recognised(said: str) -> None:
    assert is_timelock(said)
    assert is_timelock(None, said)


@pytest.mark.parametrize(
    "said",
    ["", None, "took 463 ms", "error 4631", "+331…463", "HTTP 463x", "message could not be delivered", "phone:invalid",
     "file type restricted by policy", "order 1463"],
)  # fmt: skip
def test_other_words_are_no_reach_out_lock(said: str | None) -> None:
    assert not is_timelock(said)


def test_three_new_chats_locked_by_name_pause_new_conversations() -> None:
    assert judge([LOCKED, LOCKED]) is None
    lock = judge([LOCKED, LOCKED, LOCKED])
    assert lock is not None
    assert "3 of the last 3 new chats failed" in lock.why
    assert "463" in lock.why


def test_a_lock_that_is_over_is_not_held_against_the_number() -> None:
    assert judge([NEW] * 5 + [LOCKED] * 5) is None
    assert judge([NEW] * 4 + [LOCKED] * 6) is not None
    assert judge([NEW] * 10 + [LOCKED] * 50) is None


def test_new_chats_that_all_fail_without_a_word_while_known_ones_deliver_are_a_lock() -> None:
    lock = judge([FAILED, KNOWN] * 5)
    assert lock is not None
    assert lock.why == "reach-out lock: 5 of the last 5 new chats failed; 5 of 5 known chats went through"


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        [FAILED] * 10,  # no known chat to compare with: the breaker's business
        [FAILED] * 10 + [KNOWN] * 2,
        [FAILED] * 10 + [KNOWN_FAILED] * 3,  # nothing goes through at all
        [FAILED] * 4 + [KNOWN] * 10,
        [FAILED] * 9 + [NEW] + [KNOWN] * 10,
        [NOBODY] * 20 + [KNOWN] * 10,  # a bad list is no lock
        [KNOWN_FAILED] * 10,
    ],
)
def test_what_is_no_reach_out_lock(outcomes: list[Outcome]) -> None:
    assert judge(outcomes) is None


outcomes = st.lists(st.sampled_from([LOCKED, FAILED, NOBODY, NEW, KNOWN, KNOWN_FAILED]), max_size=40)


@given(outcomes)
def test_without_failures_in_new_chats_there_is_never_a_lock(seen: list[Outcome]) -> None:
    assert judge([o for o in seen if o.known_chat or not o.failed]) is None


@given(outcomes)
def test_numbers_that_nobody_has_never_decide(seen: list[Outcome]) -> None:
    assert (judge(seen) is None) is (judge([o for o in seen if not o.invalid_number]) is None)


@given(st.text())
def test_the_reason_never_carries_an_endless_error(error: str) -> None:
    lock = judge([Outcome(known_chat=False, failed=True, error="463 " + error)] * 3)
    assert lock is None or len(lock.why) < 250
