"""One whole system for the operator's commands, which are run as the operator runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import embedded, place, stack

COLUMNS = {"COLUMNS": "80", "TERM": "dumb"}
SHORT = {
    "TIME_SCALE": "100",
    "WASSENGER_RATE_LIMIT_SECONDS": "2",
    "REPLY_WINDOW_HOURS": "0.0008",
    "SWEEP_INTERVAL_SECONDS": "1",
    "GATEWAY_TIMEOUT_SECONDS": "1",
}


@dataclass(frozen=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what it printed as JSON."""
        assert self.code == 0, self
        return json.loads(self.out)


Relance = Callable[..., Done]


def run(environment: dict[str, str], *arguments: str, stdin: str = "") -> Done:
    """Run ``bin/relance`` without its set-up."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=place.ROOT,
        env={**environment, **COLUMNS},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def system(home: Path) -> Iterator[stack.Stack]:
    """The whole system on servers of its own, with a webhook registered and everybody answering within a second."""
    own = place.own_folder(home / "cli")
    base = {k: v for k, v in stack.isolated_environment().items() if k not in ("DATABASE_URL", "REDIS_URL")}
    with stack.running(own, env=SHORT, base=base, durable=False) as running:
        assert run(environment_of(running), "doctor", "--fix").code == 0
        behave(running, reply_rate=0, reply_delay=0.1, latency_ms=5, read_delay=0.1)
        yield running
    embedded.remove(own)


@pytest.fixture(scope="session")
def relance(system: stack.Stack) -> Relance:
    """Run one command against the system; ``env`` overrides variables."""

    def command(*arguments: str, env: dict[str, str] | None = None, stdin: str = "") -> Done:
        return run(environment_of(system) | (env or {}), *arguments, stdin=stdin)

    return command


@pytest.fixture(scope="session")
def people(relance: Relance, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Eight imported contacts in category People; returns the category's name."""
    file = tmp_path_factory.mktemp("people") / "people.csv"
    rows = "\n".join(f"+3319900010{number},Ana {number},Paris" for number in range(8))
    file.write_text(f"phone,name,city\n{rows}\n")
    assert relance("import", str(file), "--category", "People").code == 0
    return "People"


def environment_of(system: stack.Stack) -> dict[str, str]:
    """Return what the operator's shell would have."""
    own = {"RELANCE_URL": system.url, "RELANCE_API_KEY": system.env["BOOTSTRAP_API_KEY"]}
    return {**system.env, **own}


def behave(system: stack.Stack, **keys: Any) -> None:
    """Change how the system's simulator behaves."""
    httpx.put(f"{system.simulator_url}/_sim/behaviour", json=keys, trust_env=False).raise_for_status()


def wait_for_status(relance: Relance, campaign: str, *wanted: str, seconds: float = 90.0) -> dict[str, Any]:
    """Wait until a campaign is in one of these statuses; returns its progress."""
    deadline = time.monotonic() + seconds
    while True:
        now: dict[str, Any] = relance("campaign", "status", campaign, "--json").json()
        if now["status"] in wanted:
            return now
        assert time.monotonic() < deadline, now
