"""``python -m local.env_example > .env.example``: every variable of ``settings.py``, with its sentence."""

from __future__ import annotations

import sys
import typing
from dataclasses import MISSING, Field, fields
from typing import Any, Literal

from settings import Settings

HEAD = """\
# Every variable Relance reads (settings.py). Copy to .env, fill in what is required, uncomment what you change.
# The environment wins over this file. Hours accept fractions. An empty value means the default.
"""


def example() -> str:
    """Return the whole text: required variables open, optional ones commented out with their default."""
    hints = typing.get_type_hints(Settings)
    return HEAD + "".join(_entry(f, hints[f.name]) for f in fields(Settings))


def _entry(f: Field[Any], kind: Any) -> str:
    allowed = ""
    if typing.get_origin(kind) is Literal:
        allowed = " One of: " + ", ".join(typing.get_args(kind)) + "."
    elif f.metadata["bounds"] is not None:
        low, high = f.metadata["bounds"]
        allowed = f" {low:g} to {high:.10g}."
    comment = f"\n# {f.metadata['sentence']}{allowed}"
    if f.default is MISSING:
        return f"{comment} Required.\n{f.name.upper()}=\n"
    return f"{comment}\n# {f.name.upper()}={_written(f.default)}\n"


def _written(value: Any) -> str:
    """Write a default as a person would.

    >>> _written(60.0), _written(False), _written(("stop", "end"))
    ('60', 'false', 'stop,end')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return f"{value:.10g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.stdout.write(example())
