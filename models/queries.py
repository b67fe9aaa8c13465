"""Named SQL for what Piccolo cannot say: ``await sql.claim_slice(conn, sender=…)``.

The statements are in ``models/sql/*.sql``, one file per noun, each under a line ``-- name: …`` and a line of
why; parameters are written ``:name``. The suffix of a name says what comes back: ``^`` one row or None,
``$`` one value, ``!`` nothing, none of these a list of rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from models.pool import Conn

_HEAD = re.compile(r"^-- name: (\w+)([\^$!]?)[ ]*$", re.MULTILINE)
_TOKEN = re.compile(r"'[^']*'|--[^\n]*|::\w+|:(?P<name>[a-z]\w*)")
"""Quoted text, comments and casts are passed over; what is left of the colons are parameters."""


@dataclass(frozen=True)
class Query:
    """One statement: its text for the server, the order of its parameters, and what it gives back."""

    name: str
    text: str
    parameters: tuple[str, ...]
    gives: str

    async def __call__(self, conn: Conn, **values: Any) -> Any:
        """Run it; TypeError names a parameter that is missing or not wanted."""
        if values.keys() != set(self.parameters):
            raise TypeError(f"{self.name} takes {sorted(self.parameters)}, not {sorted(values)}")
        arguments = [values[p] for p in self.parameters]
        if self.gives == "^":
            return await conn.fetchrow(self.text, *arguments)
        if self.gives == "$":
            return await conn.fetchval(self.text, *arguments)
        if self.gives == "!":
            return await conn.execute(self.text, *arguments)
        return await conn.fetch(self.text, *arguments)


def parse(text: str) -> dict[str, Query]:
    """Read the statements of one file.

    >>> parse("-- name: one$\\nSELECT :a::int + :b + :a -- :c\\n")["one"].text
    'SELECT $1::int + $2 + $1'
    """
    found: dict[str, Query] = {}
    heads = list(_HEAD.finditer(text))
    for number, head in enumerate(heads):
        parameters: list[str] = []

        def numbered(match: re.Match[str], order: list[str] = parameters) -> str:
            if match["name"] is None:
                return "" if match[0].startswith("--") else match[0]
            if match["name"] not in order:
                order.append(match["name"])
            return f"${order.index(match['name']) + 1}"

        if head[1] in found:
            raise ValueError(f"{head[1]} is named twice in one file")
        body = text[head.end() : heads[number + 1].start() if number + 1 < len(heads) else len(text)]
        statement = _TOKEN.sub(numbered, body).strip().rstrip(";")
        found[head[1]] = Query(head[1], statement, tuple(parameters), head[2])
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
