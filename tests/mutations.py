"""Does every rule have a test that fails without it? Each is taken out of a copy of the tree, and its tests must fail.

``python -m tests.mutations`` tries every rule of ``tests/mutants``; names, or points such as ``2.1``, choose some. One
line per rule: killed (its tests noticed), SURVIVED (one did not), or what stood in the way. Exit code 0 only if all
were killed. It takes some seconds per rule, so ``bin/test`` only checks that the table still fits the code
(``tests/test_mutants.py``).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local import embedded, place
from tests.mutants import MUTANTS, Mutant

LONGEST_SECONDS = 240
"""A test that takes longer hangs for want of the rule: it would not pass, but it is no proof either."""
LEFT_OUT = (".venv", ".git", ".relance", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")


class Unfit(Exception):
    """The table does not fit the code."""


def main(names: Sequence[str]) -> int:
    """Try the mutants of these names (all without any); returns the exit code."""
    unknown = set(names) - {mutant.name for mutant in MUTANTS} - {mutant.rule for mutant in MUTANTS}
    if unknown:
        print(f"no rule is named {', '.join(sorted(unknown))}")
        return 2
    chosen = [mutant for mutant in MUTANTS if not names or {mutant.name, mutant.rule} & set(names)]
    with copy_of_the_tree() as copy:
        passed = _passing(copy, list(dict.fromkeys(test for mutant in chosen for test in mutant.tests)))
        verdicts = []
        for mutant in chosen:
            began = time.monotonic()
            verdicts.append(_tried(copy, mutant, passed))
            spent = time.monotonic() - began
            print(f"{verdicts[-1]:<9} {mutant.rule:<5} {mutant.name} ({spent:.0f} s)", flush=True)
    killed = sum(verdict == "killed" for verdict in verdicts)
    print(f"killed {killed} of {len(chosen)}")
    return 0 if killed == len(chosen) else 1


@contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    """Make a copy of the work tree that shares our environment; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="relance-mutants-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(place.ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        (copy / ".venv").symlink_to(place.ROOT / ".venv", target_is_directory=True)
        yield copy


def mutated(source: str, mutant: Mutant) -> str:
    """Return a file without the rule. Raises Unfit where its text is not found exactly once."""
    times = source.count(mutant.text)
    if times != 1:
        raise Unfit(f"{mutant.name}: its text is {times} times in {mutant.file}")
    return source.replace(mutant.text, mutant.instead)


def _tried(copy: Path, mutant: Mutant, passed: set[str]) -> str:
    """Say what became of one mutant."""
    if not set(mutant.tests) <= passed:
        return "UNTESTED"  # its test does not pass with the rule either
    file = copy / mutant.file
    source = file.read_text()
    try:
        file.write_text(mutated(source, mutant))
        failed = _run(copy, mutant.tests, "failed")
    except Unfit as error:
        print(error)
        return "UNFIT"
    except subprocess.TimeoutExpired:
        return "HUNG"
    finally:
        file.write_text(source)
    return "killed" if failed == set(mutant.tests) else "SURVIVED"


def _passing(copy: Path, tests: list[str]) -> set[str]:
    """Return the tests that pass unmutated; says which do not."""
    passed = _run(copy, tests, "passed", longest=LONGEST_SECONDS * 4)
    for test in tests:
        if test not in passed:
            print(f"does not pass unmutated: {test}")
    return passed


def _run(copy: Path, tests: Sequence[str], wanted: str, *, longest: float = LONGEST_SECONDS) -> set[str]:
    """Run tests in the copy; returns those of which some case ``failed``, or of which all ``passed``.

    A test that could not be set up, or collected, did neither.
    """
    home = place.home(f"test-mutants-{os.getpid()}")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=no", "-vv", "--color=no", *tests],
            cwd=copy,
            env={**os.environ, "RELANCE_TEST_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=longest,
        )
    finally:
        embedded.remove(home)
    told: dict[str, set[str]] = {test: set() for test in tests}
    for case, word in re.findall(r"^(\S+::.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL)\b", done.stdout, re.MULTILINE):
        for test in tests:
            if case == test or case.startswith(f"{test}["):
                told[test].add(word)
    if wanted == "failed":
        return {test for test, words in told.items() if "FAILED" in words and "ERROR" not in words}
    return {test for test, words in told.items() if words == {"PASSED"}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
