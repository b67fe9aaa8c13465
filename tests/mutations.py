"""Does every rule have a test that fails without it? Each is taken out of a copy of the tree, and its tests must fail.

``python -m tests.mutations`` tries every rule of ``tests/mutants``; names, or points such as ``2.1``, choose some. One
line per rule: killed (its tests noticed), SURVIVED (one did not), or what stood in the way. Exit code 0 only if all
were killed. It takes some seconds per rule, so ``bin/test`` only checks that the table still fits the code
(``tests/test_mutants.py``).
"""

from __future__ import annotations

import argparse
import compileall
import itertools
import os
import py_compile
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local import embedded, place
from tests.mutants import MUTANTS, Mutant

LONGEST_SECONDS = 240
"""A test that takes longer hangs for want of the rule: it would not pass, but it is no proof either."""
_number = itertools.count(1)
LEFT_OUT = (".venv", ".git", ".relance", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache")


class Unfit(Exception):
    """The table does not fit the code."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutations", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="rules tried at the same time")
    parser.add_argument("--passing", action="store_true", help="bin/test has just passed: do not run the tests before")
    parser.add_argument("names", nargs="*", metavar="NAME", help="rules, or points such as 2.1")
    given = parser.parse_args(arguments)
    known = {word for mutant in MUTANTS for word in (mutant.name, mutant.rule)}
    if unknown := set(given.names) - known:
        parser.error(f"no rule is named {', '.join(sorted(unknown))}")
    chosen = [mutant for mutant in MUTANTS if not given.names or {mutant.name, mutant.rule} & set(given.names)]
    return _try_all(chosen, given.jobs, passing=given.passing)


def _try_all(chosen: list[Mutant], jobs: int, *, passing: bool) -> int:
    tests = list(dict.fromkeys(test for mutant in chosen for test in mutant.tests))
    copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
    with ExitStack() as stack, ThreadPoolExecutor(jobs) as threads:
        for _ in range(jobs):
            copies.put(stack.enter_context(copy_of_the_tree()))
        passed = set(tests) if passing else _passing(copies, tests)

        def tried(mutant: Mutant) -> str:
            began, copy = time.monotonic(), copies.get()
            verdict = _tried(copy, mutant) if set(mutant.tests) <= passed else "UNTESTED"
            copies.put(copy)
            print(f"{verdict:<9} {mutant.rule:<4} {mutant.name} ({time.monotonic() - began:.0f} s)", flush=True)
            return verdict

        killed = list(threads.map(tried, chosen)).count("killed")
    print(f"killed {killed} of {len(chosen)}")
    return 0 if killed == len(chosen) else 1


@contextmanager
def copy_of_the_tree() -> Iterator[Path]:
    """Make a copy of the work tree that shares our environment; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="relance-mutants-") as folder:
        copy = Path(folder) / "tree"
        shutil.copytree(place.ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        # Checked by what a file says, not by when it was written: a rule goes and comes within a second.
        compileall.compile_dir(copy, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        (copy / ".venv").symlink_to(place.ROOT / ".venv", target_is_directory=True)
        yield copy


def mutated(source: str, mutant: Mutant) -> str:
    """Return a file without the rule. Raises Unfit where its text is not found exactly once."""
    times = source.count(mutant.text)
    if times != 1:
        raise Unfit(f"{mutant.name}: its text is {times} times in {mutant.file}")
    return source.replace(mutant.text, mutant.instead)


def _tried(copy: Path, mutant: Mutant) -> str:
    """Say what became of one mutant."""
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


def _passing(copies: queue.SimpleQueue[Path], tests: list[str]) -> set[str]:
    """Return the tests that pass unmutated; says which do not."""
    copy = copies.get()
    passed = _run(copy, tests, "passed", longest=LONGEST_SECONDS * 4)
    copies.put(copy)
    for test in tests:
        if test not in passed:
            print(f"does not pass unmutated: {test}")
    return passed


def _run(copy: Path, tests: Sequence[str], wanted: str, *, longest: float = LONGEST_SECONDS) -> set[str]:
    """Run tests in the copy; returns those of which some case ``failed``, or of which all ``passed``.

    A test that could not be set up, or collected, did neither.
    """
    home = place.home(f"test-mutants-{os.getpid()}-{next(_number)}")
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
