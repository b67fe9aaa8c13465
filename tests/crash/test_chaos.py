"""The chaos run, of a modest size: a longer one is ``python -m tests.crash.chaos --seed S --kills N``."""

from __future__ import annotations

from tests.crash import chaos
from tests.crash.stage import Ground, scene


@scene(seconds=95)
async def test_every_contact_is_accounted_for_after_chaos(ground: Ground) -> str:
    outcome = await chaos.play(1, 100 if ground.long else 12)
    assert outcome.wrong == "", f"{outcome}\n{outcome.wrong}"
    assert (outcome.verdict.lost, outcome.verdict.doubled, outcome.verdict.unconfirmed) == (0, 0, 0)
    return str(outcome)
