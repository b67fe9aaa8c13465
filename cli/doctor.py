"""``doctor``: is everything there that a campaign needs? Each line says what to do where it is not.

Unlike the rest it works without the service: it opens the database, Redis and the gateway itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import click
from rich.console import Console
from rich.text import Text

import settings
from actors import checkup
from actors.checkup import Finding
from cli import examination
from cli.place import know_settings
from cli.terminal import console
from gateway import Gateway, open_gateway

MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("·", "dim")}


@click.command("doctor")
@click.option("--fix", is_flag=True, help="Register, complete and enable the webhook at the gateway.")
def doctor(fix: bool) -> None:
    """Check settings, database, Redis, gateway, number, plan and webhook; exit 1 when something is wrong."""
    out, wrong = console(), 0
    know_settings()
    try:
        wrong = asyncio.run(_report(out, fix))
    except settings.BadSettings as bad:
        problems = str(bad).splitlines()
        for problem in problems:
            _say(out, Finding(False, "settings", problem, "set it in the environment or in .env (see .env.example)"))
        wrong = len(problems)
    if wrong:
        out.print(f"\n{wrong} {'thing is' if wrong == 1 else 'things are'} wrong", style="bold red")
        raise SystemExit(1)
    out.print("\nEverything is in order", style="bold green")


async def _report(out: Console, fix: bool) -> int:
    settings.get()
    wrong = 0
    async for finding in _examine(fix):
        _say(out, finding)
        wrong += finding.ok is False
    return wrong


async def _examine(fix: bool) -> AsyncIterator[Finding]:
    s = settings.get()
    yield Finding(True, "settings", "every variable can be used")
    database = await examination.database()
    for finding in database.findings:
        yield finding
    for finding in examination.redis():
        yield finding
    yield examination.alerts(s)
    gateway = open_gateway()
    try:
        async for finding in _examine_gateway(gateway, fix, s, database.devices):
            yield finding
    finally:
        await gateway.close()
    async for finding in examination.reach(s):
        yield finding
    yield await examination.gateway_clock(s)


async def _examine_gateway(
    gateway: Gateway, fix: bool, s: settings.Settings, known: list[str]
) -> AsyncIterator[Finding]:
    """Key, then every number of ours: its session, its plan, its webhook."""
    key, visible = await checkup.key(gateway, s)
    yield key
    if not key.ok:
        return
    ours = list(dict.fromkeys([*([s.wassenger_device_id] if s.wassenger_device_id else []), *known]))
    if not ours:
        remedy = "set WASSENGER_DEVICE_ID and release again, or add a sender (POST /api/senders)"
        yield Finding(False, "number", "there is no sender yet", remedy)
    for device_id in ours:
        async for finding in checkup.number(gateway, device_id, visible):
            yield finding
        yield await checkup.webhook(gateway, device_id, s, fix=fix)


def _say(out: Console, finding: Finding) -> None:
    """Print one line, and under it what to do."""
    mark, style = MARKS[finding.ok]
    out.print(
        Text(f"{mark} ", style=style).append(f"{finding.name:<16} ", style="bold").append(finding.text, "default")
    )
    if finding.remedy:
        out.print(Text(f"  {'':<16} → {finding.remedy}", style="yellow" if finding.ok is False else "dim"))
