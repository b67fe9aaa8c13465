"""The shapes of gateways.md, one file each, with how sure the facts are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "shapes"


@cache
def _read(name: str) -> str:
    return (FOLDER / f"{name}.json").read_text()


def shape(name: str) -> dict[str, Any]:
    """Return one shape file, a fresh copy each time."""
    found: dict[str, Any] = json.loads(_read(name))
    return found


def example(name: str) -> Any:
    """Return the example of one shape."""
    return shape(name)["example"]


def body(name: str) -> bytes:
    """Return the example of one shape as it comes over the wire."""
    return json.dumps(example(name)).encode()


def names(kind: str) -> list[str]:
    """Return the names of all shapes of one kind: request, response or webhook."""
    return sorted(path.stem for path in FOLDER.glob("*.json") if shape(path.stem)["kind"] == kind)


def missing(value: Any, required: list[str]) -> list[str]:
    """Return the required dotted keys that a value has not (``[]`` stands for every row of a list)."""
    return [key for key in required if not all(_has(value, key.split(".")))]


def _has(value: Any, keys: list[str]) -> Iterator[bool]:
    if not keys:
        yield True
    elif keys[0] == "[]":
        yield isinstance(value, list)
        for row in value if isinstance(value, list) else ():
            yield from _has(row, keys[1:])
    elif isinstance(value, dict) and keys[0] in value:
        yield from _has(value[keys[0]], keys[1:])
    else:
        yield False
