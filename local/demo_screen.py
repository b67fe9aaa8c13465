"""What the demo prints besides the output of the commands it runs."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

WIDTH = 80
"""Without a terminal, and at the most on one for rules."""
SHOWN_ARGUMENT = 34
"""A longer argument is shown by its beginning."""


class Screen:
    """The terminal, or a file where there is none."""

    def __init__(self) -> None:
        terminal = sys.stdout.isatty()
        self._out = Console(highlight=False, width=None if terminal else WIDTH)
        self._step = 0

    def title(self, seed: int, settings: Mapping[str, str]) -> None:
        """Say what this is, and what is not as in life."""
        self._out.print(Text("Relance", style="bold").append(f"  the whole job on this machine, seed {seed}", "dim"))
        scale, window = float(settings["TIME_SCALE"]), float(settings["REPLY_WINDOW_HOURS"]) * 3600
        self._out.print(
            f"Only the gateway is simulated. Shorter by settings: gaps ÷ {scale:g}, window {window:g} s.",
            style="dim",
        )

    def step(self, what: str) -> None:
        """Begin a step."""
        self._step += 1
        self._out.print()
        rule = Rule(Text(f"{self._step}  {what}", style="bold"), align="left", style="dim")
        self._out.print(rule, width=min(WIDTH, self._out.width))

    def address(self, url: str, key: str, seconds: float) -> None:
        """Say where the dashboard is and how to log in; the key was made for this demo and ends with it."""
        self._out.print(f"up after {seconds:.1f} s", style="dim")
        self._out.print(Text("Dashboard  ").append(url, style="bold underline"))
        self._out.print(Text("API key    ").append(key, style="bold"), soft_wrap=True)

    def log_in(self, email: str, password: str) -> None:
        """Say who may log in; made for this demo, like the key."""
        self._out.print(Text("Log-in     ").append(f"{email}  {password}", style="bold"), soft_wrap=True)

    def command(self, arguments: Sequence[str]) -> None:
        """Show a command as the operator would type it."""
        shown = (a if len(a) <= SHOWN_ARGUMENT else a[: SHOWN_ARGUMENT - 1] + "…" for a in arguments)
        self._out.print(Text(f"\n$ bin/relance {shlex.join(shown)}", style="green"))

    def troubles(self, words: Iterable[str]) -> None:
        """Say what will go wrong on purpose."""
        counted = ", ".join(what + (f" ({many})" if many > 1 else "") for what, many in Counter(words).items())
        self._out.print(
            f"Trouble on purpose. Sends: {counted}. Webhooks: doubled, overtaking each other, noise among them.",
            style="dim",
        )

    def agrees(self, text: str) -> None:
        """Print something that holds."""
        self._marked("✓", "green", text)

    def differs(self, text: str) -> None:
        """Print something that does not."""
        self._marked("✗", "bold red", text)

    def story(self, lines: Iterable[str]) -> None:
        """Print the story behind a difference."""
        for line in lines:
            self._out.print(Text(f"    {line}", style="dim"), soft_wrap=True)

    def verdict(self, agreed: bool, seconds: float) -> None:
        """Print the last word."""
        self._out.print()
        if agreed:
            self._out.print(Text("Both sides agree about everybody", "bold green").append(f"  {seconds:.0f} s", "dim"))
        else:
            self._out.print("The two sides do not agree: see above", style="bold red")

    def say(self, text: str) -> None:
        """Print a line."""
        self._out.print(text)

    def _marked(self, mark: str, style: str, text: str) -> None:
        row = Table.grid(padding=(0, 1))
        row.add_row(Text(mark, style=style), text)
        self._out.print(row, width=min(WIDTH, self._out.width))

    def failed(self, text: str) -> None:
        """Print why there is no result."""
        Console(stderr=True, highlight=False).print(Text(f"bin/demo: {text}", style="red"), soft_wrap=True)
