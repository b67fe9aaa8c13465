"""The demo's proof, read and printed: figures that hold, and the whole story of everybody of whom one does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx

from local import evidence, proof
from local.demo_screen import Screen
from local.evidence import Simulated, simulated
from local.proof_person import Evidence
from local.story import tell
from rules.phone import mask

STORIES = 5
"""People whose story is told; a hundred would be one cause."""

__all__ = ["System", "is_quiet", "prove", "simulated"]


class System(Protocol):
    """Whatever runs: where it and its simulated gateway are, and its settings."""

    @property
    def url(self) -> str:
        """Address of the service."""

    @property
    def simulator_url(self) -> str:
        """Address of the simulator."""

    @property
    def env(self) -> Mapping[str, str]:
        """What its processes were started with."""


async def is_quiet(system: System) -> bool:
    """Whether nothing is on its way any more, on either side."""
    seen = simulated(system.simulator_url)
    if any(webhook["open"] for webhook in seen.webhooks):
        return False
    return await evidence.unsettled(system.env["DATABASE_URL"]) == 0


async def prove(system: System, campaign: str, invited: Sequence[str], screen: Screen) -> bool:
    """Compare both sides and print what was found; returns whether they agree."""
    seen = simulated(system.simulator_url)
    both = await evidence.gather(system.env["DATABASE_URL"], campaign, seen)
    verdict = proof.compare(both, invited=invited)
    figures = progress_of(system, campaign)
    wrong = proof.wrong_figures(verdict, figures)
    _print_figures(verdict, seen, invited, screen)
    for text in wrong:
        screen.differs(text)
    if not wrong:
        screen.agrees("the figures on screen are those of the rows, and of the ledger")
    await _print_differences(system, both, seen, verdict.differences, screen)
    return not verdict.differences and not wrong


def progress_of(system: System, campaign: str) -> Mapping[str, Any]:
    """Ask the service for the campaign's live figures."""
    headers = {"Authorization": f"Bearer {system.env['BOOTSTRAP_API_KEY']}"}
    url = f"{system.url}/api/campaigns/{campaign}/progress"
    answer = httpx.get(url, headers=headers, timeout=10, trust_env=False)
    answer.raise_for_status()
    return dict(answer.json())


def _print_figures(verdict: proof.Verdict, seen: Simulated, invited: Sequence[str], screen: Screen) -> None:
    kinds = {difference.kind for difference in verdict.differences}

    def holds(text: str, *broken_by: str) -> None:
        if kinds & set(broken_by):
            screen.differs(f"not so: {text}")
        else:
            screen.agrees(text)

    replies, states = verdict.replies, verdict.states
    holds(
        f"{len(invited)} people of the file may be written to, {verdict.people} are recipients",
        *("not_invited", "uninvited"),
    )
    for step in (1, 2):
        holds(
            f"Message {step}: {verdict.accepted[step]} accepted by the gateway, {verdict.recorded[step]} so recorded",
            *("lost", "unrecorded", "unknown_reference", "altered"),
        )
    holds("nobody got anything twice", "doubled")
    holds("every window began with its Message 1", "wrong_window")
    holds(
        f"{replies['in_window']} people replied in their window and did not say stop: they got Message 2, and nobody "
        f"else did ({replies['stop']} said stop, {replies['late']} wrote too late, {replies['none']} stayed silent, "
        f"{replies['unreached']} were never reached)",
        *("message_2_missing", "message_2_unasked", "message_2_after_stop"),
    )
    shown = ", ".join(f"{many} {state}" for state, many in states.most_common())
    holds(f"everybody ended where they should: {shown}", "wrong_state")
    times = Counter(delivery["status"] for webhook in seen.webhooks for delivery in webhook["deliveries"])
    copies = sum(webhook["copies"] - 1 for webhook in seen.webhooks)
    kinds_of_reply = {entry["type"] for entry in seen.inbound if entry["genuine"]}
    screen.agrees(
        f"{times[200]} webhooks taken ({copies} of them copies), {len(kinds_of_reply)} kinds of replies: "
        + ", ".join(sorted(kinds_of_reply))
    )


async def _print_differences(
    system: System,
    both: Evidence,
    seen: Simulated,
    differences: Sequence[proof.Difference],
    screen: Screen,
) -> None:
    people = list(dict.fromkeys(difference.identity for difference in differences))
    for who in people[:STORIES]:
        screen.say("")
        for difference in differences:
            if difference.identity == who:
                screen.differs(f"{mask('+' + who)} {difference.text}")
        recipient = next((row["id"] for row in both.recipients if row["identity"] == who), None)
        records = await evidence.story(system.env["DATABASE_URL"], str(recipient)) if recipient else {}
        screen.story(tell(who, both, seen, records))
    if len(people) > STORIES:
        screen.differs(f"and {len(people) - STORIES} more people")
