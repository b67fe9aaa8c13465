"""What an uploaded file of contacts says, before anything of it is written."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import settings
from rules.phone import BadPhone, identity, mask, parse
from rules.rows import BadRow, Row, read

STEP = 1_000
"""Rows of one statement and one transaction."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Up to STEP rows of the file: the first one's number (from 0), contacts to write, rows rejected."""

    first: int
    contacts: list[tuple[str, str, Row]]
    """(E.164, identity, row)"""
    rejected: list[BadRow]

    @property
    def rows(self) -> int:
        """How many rows of the file these are."""
        return len(self.contacts) + len(self.rejected)


class Plan:
    """A file read through once: the phone and person of each row, and the last row of each person."""

    def __init__(
        self, body: bytes, region: str | None, phones: array[int], people: array[int], last: dict[int, tuple[int, int]]
    ) -> None:
        self._body = body
        self._region = region
        self._phones = phones
        self._people = people
        self._last = last

    @classmethod
    def of(cls, body: bytes, region: str | None) -> Plan:
        """Read all of it; 16 bytes a row, and what a dictionary takes per person. Raises BadFile."""
        region = region or settings.get().default_region or None
        phones, people = array("q"), array("q")
        last: dict[int, tuple[int, int]] = {}
        for number, row in enumerate(read(body)):
            phone = _number(row.phone, region) if isinstance(row, Row) else ""
            person = int(identity(phone)) if phone else 0
            phones.append(int(phone or 0))
            people.append(person)
            if person:
                last[person] = number, row.line
        return cls(body, region, phones, people, last)

    def steps(self, behind: int) -> Iterator[Step]:
        """Yield the rows from number ``behind`` on, STEP at a time."""
        rows = islice(enumerate(read(self._body)), behind, None)
        while chunk := list(islice(rows, STEP)):
            judged = [self._judge(number, row) for number, row in chunk]
            yield Step(
                first=chunk[0][0],
                contacts=[one for one in judged if not isinstance(one, BadRow)],
                rejected=[one for one in judged if isinstance(one, BadRow)],
            )

    def _judge(self, number: int, row: Row | BadRow) -> tuple[str, str, Row] | BadRow:
        if isinstance(row, BadRow):
            return row
        phone = self._phones[number]
        if not phone:
            return BadRow(
                line=row.line, column="phone", value=mask(row.phone), reason=_why_bad(row.phone, self._region)
            )
        person = self._people[number]
        last, line = self._last[person]
        if last != number:
            reason = f"the same person comes again on line {line}: the last one counts"
            return BadRow(line=row.line, column="phone", value=mask(row.phone), reason=reason)
        return f"+{phone}", str(person), row


def _number(raw: str, region: str | None) -> str:
    """Return a phone in E.164; empty for what is none."""
    try:
        return parse(raw, region)
    except BadPhone:
        return ""


def _why_bad(raw: str, region: str | None) -> str:
    try:
        parse(raw, region)
    except BadPhone as error:
        return error.reason
    return "the phone cannot be used"
