"""The tests, and the coverage of every process they start: the last step of ``bin/test``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from local import embedded, place

FAILED = 1
"""What pytest exits with where tests failed, and nothing worse happened."""
FEW = 20
"""So many failures may come of tests disturbing each other; more are a fault, and no second run hides it."""
_SIDE_BY_SIDE = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile", "--durations=15"]
"""Most tests wait for something most of the time: one worker more than processors fills the waiting."""
_PYTEST = ["-m", "pytest"]
_MEASURED = ["-m", "coverage", "run", *_PYTEST]
_APART = ["tests/crash", "tests/browser"]
_PARTS = [
    *((_PYTEST, [folder]) for folder in _APART),
    (_MEASURED, [*(f"--ignore={folder}" for folder in _APART), *_SIDE_BY_SIDE]),
]
"""The crash tests fill a machine by themselves (``tests/crash/stage.py``), so they have it to themselves. Their
processes are not measured: SIGKILL would lose most of it, and the measuring doubles the work. What drives a browser
leaves an event loop running in its process, in which no other asynchronous test could begin."""


def main(arguments: list[str]) -> int:
    """Run pytest; without arguments, hold the branch coverage against its threshold too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = place.home(f"test-{os.getpid()}")
    embedded.remove_stale(home.parent)
    try:
        return run_tests(arguments, home)
    finally:
        embedded.remove(home)


def run_tests(arguments: list[str], home: Path) -> int:
    """Return pytest's exit code, or coverage's where the tests pass but cover too little."""
    environment = {**os.environ, "RELANCE_TEST_HOME": str(home), "COVERAGE_FILE": str(home / "coverage")}

    def python(*command: str) -> int:
        return subprocess.run([sys.executable, *command], env=environment, cwd=place.ROOT, check=False).returncode

    if arguments:
        code = python(*_PYTEST, *arguments)
        print("bin/test: with arguments the coverage threshold is skipped", flush=True)
        return code
    codes = [_run(python, home / f"cache-{number}", *part) for number, part in enumerate(_PARTS)]
    coverage = "-m", "coverage"
    return next(filter(None, codes), 0) or python(*coverage, "combine", "--quiet") or python(*coverage, "report")


def _run(python: Callable[..., int], cache: Path, pytest: list[str], tests: list[str]) -> int:
    """Run one part of the tests; what failed beside others runs once more, alone. Returns pytest's exit code."""
    pytest = [*pytest, "-o", f"cache_dir={cache}"]
    code = python(*pytest, *tests)
    if code == FAILED and 0 < (again := len(_failed(cache))) <= FEW:
        print(f"bin/test: {again} of them failed beside others; what counts is whether they do alone", flush=True)
        code = python(*pytest, "--last-failed")
    return code


def _failed(cache: Path) -> list[str]:
    """Return the tests that failed in the run that kept this cache."""
    kept = cache / "v/cache/lastfailed"
    return list(json.loads(kept.read_text())) if kept.exists() else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
