"""``bin/demo``: the whole job on this machine, in about a minute, and the proof that it was done right.

Everything is real: the processes of the Procfile, their servers, the operator's own commands. Only the gateway and
its people are simulated, by a process of its own, and the waits are shortened by settings. Exit 0 only if the
database and the simulator's ledger agree about every single person.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from local import demo_contacts, demo_proof, demo_world, embedded, place, stack
from local.demo_screen import Screen
from local.postgres import Postgres
from local.server import ServerError
from local.valkey import Valkey

FILE = place.ROOT / "demo" / "contacts.csv"
CATEGORY = "Demo"
CAMPAIGN = "Atelier"
MESSAGE_1 = (
    "Bonjour {{name|à vous}}, notre atelier de {{city|votre ville}} ouvre samedi. "
    "Envie d'une place ? Répondez à ce message. (STOP pour ne plus en recevoir)"
)
MESSAGE_2 = "Merci {{name|à vous}} ! Voici votre invitation : https://relance.example/atelier"
QUIET_SECONDS = 30.0
"""The world must come to rest within so long after the last late reply."""


class StepFailed(Exception):
    """A step of the demo did not succeed; its command has said why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; returns the exit code."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    screen = Screen()
    home = place.home("demo")
    try:
        remove_last_run(home)
        code = run(home, options, screen)
    except (ServerError, place.PlaceError, StepFailed, httpx.HTTPError) as error:
        screen.failed(f"{error}\nWhat the processes said: {home / 'logs'}")
        return 1
    except KeyboardInterrupt:
        screen.say("\nStopped.")
        return 130
    if code == 0:
        embedded.remove(home)
    return code


def run(home: Path, options: argparse.Namespace, screen: Screen) -> int:
    """Do the whole job once; returns 0 if both sides agree."""
    began = time.monotonic()
    file, rows = contacts(home, options.contacts, options.seed)
    phones = demo_world.invited(rows)
    settings = demo_world.shortened(len(rows))
    screen.title(options.seed, settings)
    base = {k: v for k, v in stack.isolated_environment().items() if k not in ("DATABASE_URL", "REDIS_URL")}
    screen.step("Start: PostgreSQL, Valkey, the five processes, a simulated gateway")
    with stack.running(home, env=settings, base=base, durable=False, ready_within=120) as system:
        relance = Relance(system, screen)
        screen.address(system.url, system.env["BOOTSTRAP_API_KEY"], time.monotonic() - began)
        screen.log_in(system.env["ADMIN_EMAIL"], system.env["ADMIN_PASSWORD"])
        set_the_world(system.simulator_url, demo_world.behaviour(phones, options.seed), options.seed)
        relance("doctor", "--fix")
        screen.step("Contacts in")
        relance("import", str(_short(file)), "--category", CATEGORY, "--region", demo_world.REGION)
        screen.step("A campaign")
        campaign = write_campaign(relance)
        relance("campaign", "preview", CAMPAIGN)
        screen.step("Message 1 goes out, people reply, Message 2 follows, windows close")
        screen.troubles(words for words, _ in demo_world.troubles(phones, options.seed).values())
        relance("campaign", "send", CAMPAIGN)
        relance("campaign", "status", CAMPAIGN, "--watch")
        screen.say("Listening a little longer: some people write too late …")
        asyncio.run(wait_until_quiet(system))
        screen.step("The report")
        relance("campaign", "report", CAMPAIGN)
        screen.step("The proof: the database against the gateway's ledger, person by person")
        agreed = asyncio.run(demo_proof.prove(system, campaign, phones, screen))
        screen.verdict(agreed, time.monotonic() - began)
        if options.keep:
            stay(system, screen)
    return 0 if agreed else 1


