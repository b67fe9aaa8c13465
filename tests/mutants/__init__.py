"""Every rule of the arithmetic behind "nobody twice, nobody skipped", and how to take it out.

One table per subject. The numbers are the sections and points of that arithmetic: 1 fences around a send, 2 look-ups,
3 replies, 4 locks and connections. ``tests/mutations.py`` takes them out one by one.
"""

from __future__ import annotations

from tests.mutants import fences, locks, lookups, replies
from tests.mutants.mutant import Mutant

MUTANTS: list[Mutant] = [*fences.MUTANTS, *lookups.MUTANTS, *replies.MUTANTS, *locks.MUTANTS]

__all__ = ["MUTANTS", "Mutant"]
