"""A command that owns servers, as a process of its own that tests may kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.place import ROOT

SCRIPT = """
import json, sys
from pathlib import Path
from local import embedded, place
home = Path(sys.argv[1]) if "/" in sys.argv[1] else place.home(sys.argv[1])
with embedded.servers(home, durable=sys.argv[2] == "durable", environment={}) as ours:
    print(json.dumps({"postgres": ours.postgres.pid, "valkey": ours.valkey.pid, "home": str(home),
                      "data": str(ours.postgres.data), "url": ours.database_url, "redis": ours.redis_url}), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Owner:
    """The owner's process, and what it said about its servers."""

    process: subprocess.Popen[str]
    said: Mapping[str, str]
    pids: Mapping[str, int]


def clean_environment(**more: str) -> dict[str, str]:
    ours = {"DATABASE_URL", "REDIS_URL", "RELANCE_TEST_HOME"}
    return {k: v for k, v in os.environ.items() if k not in ours} | {"PYTHONPATH": str(ROOT)} | more


@contextmanager
def owner(
    home: Path | str,
    kind: str = "durable",
    *,
    user: int | None = None,
    python: str = sys.executable,
    **env: str,
) -> Iterator[Owner]:
    process = subprocess.Popen(
        [python, "-c", SCRIPT, str(home), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(**env),
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    assert process.stdin and process.stdout and process.stderr
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said = json.loads(line)
        yield Owner(process, said, {name: said[name] for name in ("postgres", "valkey")})
    finally:
        process.stdin.close()
        process.wait(30)
        process.stdout.close()
        process.stderr.close()


def alive(pid: int) -> bool:
    """Whether a process runs (one that only waits to be reaped does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(fact: Callable[[], bool], what: str, timeout: float = 15.0) -> None:
    deadline = time.monotonic() + timeout
    while not fact():
        assert time.monotonic() < deadline, f"waited {timeout:g} s for: {what}"
        time.sleep(0.01)
