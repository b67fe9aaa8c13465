"""``sender``: the WhatsApp numbers."""

from __future__ import annotations

from typing import Any

import click

from cli.rest import Refused, Rest
from cli.terminal import as_json, console, status, table
from rules.phone import mask


@click.group("sender")
def sender() -> None:
    """WhatsApp numbers: list, pause, resume."""


@sender.command("list")
@click.option("--json", "wants_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_senders(rest: Rest, wants_json: bool) -> None:
    """List the numbers with their state, today's quota and their pace."""
    found = list(rest.items("/api/senders"))
    if wants_json:
        as_json(found)
        return
    rows = [
        (
            one["name"],
            mask(one["phone"]) if one["phone"] else "–",
            status(one["state"]),
            f"{one['quota_today']['used']} of {one['quota_today']['limit']}",
            f"{one['pace']['delay_seconds']:g} s",
            one["reason"],
        )
        for one in found
    ]
    console().print(table(("name", "phone", "state", "today", "delay", "why"), rows, right=("today", "delay")))


@sender.command()
@click.argument("which")
@click.pass_obj
def pause(rest: Rest, which: str) -> None:
    """Stop everything that WHICH (a name, an id or its beginning) sends, until it is resumed."""
    _move(rest, which, "pause")


@sender.command()
@click.argument("which")
@click.pass_obj
def resume(rest: Rest, which: str) -> None:
    """Let WHICH send again."""
    _move(rest, which, "resume")


def sender_named(rest: Rest, which: str) -> dict[str, Any]:
    """Return the sender with this name, or whose id begins so. Raises Refused."""
    found = list(rest.items("/api/senders"))
    same = [one for one in found if which == one["name"]] or [one for one in found if one["id"].startswith(which)]
    if len(same) == 1:
        return same[0]
    named = ", ".join(one["name"] for one in found) or "none"
    raise Refused(f"{'no sender is' if not same else 'several senders are'} called {which!r} (there are: {named})")


def _move(rest: Rest, which: str, verb: str) -> None:
    one = sender_named(rest, which)
    rest.post(f"/api/senders/{one['id']}/{verb}")
    console().print(f"{one['name']}: {verb}d")
