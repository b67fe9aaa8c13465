"""``python -m local.units FOLDER``: the Procfile as units of systemd, for a machine without a platform.

One template per line (``relance-worker@1.service``), the release as a service that runs once, and a target that
starts so many of each. Nothing is installed and nothing is started: the files are for a person to read first.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from local.place import ROOT
from local.procfile import read_procfile

DRAIN_SECONDS = 10
"""How long a process may take to end after TERM: it drains in 5."""
_HARDENED = ("NoNewPrivileges=true", "ProtectSystem=strict", "ProtectHome=read-only", "PrivateTmp=true")


def units(root: Path, user: str, variables: Path, counts: Mapping[str, int]) -> dict[str, str]:
    """Return the text of each unit by its file name; ``variables`` is the file of the environment."""
    written: dict[str, str] = {}
    wanted: list[str] = []
    for name, command in read_procfile(root / "Procfile").items():
        common = [
            "[Service]",
            f"User={user}",
            f"WorkingDirectory={root}",
            f"EnvironmentFile={variables}",
            f"Environment=PATH={root / '.venv' / 'bin'}:/usr/bin:/bin PYTHONUNBUFFERED=1",
            f"ExecStart=/bin/sh -c {shlex.quote(f'exec {command}')}",
            *_HARDENED,
        ]
        if name == "release":
            written["relance-release.service"] = _text(
                ["[Unit]", "Description=Relance: release", "After=network-online.target"], [*common, "Type=oneshot"]
            )
            continue
        # KillMode: TERM goes to the process alone, which ends its own children; what is left is killed.
        kept = ["Restart=always", "RestartSec=1", "KillMode=mixed", f"TimeoutStopSec={DRAIN_SECONDS}"]
        head = ["[Unit]", f"Description=Relance: {name} %i", "PartOf=relance.target", "After=network-online.target"]
        # However often it dies, it is brought back.
        written[f"relance-{name}@.service"] = _text([*head, "StartLimitIntervalSec=0"], [*common, *kept])
        wanted += [f"relance-{name}@{number}.service" for number in range(1, counts.get(name, 1) + 1)]
    target = ["[Unit]", "Description=Relance", f"Wants={' '.join(wanted)}"]
    written["relance.target"] = _text(target, ["[Install]", "WantedBy=multi-user.target"])
    return written


def _text(*sections: list[str]) -> str:
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write the units; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m local.units", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to write them, for instance /etc/systemd/system")
    parser.add_argument("--user", default="relance", help="who runs the processes")
    parser.add_argument("--variables", type=Path, default=Path("/etc/relance.env"), help="file of the environment")
    parser.add_argument("--count", action="append", default=[], metavar="LINE=N", help="for instance worker=2")
    options = parser.parse_args(arguments)
    lines = read_procfile()
    counts: dict[str, int] = {}
    for given in options.count:
        name, _, number = given.partition("=")
        if name not in lines or name == "release" or not number.isdigit():
            parser.error(f"--count {given}: one of {', '.join(n for n in lines if n != 'release')}, then =N")
        counts[name] = int(number)
    options.folder.mkdir(parents=True, exist_ok=True)
    for name, text in units(ROOT, options.user, options.variables, counts).items():
        (options.folder / name).write_text(text)
        print(options.folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
