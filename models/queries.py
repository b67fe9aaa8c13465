"""Named SQL for what Piccolo cannot say: ``await sql.claim_slice(conn, sender=…)``.

The statements are in ``models/sql/*.sql``, one file per noun, each under a line ``-- name: …`` and a line of
why; parameters are written ``:name``. A part in ``[[ … ]]`` is left out where one of its parameters is None: each
combination of filters is then a statement of its own, and gets a plan of its own. The suffix of a name says what
comes back: ``^`` one row or None, ``$`` one value, ``!`` nothing, none of these a list of rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from models.pool import Conn

_HEAD = re.compile(r"^-- name: (\w+)([\^$!]?)[ ]*$", re.MULTILINE)
_TOKEN = re.compile(r"'[^']*'|--[^\n]*|::\w+|:(?P<name>[a-z]\w*)")
"""Quoted text, comments and casts are passed over; what is left of the colons are parameters."""
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Query:
    """One statement: its text for the server, the order of its parameters, and what it gives back."""

    name: str
    text: str
    parameters: tuple[str, ...]
    gives: str
    source: str = ""
    """What was written, where it has parts that may be left out."""

    async def __call__(self, conn: Conn, **values: Any) -> Any:
        """Run it; TypeError names a parameter that is missing or not wanted."""
        if values.keys() != set(self.parameters):
            raise TypeError(f"{self.name} takes {sorted(self.parameters)}, not {sorted(values)}")
        text, parameters = self.text, self.parameters
        if self.source:
            text, parameters = _without(self.source, frozenset(name for name in values if values[name] is None))
        arguments = [values[p] for p in parameters]
        if self.gives == "^":
            return await conn.fetchrow(text, *arguments)
        if self.gives == "$":
            return await conn.fetchval(text, *arguments)
        if self.gives == "!":
            return await conn.execute(text, *arguments)
        return await conn.fetch(text, *arguments)


@cache
def _without(source: str, absent: frozenset[str]) -> tuple[str, tuple[str, ...]]:
    """Return a statement without the optional parts that name an absent parameter, and what it still takes."""

    def kept(match: re.Match[str]) -> str:
        return "" if absent & set(_numbered(match[1])[1]) else match[1]

    return _numbered(_OPTIONAL.sub(kept, source))


def _numbered(source: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement as the server takes it, and the order of its parameters."""
    parameters: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "" if match[0].startswith("--") else match[0]
        if match["name"] not in parameters:
            parameters.append(match["name"])
        return f"${parameters.index(match['name']) + 1}"

    return _TOKEN.sub(number, source).strip().rstrip(";"), tuple(parameters)


def parse(text: str) -> dict[str, Query]:
    """Read the statements of one file.

    >>> parse("-- name: one$\\nSELECT :a::int + :b + :a -- :c\\n")["one"].text
    'SELECT $1::int + $2 + $1'
    """
    found: dict[str, Query] = {}
    heads = list(_HEAD.finditer(text))
    for number, head in enumerate(heads):
        if head[1] in found:
            raise ValueError(f"{head[1]} is named twice in one file")
        body = text[head.end() : heads[number + 1].start() if number + 1 < len(heads) else len(text)]
        whole, parameters = _without(body, frozenset())
        found[head[1]] = Query(head[1], whole, parameters, head[2], body if _OPTIONAL.search(body) else "")
    return found


class Queries:
    """Every named statement of a folder, as attributes; a name used twice is refused."""

    def __init__(self, folder: Path) -> None:
        self._all: dict[str, Query] = {}
        for path in sorted(folder.glob("*.sql")):
            for name, query in parse(path.read_text()).items():
                if name in self._all:
                    raise ValueError(f"{path.name} names {name} again")
                self._all[name] = query

    def __getattr__(self, name: str) -> Query:
        try:
            return self._all[name]
        except KeyError:
            raise AttributeError(f"no statement is named {name}") from None


sql = Queries(Path(__file__).parent / "sql")
"""Every statement of ``models/sql``."""


def json_text(value: object) -> str:
    """Encode for a ``jsonb`` parameter: asyncpg takes and gives JSON as text."""
    return msgspec.json.encode(value).decode()


def from_json(text: str | None) -> Any:
    """Decode a ``jsonb`` column; None stays None."""
    return None if text is None else msgspec.json.decode(text)