class Relance:
    """The operator's commands, typed for the reader and run as they stand."""

    def __init__(self, system: demo_proof.System, screen: Screen) -> None:
        self._screen = screen
        own = {"RELANCE_URL": system.url, "RELANCE_API_KEY": system.env["BOOTSTRAP_API_KEY"]}
        self._environment = {**system.env, **own}

    def __call__(self, *arguments: str) -> None:
        """Show a command, run it, let it speak for itself. Raises StepFailed."""
        self._screen.command(arguments)
        self._run(arguments, None)

    def asked(self, *arguments: str) -> Any:
        """Show a command and return what its ``--json`` says."""
        self._screen.command(arguments)
        return json.loads(self._run((*arguments, "--json"), subprocess.PIPE).stdout)

    def _run(self, arguments: tuple[str, ...], out: int | None) -> subprocess.CompletedProcess[bytes]:
        sys.stdout.flush()
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env=self._environment,
            cwd=place.ROOT,
            stdout=out,
            check=False,
        )
        if done.returncode != 0:
            raise StepFailed(f"bin/relance {' '.join(arguments[:2])} ended with {done.returncode}")
        return done


def contacts(home: Path, wanted: int | None, seed: int) -> tuple[Path, list[dict[str, str]]]:
    """Return the file to import and its rows: the committed one, with more people after it if they are wanted."""
    rows = demo_contacts.read(FILE)
    if wanted is None or wanted <= len(rows):
        return FILE, rows
    taken = {phone for row in rows for phone in demo_world.invited([{**row, "opted_out": ""}])}
    rows += demo_contacts.more(wanted - len(rows), seed, taken)
    file = home / "contacts.csv"
    demo_contacts.write(file, rows)
    return file, rows


def set_the_world(simulator_url: str, behaviour: dict[str, Any], seed: int) -> None:
    """Tell the simulator its seed, and how gateway and people behave."""
    with httpx.Client(base_url=simulator_url, timeout=10, trust_env=False) as http:
        http.post("/_sim/reset", json={"seed": seed}).raise_for_status()
        http.put("/_sim/behaviour", json=behaviour).raise_for_status()


def write_campaign(relance: Relance) -> str:
    """Write the campaign; returns its id."""
    made = relance.asked(
        "campaign", "create", CAMPAIGN, "--category", CATEGORY, "--message-1", MESSAGE_1, "--message-2", MESSAGE_2
    )
    return str(made["id"])


async def wait_until_quiet(system: demo_proof.System) -> None:
    """Wait until the last late reply was written and every webhook is digested. Raises StepFailed."""
    seen = demo_proof.simulated(system.simulator_url)
    longest = demo_world.LATE_SECONDS[1] + 2.5  # delivery before it; further messages, held back, after it
    last = max((line["time"] for line in seen.accepted), default=0.0)
    await asyncio.sleep(max(0.0, last + longest - time.time()))
    deadline = time.monotonic() + QUIET_SECONDS
    while not await demo_proof.is_quiet(system):
        if time.monotonic() > deadline:
            raise StepFailed(f"webhooks or messages were still on their way after {QUIET_SECONDS:g} s")
        await asyncio.sleep(0.1)


def stay(system: stack.Stack, screen: Screen) -> None:
    """Keep everything up until Ctrl-C."""
    screen.say(f"\nEverything stays up at {system.url} until Ctrl-C.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        screen.say("")


def remove_last_run(home: Path) -> None:
    """Begin from nothing. Raises ServerError while another command of this checkout holds ``home``."""
    with embedded.ownership(home):
        for version in ("18", "16"):
            Postgres(home, durable=False, version=version).stop_left_over()
        Valkey(home, durable=False).stop_left_over()
    embedded.remove(home)
    place.home(home.name)


def _short(file: Path) -> Path:
    return file.relative_to(place.ROOT) if file.is_relative_to(place.ROOT) else file


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/demo", description="The whole job on this machine, and its proof.")
    parser.add_argument("--contacts", type=_many, metavar="N", help="draw more contacts than demo/contacts.csv has")
    parser.add_argument("--seed", type=int, default=1, help="who replies with what, when, and what goes wrong")
    parser.add_argument("--keep", action="store_true", help="stay up afterwards until Ctrl-C")
    return parser.parse_args(arguments)


def _many(given: str) -> int:
    many = int(given)
    if not 1 <= many <= demo_contacts.MOST:
        raise argparse.ArgumentTypeError(f"1 to {demo_contacts.MOST}: the ranges reserved for fiction hold no more")
    return many


if __name__ == "__main__":
    sys.exit(main())
