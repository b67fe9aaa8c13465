"""How long a number seems to be typing before a message, where the gateway can show it.

People on WhatsApp type before they write; numbers that never do stand out. Message 2 must still leave within 5 s of
the reply, so there the typing takes what is left of that, or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from rules.pacing import Bounds, ProfileName

SHORTEST: Final = 2.0
"""Seconds: gateways show no shorter typing."""
ANSWER_WITHIN: Final = 5.0
"""Seconds from a reply to its Message 2, typing included."""
MARGIN: Final = 1.5
"""Seconds of that which the call itself, and everything around it, may need."""
CHARACTERS_PER_SECOND: Final = 12.0

TYPING: Final[Mapping[ProfileName, Bounds]] = {
    "standard": Bounds(0, 2),
    "careful": Bounds(5, 20),
    "official": Bounds(0, 0),
}
"""Seconds of typing before Message 1."""


def typing_seconds(
    text: str, profile: ProfileName, step: Literal[1, 2], *, draw: float = 0.5, gap: float | None = None,
    since_reply: float = 0.0,
) -> float:  # fmt: skip
    """Return the seconds of typing to ask the gateway for: 0 (none), or at least 2.

    ``draw`` in [0, 1) varies it by a fifth either way. ``gap``: the seconds between this Message 1 and the last, which
    the typing never fills. ``since_reply``: for step 2, the seconds gone by since the reply.

    >>> typing_seconds("Hello!", "standard", 1), typing_seconds("Hello! " * 20, "careful", 1)
    (2.0, 11.666666666666666)
    >>> typing_seconds("Thank you!", "careful", 2, since_reply=0.5), typing_seconds("Hi", "standard", 2, since_reply=2)
    (2.0, 0.0)
    """
    bounds = TYPING[profile]
    if not text or bounds.most == 0:
        return 0.0
    if step == 2:
        return _within(SHORTEST, ANSWER_WITHIN - MARGIN - since_reply)
    wished = len(text) / CHARACTERS_PER_SECOND * (0.8 + 0.4 * draw)
    seconds = min(max(wished, bounds.least, SHORTEST), bounds.most)
    return seconds if gap is None else _within(seconds, gap)


def _within(seconds: float, room: float) -> float:
    """Return the seconds, cut to the room there is; 0 where that is too short to show."""
    cut = min(seconds, room)
    return cut if cut >= SHORTEST else 0.0
