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
from cli import examination
from cli.examination import Finding
from cli.place import know_settings
from cli.terminal import console
from gateway import Gateway, LookupFailed, SenderStopped, open_gateway

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
    try:
        visible = await gateway.devices()
    except SenderStopped as error:
        remedy = "set WASSENGER_API_KEY to a valid key of the account (Wassenger: API keys)"
        yield Finding(False, "gateway key", f"refused: {error.detail}", remedy)
        return
    except LookupFailed as error:
        remedy = f"check WASSENGER_BASE_URL ({s.wassenger_base_url}) and the network"
        yield Finding(False, "gateway", f"does not answer: {error.detail}", remedy)
        return
    yield Finding(
        True, "gateway key", f"accepted, it sees {len(visible)} {'number' if len(visible) == 1 else 'numbers'}"
    )
    ours = list(dict.fromkeys([*([s.wassenger_device_id] if s.wassenger_device_id else []), *known]))
    if not ours:
        remedy = "set WASSENGER_DEVICE_ID and release again, or add a sender (POST /api/senders)"
        yield Finding(False, "number", "there is no sender yet", remedy)
    for device_id in ours:
        async for finding in _examine_device(gateway, device_id, [d.device_id for d in visible]):
            yield finding
        yield await _examine_webhook(gateway, device_id, fix, s)


async def _examine_device(gateway: Gateway, device_id: str, visible: list[str]) -> AsyncIterator[Finding]:
    name = f"number …{device_id[-6:]}"
    try:
        device = await gateway.device(device_id)
    except (SenderStopped, LookupFailed) as error:
        others = f"the key sees {', '.join(visible)}" if visible else "the key sees no number"
        yield Finding(False, name, f"unknown to the gateway: {error.detail}", f"check WASSENGER_DEVICE_ID; {others}")
        return
    if device.state == "ready":
        yield Finding(True, name, "online")
    else:
        yield Finding(False, name, f"{device.state}: {device.reason}", "until then nothing can be sent from it")
    if device.allows_replies is False:
        remedy = "take a plan with inbound messages (Wassenger: Platform), or Message 2 can never be sent"
        yield Finding(False, f"plan …{device_id[-6:]}", "sends only: replies never reach us", remedy)
    else:
        told = "brings replies" if device.allows_replies else "the gateway does not say whether it brings replies"
        yield Finding(device.allows_replies, f"plan …{device_id[-6:]}", told)


async def _examine_webhook(gateway: Gateway, device_id: str, fix: bool, s: settings.Settings) -> Finding:
    name = f"webhook …{device_id[-6:]}"
    if not s.public_url:
        return Finding(False, name, "PUBLIC_URL is not set", "set it to the address the gateway reaches us under")
    try:
        if fix:
            await gateway.register_webhook(device_id, examination.webhook_url(s))
        return examination.webhook(name, await gateway.webhooks(), device_id, s, fixed=fix)
    except (LookupFailed, SenderStopped) as error:
        return Finding(False, name, f"cannot be examined: {error.detail}", "try again, or look at the gateway's pages")


def _say(out: Console, finding: Finding) -> None:
    """Print one line, and under it what to do."""
    mark, style = MARKS[finding.ok]
    out.print(
        Text(f"{mark} ", style=style).append(f"{finding.name:<16} ", style="bold").append(finding.text, "default")
    )
    if finding.remedy:
        out.print(Text(f"  {'':<16} → {finding.remedy}", style="yellow" if finding.ok is False else "dim"))
