"""Calls to the vendor's API: its address and key, its lists page by page, its clock."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import structlog

from gateway import LookupFailed, Unknown, Unreachable
from gateway import wassenger_answers as answers
from gateway.transport import Answer, Transport
from gateway.wassenger_wire import Json, text

log = structlog.get_logger()

PAGE_SIZE: Final = 100
MAX_PAGES: Final = 1000
"""A list longer than this (100,000 rows) is not paged through: the question was wrong."""
SEND_LIMIT: Final = 1 << 20
"""Largest answer to a send that is read (bytes)."""
LIST_LIMIT: Final = 8 << 20
"""Largest page that is read (bytes): a hundred chat messages with their chats are some 500 KB."""
SKEW_WARNING_SECONDS: Final = 2.0
"""The gateway's clock may be this far from ours before it is worth a warning."""


class Api:
    """The vendor's API v1 behind one key. Opens nothing before the first call."""

    def __init__(
        self, base_url: str, api_key: str, *, timeout: float, connections: int, verify: ssl.SSLContext | bool
    ) -> None:
        self._transport = Transport(
            versioned(base_url),
            {"Token": api_key.strip().removeprefix("Token ").strip()},
            deadline=timeout,
            connections=connections,
            verify=verify,
        )
        self.clock_skew = timedelta()
        """How far the gateway's clock is ahead of ours, by the Date header of its latest answer."""

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limit: int,
        may_write: Callable[[], bool] = lambda: True,
        kind: str = "application/json",
        deadline: float | None = None,
    ) -> Answer:
        """Make one call. Raises Unreachable or Unknown."""
        asked = datetime.now(UTC)
        answer = await self._transport.call(
            method, path, params=params, body=body, limit=limit, may_write=may_write, kind=kind, deadline=deadline
        )
        self._note_clock(answer, asked, datetime.now(UTC))
        return answer

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, params: Mapping[str, str] | None = None
    ) -> Answer:
        """Make a call that sends no message: one that breaks answers no question (LookupFailed)."""
        raw = None if body is None else msgspec.json.encode(body)
        try:
            return await self.call(method, path, params=params, body=raw, limit=LIST_LIMIT)
        except (Unreachable, Unknown) as error:
            raise LookupFailed(error.detail, code=error.code) from error

    async def pages(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Sequence[Json]]:
        """Read a list of messages page by page, each row once, up to the empty page; raises LookupFailed.

        Not up to the short one: a gateway that allows smaller pages than we asked for would seem to
        have ended, and what it had not listed yet would count as never sent.
        """
        seen: set[str] = set()
        for number in range(MAX_PAGES):
            answer = await self.ask("GET", path, params={**query, **page(number)})
            rows = answers.objects(answers.looked_up(answer))
            if not rows:
                return
            # A message sent meanwhile pushes rows onto the next page: those are known already.
            fresh = {_row_id(row): row for row in rows if _row_id(row) not in seen}
            if not fresh:
                raise LookupFailed("the gateway repeats a page: its list cannot be read to the end")
            seen.update(fresh)
            yield list(fresh.values())
        raise LookupFailed(f"the gateway lists more than {MAX_PAGES * PAGE_SIZE} rows")

    async def close(self) -> None:
        """Close every connection at once."""
        await self._transport.close()

    def _note_clock(self, answer: Answer, asked: datetime, answered: datetime) -> None:
        """Measure how far the gateway's clock is from ours; below its resolution it is taken as right."""
        theirs = answers.http_date(answer.headers.get("date", ""))
        if theirs is None:
            return
        middle = asked + (answered - asked) / 2
        skew = theirs + timedelta(milliseconds=500) - middle  # a Date header is cut to the second
        uncertain = timedelta(seconds=1) + (answered - asked) / 2
        before, self.clock_skew = self.clock_skew, timedelta() if abs(skew) <= uncertain else skew
        if abs(self.clock_skew.total_seconds()) > SKEW_WARNING_SECONDS and abs(self.clock_skew - before) > uncertain:
            log.warning(
                "gateway_clock_skew",
                seconds=round(self.clock_skew.total_seconds(), 1),
                remedy="set this machine's clock (NTP); expirations are corrected meanwhile",
            )


def versioned(base_url: str) -> str:
    """Return the address with the API's version in it.

    >>> versioned("https://api.wassenger.com/"), versioned("http://127.0.0.1:1/v1")
    ('https://api.wassenger.com/v1', 'http://127.0.0.1:1/v1')
    """
    base = base_url.rstrip("/")
    return base if base.endswith("/v1") else f"{base}/v1"


def page(number: int) -> dict[str, str]:
    """Return the query of one page; the vendor counts from 0."""
    return {"size": str(PAGE_SIZE), "page": str(number)}


def _row_id(row: Json) -> str:
    row_id = text(row, "id", "waId")
    if row_id is None:
        raise LookupFailed("the gateway lists a row without an id")
    return row_id
