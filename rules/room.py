"""How much of today is left for a number: its limit and its new conversations, counted apart, and which one binds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rules.quota import remaining


@dataclass(frozen=True, kw_only=True)
class Today:
    """A number's local day: ``used`` and ``reserved`` of its ``limit``; of ``new_cap`` (None: no warm-up) new
    conversations ``opened``, and ``reserved_new`` of the reservations will open one."""

    limit: int
    used: int
    reserved: int
    new_cap: int | None = None
    opened: int = 0
    reserved_new: int = 0


@dataclass(frozen=True)
class Room:
    """What a day still takes: ``total`` messages, of them at most ``new`` to people never written to; ``many`` if all
    of them are new. ``binds`` is what bounds ``many``, and ``why`` says it in words."""

    total: int
    new: int
    many: int
    binds: Literal["limit", "new_conversations"]
    why: str

    def share(self, new: int, known: int) -> tuple[int, int]:
        """Return how many of so many new and known people can be written to today, the known ones first.

        >>> room(Today(limit=1000, used=990, reserved=0, new_cap=20, opened=12)).share(new=50, known=4)
        (6, 4)
        """
        of_known = min(known, self.total)
        return min(new, self.new, self.total - of_known), of_known


def room(today: Today) -> Room:
    """Return what is left of a number's day.

    >>> room(Today(limit=1000, used=700, reserved=100, new_cap=80, opened=15)).why
    '65 new conversations: 15 of 80 are opened today (warm-up); 200 of 1000 messages remain'
    >>> room(Today(limit=1000, used=700, reserved=290, new_cap=80, opened=15)).why
    '10 messages: 700 of 1000 are used and 290 reserved'
    """
    total = remaining(today.limit, today.used, today.reserved)
    used = f"{today.used} of {today.limit} are used and {today.reserved} reserved"
    if today.new_cap is None:
        return Room(total, total, total, "limit", f"{total} messages: {used}")
    new = remaining(today.new_cap, today.opened, today.reserved_new)
    if total <= new:
        return Room(total, total, total, "limit", f"{total} messages: {used}")
    opened = f"{today.opened} of {today.new_cap} are opened today"
    opened += f" and {today.reserved_new} reserved" if today.reserved_new else ""
    why = f"{new} new conversations: {opened} (warm-up); {total} of {today.limit} messages remain"
    return Room(total, new, new, "new_conversations", why)
