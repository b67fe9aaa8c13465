"""One rule, and the code without it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``text``, found exactly once in ``file``, holds the rule; with ``instead`` every one of ``tests`` must fail."""

    rule: str
    """Section and point."""
    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]
