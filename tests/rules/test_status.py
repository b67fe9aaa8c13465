"""The law of states: what it must always say, whoever edits it."""

import ast
import inspect
import itertools

import pytest

from rules import status
from rules.status import ALLOWED, CAMPAIGN_OPEN, MESSAGE_ACCEPTED, CampaignStatus, MessageStatus, RecipientState, may

SUBJECTS: dict[str, set[status.Status]] = {
    "campaign": set(CampaignStatus),
    "recipient": set(RecipientState),
    "message": set(MessageStatus),
}
EVERY_STATE: list[status.Status] = [*CampaignStatus, *RecipientState, *MessageStatus]
NAMES = [f"{type(state).__name__}.{state.name}" for state in EVERY_STATE]
BORN: dict[str, status.Status] = {
    "campaign": CampaignStatus.DRAFT,
    "recipient": RecipientState.QUEUED,
    "message": MessageStatus.PENDING,
}
FINALS: dict[str, set[status.Status]] = {
    "campaign": {CampaignStatus.CANCELLED},
    "recipient": {RecipientState.OPTED_OUT},
    "message": {MessageStatus.READ},
}
DELIVERY = [MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ]


def state_docstrings() -> dict[tuple[str, str], str]:
    """Read the string below each member out of the source: at run time it is gone."""
    found = {}
    for node in ast.parse(inspect.getsource(status)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for member, below in itertools.pairwise(node.body):
            if isinstance(member, ast.Assign) and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                assert isinstance(member.targets[0], ast.Name)
                found[node.name, member.targets[0].id] = str(below.value.value)
    return found


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_state_has_its_line_in_the_table(subject: str) -> None:
    assert set(ALLOWED[subject]) == SUBJECTS[subject]
    assert all(new in SUBJECTS[subject] for moves in ALLOWED[subject].values() for new in moves)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_state_can_be_reached_from_birth(subject: str) -> None:
    reached: set[status.Status] = {BORN[subject]}
    for _ in SUBJECTS[subject]:
        reached.update(*(ALLOWED[subject][old] for old in tuple(reached)))
    assert reached == SUBJECTS[subject]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_no_state_moves_to_itself(subject: str) -> None:
    assert not any(may(subject, state, state) for state in SUBJECTS[subject])


@pytest.mark.parametrize(("subject", "final"), [(subject, final) for subject in FINALS for final in FINALS[subject]])
def test_a_final_state_is_never_left(subject: str, final: status.Status) -> None:
    assert not ALLOWED[subject][final]


def test_silence_is_undone_only_by_a_reply_or_an_opt_out() -> None:
    allowed = {RecipientState.REPLIED, RecipientState.LATE_REPLY, RecipientState.OPTED_OUT}
    assert set(ALLOWED["recipient"][RecipientState.NO_INTERACTION]) == allowed


def test_a_late_reply_never_goes_back_to_waiting_or_silence() -> None:
    moves = set(ALLOWED["recipient"][RecipientState.LATE_REPLY])
    assert moves <= {RecipientState.REPLIED, RecipientState.OPTED_OUT}


def test_a_followed_up_recipient_only_moves_when_message_2_failed_or_expired_after_all() -> None:
    assert set(ALLOWED["recipient"][RecipientState.FOLLOWED_UP]) <= {RecipientState.FAILED, RecipientState.REPLIED}


def test_delivery_never_moves_backwards() -> None:
    for earlier, later in itertools.combinations(DELIVERY, 2):
        assert may("message", earlier, later)
        assert not may("message", later, earlier)


def test_a_message_that_left_is_sent_again_only_if_it_expired_undelivered() -> None:
    assert set(DELIVERY) == MESSAGE_ACCEPTED
    for left in MESSAGE_ACCEPTED:
        for again in (MessageStatus.SENDING, MessageStatus.UNCONFIRMED, MessageStatus.CANCELLED):
            assert not may("message", left, again)
    assert not may("message", MessageStatus.DELIVERED, MessageStatus.PENDING)
    assert not may("message", MessageStatus.READ, MessageStatus.PENDING)
    assert may("message", MessageStatus.SENT, MessageStatus.PENDING)  # expired in the gateway's queue: it never left


def test_proof_that_it_left_counts_from_anywhere() -> None:
    for state in {*MessageStatus} - MESSAGE_ACCEPTED:
        assert all(may("message", state, accepted) for accepted in MESSAGE_ACCEPTED)


def test_a_campaign_can_be_cancelled_exactly_while_it_is_open() -> None:
    can = {state for state in CampaignStatus if may("campaign", state, CampaignStatus.CANCELLED)}
    assert can == CAMPAIGN_OPEN


@pytest.mark.parametrize("state", EVERY_STATE, ids=NAMES)
def test_every_state_says_who_brings_a_row_in_and_who_takes_it_out(state: status.Status) -> None:
    doc = state_docstrings().get((type(state).__name__, state.name), "")
    assert "In:" in doc, f"{type(state).__name__}.{state.name} does not say who brings a row in"
    assert "Out:" in doc or "Final" in doc, f"{type(state).__name__}.{state.name} does not say who takes a row out"
