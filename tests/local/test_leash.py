"""The leash itself, in a child of ours: it holds, and a parent that is gone already stops the start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.server import LEASH
from tests.local.owners import alive, wait_for


def leashed(parent: object, *command: str, **env: str) -> list[str]:
    return [sys.executable, "-I", "-S", str(LEASH), str(parent), "15", "--", *command]


def test_the_command_takes_the_place_of_the_leash() -> None:
    done = subprocess.run(leashed(os.getpid(), "sh", "-c", "echo $$ $PPID"), capture_output=True, text=True, check=True)
    pid, parent = done.stdout.split()
    assert int(parent) == os.getpid()
    assert int(pid) != os.getpid()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_parent_that_is_gone_already_stops_the_start(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    done = subprocess.run(leashed(gone.pid, "touch", str(tmp_path / "started")), check=False)
    assert done.returncode == 1
    assert not (tmp_path / "started").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_the_leash_of_a_leash_holds_too(tmp_path: Path) -> None:
    inner = " ".join(leashed("-", "sleep", "600"))
    note = tmp_path / "pid"
    outer = subprocess.Popen(leashed(os.getpid(), "sh", "-c", f"{inner} & echo $! > {note}; wait"))
    wait_for(lambda: note.exists() and note.read_text().strip() != "", "the inner pid")
    pid = int(note.read_text())
    wait_for(lambda: b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0], "the inner command")
    outer.kill()
    outer.wait()
    wait_for(lambda: not alive(pid), "the inner command to end")
