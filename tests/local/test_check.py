"""The last step of bin/test: arguments reach pytest, its verdict is kept, its servers are gone afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from local.place import ROOT
from tests.local.owners import clean_environment

EXAMPLE = """
import os
from pathlib import Path

def test_servers(servers):
    Path({note!r}).write_text(f"{{os.environ['RELANCE_TEST_HOME']}} {{servers.postgres.pid}} {{servers.valkey.pid}}")
    assert {passes}
"""


def check(example: Path, note: Path, *, passes: bool) -> subprocess.CompletedProcess[str]:
    example.write_text(EXAMPLE.format(note=str(note), passes=passes))
    return subprocess.run(
        [sys.executable, "-m", "local.check", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(example)],
        env=clean_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_verdict_is_pytests_and_nothing_stays_behind(tmp_path: Path) -> None:
    for passes, code in ((True, 0), (False, 1)):
        done = check(tmp_path / "test_example.py", tmp_path / "note", passes=passes)
        assert done.returncode == code, done.stdout + done.stderr
        assert ("1 passed" if passes else "1 failed") in done.stdout
        assert "the coverage threshold is skipped" in done.stdout
        home, *pids = (tmp_path / "note").read_text().split()
        assert Path(home).name.startswith("test-")
        assert not Path(home).exists()
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
