"""Chaos: campaigns run and people reply while processes are killed or frozen and servers taken away, by seed.

    python -m tests.crash.chaos --seed 7 --kills 40

Webhooks come late, twice, out of order or (acknowledgements) never; some sends are taken without a word. In the
end every contact must be accounted for: ledger, database and events agree. Prints one line; on failure the seed and
the story of the first contact that was wronged, and exits with 1. Ends by itself, and all it started with it.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local import place
from tests.crash.blows import BLOWS, Run
from tests.crash.judge import Verdict, judge, told
from tests.crash.story import PREFIXES
from tests.crash.system import System, running
from tests.simulator_process import until

PROCESSES = ("web", "worker", "worker", "replies", "replies", "scheduler", "scheduler")
SENDERS = 3
CONTACTS = 30
"""People of one campaign; each sender always has one that sends."""
WINDOW_SECONDS = 20.0
"""Longer than anybody takes to reply, so that who is silent stays so."""
SETTINGS = {"TIME_SCALE": "10", "RETRY_BASE_DELAY_SECONDS": "10", "MAX_RETRY_ATTEMPTS": "10"}
BEHAVIOUR: dict[str, Any] = {
    "reply_rate": 0.6, "reply_delay": [0.1, 3.0], "reply_again_rate": 0.2, "several_rate": 0.2,
    "reply_types": {"opt_out": 1}, "several_gap": [0.05, 1.0], "read_rate": 0.5, "read_delay": [0.1, 1.0],
    "noise": {"group": 0.05, "echo": 0.05, "status": 0.05, "notification": 0.05, "unreact": 0.05},
    "latency_ms": 10, "latency_jitter_ms": 200, "lookup_lag_seconds": 1.0,
    "ack_loss": 0.1, "ack_duplication": 0.2, "ack_disorder": 0.3,
    "webhook_duplication": 0.3, "webhook_disorder": 0.3, "disorder_delay": [0.1, 2.0], "webhook_delay": [0.0, 0.3],
}  # fmt: skip
FAULTS = {"timeout_after_accept": 0.02, "error_after_accept": 0.02, "rate_5xx": 0.02, "rate_html_502": 0.02}
NO_FAULTS = dict.fromkeys(FAULTS, 0.0)


@dataclass
class Outcome:
    """What a run ended with. ``wrong`` tells why it failed; empty: it did not."""

    seed: int
    kills: int
    verdict: Verdict
    slowest: float
    seconds: float
    wrong: str = ""

    def __str__(self) -> str:
        v = self.verdict
        return (
            f"chaos seed {self.seed}: {self.kills} kills, {v.messages} messages, {v.lost} lost, {v.doubled} doubled,"
            f" {v.unconfirmed} unconfirmed, slowest recovery {self.slowest:.1f} s, in {self.seconds:.0f} s"
        )


async def play(seed: int, kills: int) -> Outcome:
    """Play one run to its end: at most half a minute, three seconds a kill, and five minutes to settle."""
    began, home = time.monotonic(), place.home(f"chaos-{seed}-{kills}")
    behaviour = BEHAVIOUR | FAULTS
    async with running(
        home, None, start=PROCESSES, senders=SENDERS, settings=SETTINGS, behaviour=behaviour, seed=seed
    ) as system:
        run = Run(system, random.Random(seed), _numbers(), CONTACTS, WINDOW_SECONDS)
        for sender in range(SENDERS):
            await run.launch(sender)
        watch = asyncio.ensure_future(_watch(run))
        try:
            for _ in range(kills):
                await asyncio.sleep(run.rng.uniform(0.2, 4.0))
                (_, name, blow, what) = run.rng.choices(BLOWS, [weight for weight, *_ in BLOWS])[0]
                run.blows.append((time.time(), name))
                await blow(run, what)
            await asyncio.gather(*run.afterwards)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        await _settle(run)
        verdict = await judge(system, *run.campaigns)
        wrong = await told(system, verdict, *run.campaigns) if verdict.wrong else ""
        return Outcome(seed, kills, verdict, _slowest(run), time.monotonic() - began, wrong)


async def _watch(run: Run) -> None:
    """Bring back what dies, as a supervisor does, and keep every sender busy."""
    while True:
        await run.system.bring_back()
        async with run.database:
            for number, sender in enumerate(run.system.books.senders):
                if await _waiting(run, sender) < CONTACTS // 2:
                    await run.launch(number)
        await asyncio.sleep(0.3)


async def _waiting(run: Run, sender: object) -> int:
    """Return how many Message 1 of a sender are to be sent, those of a launch under way included."""
    return int(
        await run.system.books.value(
            "SELECT (SELECT count(*) FROM message WHERE sender = $1 AND step = 1 AND status = 'pending')"
            " + (SELECT count(*) FROM campaign WHERE sender = $1 AND status = 'launching') * $2::int",
            sender,
            CONTACTS,
        )
    )


async def _settle(run: Run) -> None:
    """No more blows: everything comes back, every doubt is settled, every window ends, every campaign completes."""
    system = run.system
    system.simulator.behave(NO_FAULTS)
    for process in system.living():
        process.thaw()
    await system.bring_back()
    await until(lambda: _bring_back_until(system), seconds=60, what="every process to serve")
    # Messages that leave now prove the look-ups of what is still in doubt.
    for sender in range(SENDERS):
        await run.launch(sender)
    await until(lambda: _completed(run), seconds=240, what="every campaign to complete")
    await system.quiet()


async def _bring_back_until(system: System) -> bool:
    await system.bring_back()
    await asyncio.sleep(1)
    return all(process.lives for process in system.processes)


async def _completed(run: Run) -> bool:
    await run.system.bring_back()
    await asyncio.sleep(0.5)
    return not await run.system.books.value("SELECT count(*) FROM campaign WHERE status <> 'completed'")


def _slowest(run: Run) -> float:
    """Return the longest time from a kill of a worker to the next message of a sender that had some to send."""
    times: dict[str, list[float]] = {}
    for line in run.system.simulator.ledger():
        times.setdefault(line["device"], []).append(line["time"])
    slowest = 0.0
    for at, name in run.blows:
        if name.startswith("kill worker"):
            nexts = [next((t for t in sent if t > at), at) for sent in times.values()]
            slowest = max([slowest, *(t - at for t in nexts)])
    return slowest


def _numbers() -> Iterator[str]:
    """Yield fictional numbers, each once: 50,000 of them."""
    for number in range(10_000):
        for prefix in PREFIXES:
            yield f"{prefix}{number:04d}"


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, play, print one line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.chaos", description="Campaigns under kill -9.")
    parser.add_argument("--seed", type=int, default=1, help="what happens when follows from it")
    parser.add_argument("--kills", type=int, default=40)
    options = parser.parse_args(arguments)
    outcome = asyncio.run(play(options.seed, options.kills))
    print(outcome)
    if outcome.wrong:
        print(outcome.wrong, file=sys.stderr)
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
