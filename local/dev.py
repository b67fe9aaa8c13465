"""``bin/dev``: the full stack, its logs on the terminal, reloaded when a source changes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from dotenv import dotenv_values

import settings
from local import keys, place, stack
from local.server import ServerError

SOURCES = ("actors", "web", "models", "scheduler", "rules", "gateway")
EVERY = 0.3  # seconds between two looks at logs and sources


def main() -> int:
    """Run until Ctrl-C or TERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        environment = developer_environment()
        own_gateway = not environment.get("WASSENGER_BASE_URL")
        with stack.running(place.home("dev"), base=environment, simulator=own_gateway) as system, told(system):
            if own_gateway:
                listen(system)
            greet(system)
            watch(system)
    except (ServerError, place.PlaceError) as error:
        print(f"bin/dev: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def developer_environment() -> dict[str, str]:
    """Return ``.env`` under the environment, with what suits a person at a terminal."""
    file = Path(os.environ.get("RELANCE_ENV_FILE", place.ROOT / ".env"))
    written = {name: value for name, value in dotenv_values(file).items() if value is not None}
    environment = {"LOG_FORMAT": "console", **written, **os.environ}
    if not environment.get("WASSENGER_BASE_URL"):
        environment.pop("WASSENGER_API_KEY", None)  # the simulator gets a key of its own, never the real one
    return environment


@contextmanager
def told(system: stack.Stack) -> Iterator[None]:
    """Leave the settings for ``bin/relance`` as long as the system runs, readable by their owner only."""
    note = system.home / "running.env"
    note.unlink(missing_ok=True)
    with open(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        names = sorted(field.name.upper() for field in fields(settings.Settings))
        file.writelines(f"{name}='{system.env[name]}'\n" for name in names if system.env.get(name))
        file.write(f"PUBLIC_URL='{system.url}'\n")
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def listen(system: stack.Stack) -> None:
    """Tell the simulator where its webhooks go, as the operator would."""
    asked = [sys.executable, "-m", "cli", "doctor", "--fix"]
    done = subprocess.run(asked, cwd=place.ROOT, env=dict(system.env), capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, file=sys.stderr)


def greet(system: stack.Stack) -> None:
    """Say where everything is; the key itself stays in its file."""
    print(f"Relance     {system.url}")
    print(f"API key     BOOTSTRAP_API_KEY in {system.home / keys.FILE}, unless you gave one")
    print("Log-in      ADMIN_EMAIL and ADMIN_PASSWORD in the same file")
    print(f"Gateway     {system.simulator_url}")
    print(f"Logs        {system.logs}\n", flush=True)


def watch(system: stack.Stack) -> None:
    """Show what the processes say; when a source changes, migrate and restart them. Never returns."""
    shown = {log: log.stat().st_size for log in system.logs.glob("*.log")}
    seen = modified()
    while True:
        time.sleep(EVERY)
        follow(system.logs, shown)
        now = modified()
        if now != seen:
            changed = sorted(str(p.relative_to(place.ROOT)) for p in now.keys() ^ seen.keys() or differing(now, seen))
            print(f"-- reload: {', '.join(changed[:3])} changed", flush=True)
            seen = now
            reload(system)


def reload(system: stack.Stack) -> None:
    """Migrate and restart all but the simulator, whose memory is the phones' story."""
    try:
        system.release()
    except ServerError as error:
        print(f"-- not reloaded: {error}", flush=True)
        return
    for name in system.pids():
        if name != stack.SIMULATOR:
            system.restart(name)


def modified() -> dict[Path, float]:
    """Return when each source file was last written."""
    files = [place.ROOT / "settings.py", *(f for s in SOURCES for f in _below(place.ROOT / s))]
    return {file: file.stat().st_mtime for file in files if file.suffix in {".py", ".sql"} and file.exists()}


def _below(folder: Path) -> Iterator[Path]:
    """Walk a folder; the dashboard's has thousands of files that are not ours, and none that runs here."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in {"dashboard", "static"}]
        yield from (Path(here, name) for name in files)


def differing(now: Mapping[Path, float], before: Mapping[Path, float]) -> set[Path]:
    """Return the files whose time of change is another one."""
    return {file for file, at in now.items() if before.get(file) != at}


def follow(logs: Path, shown: dict[Path, int]) -> None:
    """Print what was added to each log, each line under the name of its process."""
    for log in sorted(logs.glob("*.log")):
        with log.open("rb") as file:
            file.seek(shown.get(log, 0))
            whole, newline, _ = file.read().rpartition(b"\n")
        shown[log] = shown.get(log, 0) + len(whole) + len(newline)
        for line in whole.decode(errors="replace").splitlines():
            print(f"{log.stem:>11} | {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
