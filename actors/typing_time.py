"""How long a number seems to type before a message: whole seconds, never more than the message has."""

from __future__ import annotations

import random

import settings
from models.transitions import Promise
from rules.typing_time import typing_seconds


def before_message_1(promise: Promise, gap: float) -> int:
    """Return the seconds to type before a Message 1 that follows the last one by ``gap`` seconds; 0: none.

    At most 2, whatever the profile: a gateway that types before it answers must answer within our deadline, and the
    message must not expire meanwhile.
    """
    if not _wanted():
        return 0
    return int(typing_seconds(promise.text, "standard", 1, draw=random.random(), gap=gap))  # noqa: S311 (dice)


def before_message_2(promise: Promise, since_reply: float) -> int:
    """Return the seconds to type before a Message 2, ``since_reply`` seconds after the reply; 0: it is late already."""
    return int(typing_seconds(promise.text, "standard", 2, since_reply=since_reply)) if _wanted() else 0


def _wanted() -> bool:
    """In compressed time nobody types: it would take longer than the gaps."""
    return settings.get().simulate_typing and settings.get().time_scale == 1
