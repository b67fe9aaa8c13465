"""``export``: contact data as CSV, phone numbers in full, because the operator asks for them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.campaigns import campaign_named
from cli.rest import Rest

_OUT = click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead."
)


@click.group("export")
def export() -> None:
    """Contact data as CSV, phone numbers in full."""


@export.command()
@click.argument("which")
@_OUT
@click.pass_obj
def campaign(rest: Rest, which: str, output: Path | None) -> None:
    """Write what became of each person in campaign WHICH as CSV."""
    found = campaign_named(rest, which)
    _write(rest, f"/api/campaigns/{found['id']}/report", output, format="csv")


def _write(rest: Rest, path: str, output: Path | None, **params: str) -> None:
    if output is None:
        rest.download(path, sys.stdout.buffer, **params)
        sys.stdout.buffer.flush()
        return
    unfinished = output.with_name(f".{output.name}.part")
    try:
        with unfinished.open("wb") as out:
            rest.download(path, out, **params)
        unfinished.replace(output)  # a broken download leaves no half file under the wanted name
    finally:
        unfinished.unlink(missing_ok=True)
    click.echo(f"written to {output}", err=True)
