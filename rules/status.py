"""The law: what a campaign, a recipient and a message may be, and which moves are allowed.

``ALLOWED`` is the only table of moves. The release process copies it into the database
(table ``allowed_move``), where a trigger refuses every other one; ``models/transitions.py``
is the only writer. Each state below says who brings a row in, who takes it out, and what a
crash leaves behind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final


class CampaignStatus(StrEnum):
    """Where a campaign is on its way from text to report."""

    DRAFT = "draft"
    """In: whoever creates it. Out: send, schedule, delete, cancel. A crash leaves it as it is."""
    SCHEDULED = "scheduled"
    """In: ``send`` of a campaign with a later ``scheduled_at``. Out: the scheduler when it is due, or cancel.
    A crash leaves it; the next tick of the scheduler sees it again."""
    LAUNCHING = "launching"
    """In: ``send``, or the scheduler. Out: the launcher, when every recipient has its row.
    A crash leaves some recipients in; the launcher is woken again and adds the missing ones."""
    SENDING = "sending"
    """In: the launcher, or resume. Out: the lane when no Message 1 is open any more, pause, breaker, cancel.
    A crash leaves it; the scheduler wakes a lane that has no owner."""
    WAITING = "waiting"
    """Every Message 1 has left and reply windows are open. In: the lane, or resume. Out: the sweeper when
    every recipient is final, or a row that must be sent again. A crash leaves it to the next sweep."""
    PAUSED = "paused"
    """In: a person, the breaker, or a stopped sender. Out: a person's resume, or cancel. A crash leaves it."""
    COMPLETED = "completed"
    """Every recipient is final and the report is stored. In: the sweeper. Out: a person's retry."""
    CANCELLED = "cancelled"
    """In: a person. Out: never."""


class RecipientState(StrEnum):
    """What became of one contact in one campaign; completion is judged by these, person by person."""

    QUEUED = "queued"
    """In: the launcher. Out: whoever records that Message 1 left, failed or was cancelled. A crash leaves it."""
    UNCONFIRMED = "unconfirmed"
    """Message 1 is in doubt and the gateway cannot tell. In: the retrier. Out: a look-up, a late
    acknowledgement, a reply, a person, or the safety time (which counts it and leaves it so)."""
    AWAITING_REPLY = "awaiting_reply"
    """Message 1 left; the window is open. In: whoever records the send. Out: a reply, or the sweeper.
    A crash leaves it; the sweeper needs nothing but the time in its row."""
    REPLIED = "replied"
    """Answered in time. In: the interaction handler, together with the row of Message 2. Out: Message 2
    leaving or failing. Final where the campaign has no Message 2."""
    FOLLOWED_UP = "followed_up"
    """Message 2 left. In: whoever records its send. Out: only the gateway's word that it failed after all."""
    LATE_REPLY = "late_reply"
    """Answered after the window. In: the interaction handler. Out: only an earlier reply that lies inside it."""
    NO_INTERACTION = "no_interaction"
    """Silent for the whole window. In: the sweeper. Out: only a reply, by its own time."""
    FAILED = "failed"
    """Message 1 (or 2: see ``failed_step``) could not be sent. In: whoever records a refusal or the end of the
    retries, or the safety time. Out: only proof that it left after all, or a person's retry."""
    OPTED_OUT = "opted_out"
    """Asked us to stop. In: the interaction handler, an import, a person. Final."""
    CANCELLED = "cancelled"
    """Its campaign was cancelled before Message 1 left. In: the sweeper. Out: only proof that it left after all."""


class MessageStatus(StrEnum):
    """The life of one send. Step 1 and step 2 share it."""

    PENDING = "pending"
    """In: the launcher (step 1), the interaction handler (step 2), a retry. Out: the promise, a cancel."""
    SENDING = "sending"
    """Promised: the network may have been touched. In: the claim. Out: whoever learns what happened.
    A crash leaves it here; the retrier asks the gateway."""
    UNCONFIRMED = "unconfirmed"
    """In doubt, and the gateway cannot tell: never sent again without a proof. In: the retrier. Out: a look-up,
    a late acknowledgement, a reply, a person."""
    SENT = "sent"
    """The gateway accepted it. In: the recorder, a look-up, an acknowledgement, a person. Out: an acknowledgement,
    or the gateway's word that it failed, or expired in its queue and never left."""
    DELIVERED = "delivered"
    """On the phone. In: an acknowledgement. Out: a further one."""
    READ = "read"
    """Read. In: an acknowledgement. Final."""
    FAILED = "failed"
    """Will not be tried again by us. In: a refusal, the last retry, the safety time. Out: only proof that it left,
    or a person's retry."""
    CANCELLED = "cancelled"
    """Not to be sent any more. In: a cancelled campaign, a contact that opted out. Out: only proof that it left."""


