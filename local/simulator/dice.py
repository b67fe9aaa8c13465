"""Chance that comes out the same in every run with one seed, whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
Name = TypeVar("Name", bound=str)

_SCALE = 2.0**-64


class Dice:
    """Draws that depend on the seed, whom they concern, what they decide and how often it was drawn."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def draw(self, who: str, what: str, n: int = 0) -> float:
        """Return a number in [0, 1).

        >>> Dice(1).draw("+33199000001", "reply") == Dice(1).draw("+33199000001", "reply")
        True
        """
        digest = blake2b(f"{self.seed}|{who}|{what}|{n}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") * _SCALE

    def happens(self, share: float, who: str, what: str, n: int = 0) -> bool:
        """Whether something with this share happens; costs nothing where it never or always does."""
        return share > 0 and (share >= 1 or self.draw(who, what, n) < share)

    def seconds(self, span: float | tuple[float, float], who: str, what: str, n: int = 0) -> float:
        """Draw a time evenly from a span, or return the fixed one."""
        if not isinstance(span, tuple):
            return span
        least, most = span
        return least + (most - least) * self.draw(who, what, n) if most > least else least

    def pick(self, choices: Sequence[T], who: str, what: str, n: int = 0) -> T:
        """Draw one of several, all alike."""
        return choices[int(self.draw(who, what, n) * len(choices))]

    def weighted(self, weights: Mapping[Name, float], who: str, what: str, n: int = 0) -> Name | None:
        """Draw one by weight; None where all weights are 0."""
        left = self.draw(who, what, n) * sum(weights.values())
        for name, weight in weights.items():
            left -= weight
            if left < 0:
                return name
        return None
