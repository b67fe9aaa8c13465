"""Replies: what opts out, what lies in the window, and when Message 2 is due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.reply import FirstMessage, Heard, Outcome, in_window, is_opt_out, judge
from rules.status import MessageStatus, RecipientState, may

R, M = RecipientState, MessageStatus
WINDOW = timedelta(hours=24)
PROMISED = datetime(2026, 5, 4, 10, 0, 0, 600_000, tzinfo=UTC)
SENT = PROMISED + timedelta(milliseconds=80)
IN_TIME = SENT + timedelta(hours=1)
TOO_LATE = SENT + WINDOW
WORDS = ("stop", "arrêter", "ne plus recevoir", "stop all", "👎")

ACCEPTED = sorted({M.SENT, M.DELIVERED, M.READ})
KINDS = ["text", "emoji", "voice", "audio", "image", "video", "document", "sticker", "location", "reaction", "poll"]


def heard(at: datetime = IN_TIME, body: str | None = "yes", kind: str = "text", noise: str | None = None) -> Heard:
    return Heard(type=kind, body=body, at=at, received_at=at + timedelta(seconds=1), noise=noise)


def first(status: MessageStatus = M.SENT) -> FirstMessage:
    return FirstMessage(status=status, promised_at=PROMISED, sent_at=SENT if status in ACCEPTED else None)


def outcome(
    inbound: Heard,
    state: RecipientState | None = R.AWAITING_REPLY,
    message: FirstMessage | None = None,
    has_message_2: bool = True,
) -> tuple[Outcome, bool | None]:
    verdict = judge(
        inbound,
        state=state,
        first=message or first(),
        window=WINDOW,
        has_message_2=has_message_2,
        opt_out_words=WORDS,
    )
    assert verdict.why
    return verdict.outcome, verdict.in_window


@pytest.mark.parametrize(
    "body",
    [
        "stop",
        "STOP !",
        " Stop.\n",
        "«stop»",
        "🛑 STOP 🛑",
        "s t o p",
        "ＳＴＯＰ",
        "Arreter",
        "ARRÊTER",
        "arre\u0302ter",
        "Ne plus recevoir.",
        "STOPALL",
        "👎",
        "👎🏽 !",
    ],
)
def test_a_whole_message_that_says_stop_opts_out(body: str) -> None:
    assert is_opt_out(body, WORDS)


@pytest.mark.parametrize(
    "body", [None, "", "  ", "!!", "stop by the shop", "non stop", "don't stop", "👍", "stopp", "1"]
)
def test_anything_else_does_not_opt_out(body: str | None) -> None:
    assert not is_opt_out(body, WORDS)


def test_a_word_made_of_punctuation_opts_nobody_out() -> None:
    assert not is_opt_out("!", ["!", "", " "])


@given(st.sampled_from(WORDS[:4]), st.text(st.sampled_from(" !?.,-…'\"\n🛑🙏"), max_size=8))
def test_opting_out_is_blind_to_what_surrounds_the_word(word: str, around: str) -> None:
    assert is_opt_out(around + word.upper() + around, WORDS)


@pytest.mark.parametrize(
    ("at", "received_at", "inside"),
    [
        (IN_TIME, IN_TIME, True),
        (PROMISED, PROMISED, True),  # before the send is recorded
        (PROMISED.replace(microsecond=0) - timedelta(seconds=2), IN_TIME, True),
        (PROMISED.replace(microsecond=0) - timedelta(seconds=2, microseconds=1), IN_TIME, False),
        (SENT + WINDOW - timedelta(microseconds=1), SENT + WINDOW + timedelta(hours=3), True),  # only heard late
        (SENT + WINDOW, SENT + WINDOW, False),
        (SENT + WINDOW + timedelta(hours=5), SENT + timedelta(hours=1), True),  # a clock that runs ahead
    ],
)
def test_the_edges_of_the_window(at: datetime, received_at: datetime, inside: bool) -> None:
    assert in_window(PROMISED, SENT, WINDOW, at, received_at) is inside


@given(
    st.timedeltas(timedelta(0), timedelta(seconds=5)),
    st.timedeltas(timedelta(seconds=2), timedelta(hours=168)),
    st.timedeltas(timedelta(hours=-1), timedelta(hours=200)),
    st.timedeltas(timedelta(hours=-1), timedelta(hours=200)),
)
def test_the_window_is_the_law_of_the_earlier_clock(
    call: timedelta, window: timedelta, at: timedelta, received: timedelta
) -> None:
    sent = PROMISED + call
    own = PROMISED + min(at, received)
    floor = PROMISED - timedelta(microseconds=PROMISED.microsecond)
    expected = floor - timedelta(seconds=2) <= own < sent + window
    assert in_window(PROMISED, sent, window, PROMISED + at, PROMISED + received) is expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", ["yes", None])
@pytest.mark.parametrize("status", ACCEPTED)
def test_any_kind_of_reply_in_time_makes_message_2_due(kind: str, body: str | None, status: MessageStatus) -> None:
    assert outcome(heard(kind=kind, body=body), message=first(status)) == (Outcome.FOLLOW_UP, True)


def test_without_message_2_the_reply_is_final() -> None:
    assert outcome(heard(), has_message_2=False) == (Outcome.FINAL_REPLY, True)


@pytest.mark.parametrize("state", [R.AWAITING_REPLY, R.NO_INTERACTION])
def test_a_reply_after_the_window_is_late(state: RecipientState) -> None:
    assert outcome(heard(TOO_LATE), state) == (Outcome.LATE, False)


def test_a_reply_written_in_time_but_heard_after_the_sweep_counts() -> None:
    assert outcome(heard(), R.NO_INTERACTION) == (Outcome.FOLLOW_UP, True)
    assert outcome(heard(), R.NO_INTERACTION, has_message_2=False) == (Outcome.FINAL_REPLY, True)


def test_a_late_reply_gives_way_only_to_one_inside_the_window() -> None:
    assert outcome(heard(TOO_LATE), R.LATE_REPLY) == (Outcome.AGAIN, False)
    assert outcome(heard(IN_TIME), R.LATE_REPLY) == (Outcome.FOLLOW_UP, True)


@pytest.mark.parametrize("state", [R.REPLIED, R.FOLLOWED_UP, R.FAILED, R.OPTED_OUT])
@pytest.mark.parametrize(("at", "inside"), [(IN_TIME, True), (TOO_LATE, False)])
def test_who_is_decided_stays_decided(state: RecipientState, at: datetime, inside: bool) -> None:
    assert outcome(heard(at), state) == (Outcome.AGAIN, inside)


@pytest.mark.parametrize("status", [M.SENDING, M.UNCONFIRMED])
@pytest.mark.parametrize("state", [R.QUEUED, R.UNCONFIRMED])
@pytest.mark.parametrize("at", [PROMISED, IN_TIME, TOO_LATE])
def test_a_reply_to_a_message_in_doubt_is_parked(status: MessageStatus, state: RecipientState, at: datetime) -> None:
    assert outcome(heard(at), state, first(status)) == (Outcome.PARKED, None)


@pytest.mark.parametrize("status", [M.SENT, M.SENDING, M.UNCONFIRMED])
def test_who_writes_before_message_1_has_not_replied(status: MessageStatus) -> None:
    assert outcome(heard(PROMISED - timedelta(seconds=4)), R.QUEUED, first(status)) == (Outcome.PLAIN, None)


@pytest.mark.parametrize("status", [M.SENT, M.UNCONFIRMED])
def test_who_wrote_before_message_1_but_was_heard_after_it_has_not_replied(status: MessageStatus) -> None:
    early = Heard(type="text", body="hi", at=PROMISED - timedelta(hours=1), received_at=IN_TIME)
    assert outcome(early, R.AWAITING_REPLY, first(status)) == (Outcome.PLAIN, None)


@pytest.mark.parametrize(
    ("state", "status"),
    [(R.QUEUED, M.PENDING), (R.FAILED, M.FAILED), (R.CANCELLED, M.CANCELLED), (R.OPTED_OUT, M.CANCELLED)],
)
def test_a_message_1_that_did_not_leave_has_no_reply(state: RecipientState, status: MessageStatus) -> None:
    assert outcome(heard(), state, first(status)) == (Outcome.PLAIN, None)
    never = FirstMessage(status=status, promised_at=None, sent_at=None)
    assert outcome(heard(), state, never) == (Outcome.PLAIN, None)


def test_a_stranger_is_plain() -> None:
    verdict = judge(heard(), state=None, first=None, window=WINDOW, has_message_2=True, opt_out_words=WORDS)
    assert (verdict.outcome, verdict.in_window) == (Outcome.PLAIN, None)


@pytest.mark.parametrize("state", [None, *RecipientState])
def test_stop_is_heard_from_anyone_in_any_state(state: RecipientState | None) -> None:
    assert outcome(heard(body="STOP !"), state)[0] is Outcome.OPT_OUT


def test_stop_from_a_stranger_opts_out_too() -> None:
    verdict = judge(
        heard(body="stop"), state=None, first=None, window=WINDOW, has_message_2=True, opt_out_words=iter(WORDS)
    )
    assert verdict.outcome is Outcome.OPT_OUT


def test_noise_decides_nothing_even_when_it_says_stop() -> None:
    assert outcome(heard(body="stop", noise="our own message came back")) == (Outcome.NOISE, None)


def test_an_accepted_message_without_its_times_is_an_error() -> None:
    broken = FirstMessage(status=M.SENT, promised_at=PROMISED, sent_at=None)
    with pytest.raises(ValueError, match="must have promised_at and sent_at"):
        outcome(heard(), message=broken)


AFTER_SENDING = sorted(set(RecipientState) - {R.QUEUED, R.UNCONFIRMED, R.CANCELLED})
MOVES = {
    Outcome.FOLLOW_UP: R.REPLIED,
    Outcome.FINAL_REPLY: R.REPLIED,
    Outcome.LATE: R.LATE_REPLY,
}


@given(
    st.sampled_from(AFTER_SENDING),
    st.timedeltas(timedelta(days=-2), timedelta(days=3)),
    st.booleans(),
)
def test_5_message_2_logic_is_preserved_for_any_state_and_time(
    state: RecipientState, after: timedelta, has_message_2: bool
) -> None:
    """Message 2 is due exactly for the first reply whose own time lies in the window; every move is lawful."""
    inbound = heard(PROMISED + after)
    found, inside = outcome(inbound, state, has_message_2=has_message_2)
    waits = state in {R.AWAITING_REPLY, R.NO_INTERACTION, R.LATE_REPLY}
    in_time = in_window(PROMISED, SENT, WINDOW, inbound.at, inbound.received_at)
    assert (found is Outcome.FOLLOW_UP) is (waits and in_time and has_message_2)
    if found in MOVES:
        assert may("recipient", state, MOVES[found])
        assert inside is (found is not Outcome.LATE)
