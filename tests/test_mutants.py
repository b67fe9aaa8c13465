"""The table of rules still fits the code; ``python -m tests.mutations`` takes the rules out and runs their tests."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from local import place
from tests.mutants import MUTANTS, Mutant
from tests.mutations import mutated


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_rule_is_found_once_and_its_tests_exist(mutant: Mutant) -> None:
    source = (place.ROOT / mutant.file).read_text()
    without = mutated(source, mutant)
    assert without != source
    if mutant.file.endswith(".py"):
        ast.parse(without)
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert name.partition("[")[0] in functions(file), test


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) == len(set(names))


@cache
def functions(file: str) -> frozenset[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse((place.ROOT / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
