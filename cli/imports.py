"""``import FILE``: contacts in, and what became of every row."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from cli.categories import category_id
from cli.rest import Refused, Rest
from cli.terminal import as_json, console, hidden, table

POLL_SECONDS = 0.2
BEGIN_SECONDS = 30.0
"""A worker begins with an import within a second, or there is none."""
MOST_ERRORS = 12
"""Rejected rows shown; ``--json`` has those the service kept (1,000)."""


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--category", metavar="NAME", help="Put everybody into this category, made if it is missing.")
@click.option("--region", metavar="FR", help="Read numbers without + as numbers of this country.")
@click.option("--dry-run", is_flag=True, help="Check every row and change nothing.")
@click.option("--json", "wants_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def import_contacts(
    rest: Rest, file: Path, category: str | None, region: str | None, dry_run: bool, wants_json: bool
) -> None:
    """Import contacts from FILE (CSV or .xlsx).

    Columns: phone (required), name, category, opted_out, consent_source, in French or English; every other column
    becomes an attribute. Rows that cannot be used are listed with the reason; the others are imported.
    """
    form = {"region": region, "dry_run": "true" if dry_run else None}
    if category is not None:
        form["category_id"] = category_id(rest, category, make=not dry_run)
    with file.open("rb") as body:
        started = rest.post(
            "/api/contacts/import",
            files={"file": (file.name, body, "text/csv")},
            data={name: value for name, value in form.items() if value},
        )
    result = wait(rest, started["id"])
    if wants_json:
        as_json(result)
    else:
        show(console(), result)
    if result["state"] == "failed":
        raise Refused(f"the import failed: {result['why']}")


def wait(rest: Rest, import_id: str) -> dict[str, Any]:
    """Return the state of an import once it is over. Raises Refused when nobody begins with it."""
    began = time.monotonic()
    while True:
        state: dict[str, Any] = rest.get(f"/api/imports/{import_id}")
        if state["state"] in ("completed", "failed"):
            return state
        if state["state"] == "pending" and time.monotonic() - began > BEGIN_SECONDS:
            raise Refused(
                "the file was taken, but no worker has begun with it: start one (bin/dev runs one), and it will be "
                "imported; or look into the worker's log"
            )
        time.sleep(POLL_SECONDS)


def show(out: Console, result: dict[str, Any]) -> None:
    """Print the counts, and the rejected rows with their reasons."""
    parts = [f"{result[name]} {name}" for name in ("created", "updated", "unchanged") if result[name]]
    summary = Text(f"{result['rows']} rows: " + ", ".join(parts or ["nothing new"]))
    if result["rejected"]:
        summary.append(f", {result['rejected']} rejected", style="yellow")
    if result["dry_run"]:
        summary.append(" (dry run: nothing was changed)", style="dim")
    out.print(summary)
    errors = result["errors"]
    if not errors:
        return
    rows = [
        (str(error["line"]), error["column"] or "", hidden(error["value"]) or "(empty)", error["reason"])
        for error in errors[:MOST_ERRORS]
    ]
    out.print(table(("line", "column", "value", "why it was rejected"), rows, right=("line",)))
    if result["rejected"] > len(rows):
        out.print(f"… and {result['rejected'] - len(rows)} more (--json lists them)", style="dim")