C, R, M = CampaignStatus, RecipientState, MessageStatus
Status = CampaignStatus | RecipientState | MessageStatus

_ACCEPTED = {M.SENT, M.DELIVERED, M.READ}
_CAMPAIGN_OPEN = {C.DRAFT, C.SCHEDULED, C.LAUNCHING, C.SENDING, C.WAITING, C.PAUSED}

ALLOWED: Final[Mapping[str, Mapping[Status, Collection[Status]]]] = {
    "campaign": {
        C.DRAFT: {C.SCHEDULED, C.LAUNCHING, C.CANCELLED},
        C.SCHEDULED: {C.DRAFT, C.LAUNCHING, C.CANCELLED},
        C.LAUNCHING: {C.SENDING, C.CANCELLED},
        C.SENDING: {C.WAITING, C.PAUSED, C.CANCELLED},
        C.WAITING: {C.SENDING, C.PAUSED, C.COMPLETED, C.CANCELLED},
        C.PAUSED: {C.SENDING, C.CANCELLED},
        C.COMPLETED: {C.SENDING},
        C.CANCELLED: set(),
    },
    "recipient": {
        R.QUEUED: {R.AWAITING_REPLY, R.REPLIED, R.UNCONFIRMED, R.FAILED, R.OPTED_OUT, R.CANCELLED},
        R.UNCONFIRMED: {R.QUEUED, R.AWAITING_REPLY, R.REPLIED, R.FAILED, R.OPTED_OUT, R.CANCELLED},
        R.AWAITING_REPLY: {R.QUEUED, R.REPLIED, R.LATE_REPLY, R.NO_INTERACTION, R.FAILED, R.OPTED_OUT},
        R.REPLIED: {R.FOLLOWED_UP, R.FAILED, R.OPTED_OUT},
        R.FOLLOWED_UP: {R.FAILED, R.REPLIED},
        R.LATE_REPLY: {R.REPLIED},
        R.NO_INTERACTION: {R.REPLIED, R.LATE_REPLY, R.OPTED_OUT},
        R.FAILED: {R.QUEUED, R.AWAITING_REPLY, R.REPLIED, R.FOLLOWED_UP},
        R.OPTED_OUT: set(),
        R.CANCELLED: {R.AWAITING_REPLY},
    },
    "message": {
        M.PENDING: {M.SENDING, M.FAILED, M.CANCELLED} | _ACCEPTED,
        M.SENDING: {M.PENDING, M.UNCONFIRMED, M.FAILED} | _ACCEPTED,
        M.UNCONFIRMED: {M.PENDING, M.FAILED} | _ACCEPTED,
        M.SENT: {M.DELIVERED, M.READ, M.FAILED, M.PENDING},
        M.DELIVERED: {M.READ},
        M.READ: set(),
        M.FAILED: {M.PENDING} | _ACCEPTED,
        M.CANCELLED: set(_ACCEPTED),
    },
}
"""Every allowed move: subject -> from -> set of to. Delivery never moves backwards."""


def may(subject: str, old: Status, new: Status) -> bool:
    """Whether the law allows this move.

    >>> may("message", MessageStatus.SENT, MessageStatus.READ)
    True
    >>> may("message", MessageStatus.READ, MessageStatus.DELIVERED)
    False
    """
    return new in ALLOWED[subject][old]


CAMPAIGN_OPEN: Final = frozenset(_CAMPAIGN_OPEN)
"""Campaigns that may still do something; the only ones cancel applies to."""

MESSAGE_ACCEPTED: Final = frozenset(_ACCEPTED)
"""A message in one of these has left: it is never sent again, whatever else becomes known."""
