"""``campaign``: write, preview, send, hold, watch, report."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from cli.categories import category_ids
from cli.progress import watch
from cli.report import show_report
from cli.rest import Refused, Rest
from cli.senders import sender_named
from cli.terminal import as_json, clock, console, status, table, time_of

_WHICH = click.argument("which")
_JSON = click.option("--json", "wants_json", is_flag=True, help="Print JSON.")


@click.group("campaign")
def campaign() -> None:
    """Campaigns. WHICH is a name, an id, or the beginning of an id."""


@campaign.command()
@click.argument("name")
@click.option("--message-1", required=True, metavar="TEXT", help="Text of Message 1; @FILE reads it from a file.")
@click.option("--message-2", metavar="TEXT", help="Text sent to whoever replies; left out: none is sent.")
@click.option("--category", "categories", multiple=True, required=True, help="Send to this category (repeatable).")
@click.option("--exclude", "excluded", multiple=True, metavar="CATEGORY", help="Leave out this category (repeatable).")
@click.option("--sender", "sender_name", metavar="SENDER", help="The number to send from, where there are several.")
@click.option(
    "--at",
    "scheduled_at",
    metavar="TIME",
    help="When to send it, e.g. 2026-01-31T09:00 (your own time zone, unless +01:00 or Z follows).",
)
@click.option("--quiet-hours", metavar="21:00-08:00", help="Local hours without Message 1.")
@_JSON
@click.pass_obj
def create(
    rest: Rest,
    name: str,
    message_1: str,
    message_2: str | None,
    categories: tuple[str, ...],
    excluded: tuple[str, ...],
    sender_name: str | None,
    scheduled_at: str | None,
    quiet_hours: str | None,
    wants_json: bool,
) -> None:
    """Write campaign NAME. Nothing is sent before `campaign send`."""
    body: dict[str, Any] = {
        "name": name,
        "message_1": _text(message_1),
        "message_2": None if message_2 is None else _text(message_2),
        "category_ids": category_ids(rest, categories),
        "exclude": {"category_ids": category_ids(rest, excluded)},
        "scheduled_at": _moment(scheduled_at),
        "quiet_hours": quiet_hours,
    }
    if sender_name is not None:
        body["sender_id"] = sender_named(rest, sender_name)["id"]
    made = rest.post("/api/campaigns", {key: value for key, value in body.items() if value is not None})
    if wants_json:
        as_json(made)
        return
    console().print(f"{made['name']}: {made['status']}, id {made['id']}")


@campaign.command("list")
@click.option("--status", "wanted", help="Only those that are draft, scheduled, sending, waiting, paused, …")
@_JSON
@click.pass_obj
def list_campaigns(rest: Rest, wanted: str | None, wants_json: bool) -> None:
    """List campaigns, newest first, with their main figures."""
    found = list(rest.items("/api/campaigns", status=wanted))
    if wants_json:
        as_json(found)
        return
    rows = [
        (
            one["id"][-8:],
            one["name"],
            status(one["status"]),
            f"{one['sent']}/{one['total']}",
            str(one["interactions"]),
            str(one["message_2_sent"]),
            str(one["failed_count"]),
            clock(one["launched_at"]),
        )
        for one in found
    ]
    columns = ("id ends", "name", "status", "sent", "replied", "Message 2", "failed", "launched")
    console().print(table(columns, rows, right=("sent", "replied", "Message 2", "failed")))


@campaign.command()
@_WHICH
@_JSON
@click.pass_obj
def preview(rest: Rest, which: str, wants_json: bool) -> None:
    """Say who would get WHICH, what they would read, and when it would end."""
    found = rest.post(f"/api/campaigns/{campaign_named(rest, which)['id']}/preview")
    if wants_json:
        as_json(found)
        return
    out, audience, pace = console(), found["audience"], found["pace"]
    left_out = {name: audience[name] for name in ("opted_out", "same_person", "excluded", "contacted_recently")}
    reasons = ", ".join(f"{many} {name.replace('_', ' ')}" for name, many in left_out.items() if many)
    out.print(f"{audience['reached']} of {audience['members']} people" + (f" ({reasons})" if reasons else ""))
    for name, many in found["missing"].items():
        out.print(f"{many} of them have no {name}: complete them, or write a default", style="yellow")
    for sample in found["samples"][:1]:
        for number in (1, 2):
            if text := sample[f"message_{number}"]:
                out.print(Text(f"Message {number}  ", style="dim").append(text, style="default"))
    sending, ends = time_of(found["forecast"]["sending_ends_at"]), found["forecast"]["completes_at"]
    out.print(
        f"{found['quota_needed']} messages of {found['quota']['remaining']} that remain today, one every "
        f"{pace['delay_seconds']:g} s, batches of {pace['size']}, {pace['pause_seconds']:g} s between two"
    )
    out.print(f"sent by {clock(sending.isoformat() if sending else None)}, completed by {clock(ends)}")
    if found["plan_reason"]:
        out.print(f"it cannot be sent now: {found['plan_reason']}", style="yellow")
    if len(found["plan"]) > 1:
        out.print("spread: " + ", ".join(f"{many} on {day}" for day, many in found["plan"].items()))
    risk = found["risk"]
    out.print(f"risk {risk['level']}: " + " ".join(risk["sentences"]))
    if risk["proposal"]:
        out.print(risk["proposal"]["why"], style="yellow")


@campaign.command()
@_WHICH
@click.option("--skip-incomplete", is_flag=True, help="Leave out people whose text would have a hole.")
@click.pass_obj
def send(rest: Rest, which: str, skip_incomplete: bool) -> None:
    """Launch WHICH: Message 1 goes out at the pace of its number."""
    found = campaign_named(rest, which)
    done = rest.post(f"/api/campaigns/{found['id']}/send", {"skip_incomplete": skip_incomplete})
    left_out = ", ".join(f"{many} {why.replace('_', ' ')}" for why, many in done["excluded"].items() if many)
    when = f", at {clock(done['scheduled_at'])}" if done["scheduled_at"] else ""
    people = f"{done['reserved']} people" + (f" ({left_out})" if left_out else "")
    console().print(f"{found['name']}: {done['status']}, {people}{when}")


@campaign.command()
@_WHICH
@click.option("--message-1-only", is_flag=True, help="Go on answering replies with Message 2.")
@click.pass_obj
def pause(rest: Rest, which: str, message_1_only: bool) -> None:
    """Hold WHICH within a second; windows keep running."""
    _move(rest, which, "pause", {"scope": "message_1" if message_1_only else "all"})


@campaign.command()
@_WHICH
@click.pass_obj
def resume(rest: Rest, which: str) -> None:
    """Let WHICH go on where it stopped."""
    _move(rest, which, "resume")


@campaign.command()
@_WHICH
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def cancel(rest: Rest, which: str, yes: bool) -> None:
    """End WHICH for good: nothing more is sent, Message 2 included."""
    found = campaign_named(rest, which)
    if not yes:
        click.confirm(f"End {found['name']} ({found['status']}) for good?", abort=True)
    _move(rest, found["id"], "cancel")


@campaign.command("status")
@_WHICH
@click.option("--watch", "watching", is_flag=True, help="Follow it live until it has ended.")
@_JSON
@click.pass_obj
def show_status(rest: Rest, which: str, watching: bool, wants_json: bool) -> None:
    """Show where WHICH stands."""
    found = campaign_named(rest, which)
    if wants_json:
        as_json(rest.get(f"/api/campaigns/{found['id']}/progress"))
    else:
        watch(rest, found["id"], found["name"], follow=watching)


@campaign.command()
@_WHICH
@_JSON
@click.option("--csv", "wants_csv", is_flag=True, help="Print one line per person, phone numbers in full.")
@click.pass_obj
def report(rest: Rest, which: str, wants_json: bool, wants_csv: bool) -> None:
    """Print what WHICH came to; before its end, what it came to so far."""
    path = f"/api/campaigns/{campaign_named(rest, which)['id']}/report"
    if wants_csv:
        rest.download(path, sys.stdout.buffer, format="csv")
        sys.stdout.buffer.flush()
    elif wants_json:
        as_json(rest.get(path))
    else:
        show_report(console(), rest.get(path))


def campaign_named(rest: Rest, which: str) -> dict[str, Any]:
    """Return the campaign with this id, name, or beginning or end of an id. Raises Refused."""
    found = list(rest.items("/api/campaigns"))
    same = [one for one in found if which in (one["id"], one["name"])]
    same = same or [one for one in found if len(which) >= 4 and one["id"].startswith(which)]
    same = same or [one for one in found if len(which) >= 4 and one["id"].endswith(which)]
    if len(same) == 1:
        return same[0]
    if same:
        raise Refused(f"{len(same)} campaigns are called {which!r}: name one by its id (bin/relance campaign list)")
    raise Refused(f"there is no campaign {which!r}: see bin/relance campaign list")


def _move(rest: Rest, which: str, verb: str, body: dict[str, Any] | None = None) -> None:
    moved = rest.post(f"/api/campaigns/{campaign_named(rest, which)['id']}/{verb}", body)
    console().print(Text(f"{moved['name']}: ").append(status(moved["status"])).append(f" ({moved['reason']})"))


def _moment(given: str | None) -> str | None:
    """Return a time with its zone: the operator's own where none was typed."""
    if given is None:
        return None
    try:
        return datetime.fromisoformat(given).astimezone().isoformat()
    except ValueError:
        raise click.UsageError(f"--at {given!r} is no time: write 2026-01-31T09:00 or 2026-01-31T09:00+01:00") from None


def _text(given: str) -> str:
    """Return a text as it was typed, or, after @, the file it is in."""
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"the text cannot be read from {given[1:]}: {error}") from None
