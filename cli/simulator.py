"""``simulator``: a Wassenger to try things on."""

from __future__ import annotations

import os
import sys

import click


@click.command("simulator", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def simulator(arguments: tuple[str, ...]) -> None:
    """Run the simulated gateway; arguments are its own (--port, --token, --device, --seed, --help)."""
    # It imports nothing of ours and nothing of ours imports it: this process becomes it.
    os.execv(sys.executable, [sys.executable, "-m", "local.simulator", *arguments])  # noqa: S606 - no shell is wanted
