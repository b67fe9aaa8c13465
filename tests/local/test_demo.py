"""bin/demo, whole: it proves itself, stays up when asked to, ends without a trace, and is alone in its folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.local.owners import clean_environment, wait_for

WITHIN = 240.0
"""Seconds; a minute or so on a machine that has nothing else to do."""


def start(checkout: Path, output: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = clean_environment(PYTHONPATH=str(checkout), RELANCE_ENV_FILE=os.devnull)
    # What a real deployment has in its shell must not be touched by a demo.
    environment |= {"DATABASE_URL": "postgresql://real@127.0.0.1:1/real", "WASSENGER_API_KEY": "a-real-key"}
    with output.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "local.demo", *arguments],
            cwd=checkout,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )


def test_the_demo_proves_itself_stays_up_and_ends_without_a_trace(checkout: Path, tmp_path: Path) -> None:
    output, second = tmp_path / "output", tmp_path / "second"
    demo = start(checkout, output, "--seed", "3", "--keep")
    try:
        wait_for(lambda: "Dashboard" in output.read_text() or demo.poll() is not None, "the address", 60)
        other = start(checkout, second)
        assert other.wait(30) == 1
        assert "is in use by process" in second.read_text()
        wait_for(lambda: "stays up" in output.read_text() or demo.poll() is not None, "the proof", WITHIN)
        told = output.read_text()
        assert demo.poll() is None, told
        assert "Both sides agree about everybody" in told, told
        assert "✗" not in told
        assert "\x1b" not in told
        for step in range(1, 7):
            assert re.search(rf"^{step}  \w", told, re.MULTILINE), told
        address = re.search(r"Dashboard  (http\S+)", told)
        key = re.search(r"API key    (\S+)", told)
        assert address and key
        asked = httpx.get(f"{address[1]}/api/campaigns", headers={"Authorization": f"Bearer {key[1]}"}, trust_env=False)
        assert [one["status"] for one in asked.json()["items"]] == ["completed"]
    finally:
        os.killpg(demo.pid, signal.SIGINT)  # Ctrl-C reaches everybody on the terminal
        code = demo.wait(40)
    assert code == 0, output.read_text()
    assert "Traceback" not in output.read_text()
    with pytest.raises(httpx.ConnectError):
        httpx.get(address[1], trust_env=False)
    assert not (checkout / ".relance" / "demo").exists()


def test_a_demo_that_is_stopped_early_cleans_up_and_says_so(checkout: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    demo = start(checkout, output)
    wait_for(lambda: "Dashboard" in output.read_text() or demo.poll() is not None, "the address", 60)
    os.killpg(demo.pid, signal.SIGINT)
    assert demo.wait(40) == 130, output.read_text()
    assert output.read_text().rstrip().endswith("Stopped.")
    address = re.search(r"Dashboard  (http\S+)", output.read_text())
    assert address
    with pytest.raises(httpx.ConnectError):
        httpx.get(address[1], trust_env=False)
