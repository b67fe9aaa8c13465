"""Delivering alerts through Apprise: at least once, off the loop, tried again until everybody has been reached.

The outbox is the alert's own row. Whoever delivers claims it, so that several schedulers tell once; one that dies
with a claim leaves it to another. A receiver that is down delays nobody else and is tried again, ever more rarely.
Addresses hold secrets: they are written nowhere, and a row remembers only their fingerprints.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import structlog

import settings
from models import logs, pool
from models.queries import sql

if TYPE_CHECKING:
    from asyncpg import Record

    from models.pool import Conn

log = structlog.get_logger()
T = TypeVar("T")
_loading = threading.Lock()

EVERY_SECONDS = 1.0
"""How often the outbox is looked into."""
MANY = 10
"""Alerts taken at once."""
AT_ONCE = 4
"""Addresses that are spoken to at the same time."""
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 10.0, 3600.0
"""Before the first new attempt, doubled each time, and at most."""
TYPES = {"raised": "failure", "updated": "warning", "resolved": "success"}
"""What Apprise calls each news."""


def wait_after(tries: int) -> float:
    """Return how long to wait after so many failed attempts (seconds).

    >>> [wait_after(tries) for tries in (1, 2, 3, 20)]
    [10.0, 20.0, 40.0, 3600.0]
    """
    return float(min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (min(tries, 20) - 1)))


class Teller:
    """Tells people; ``addresses`` are Apprise's, by default those of ``ALERT_URLS``."""

    def __init__(self, addresses: Sequence[str] | None = None) -> None:
        given = settings.get().alert_addresses if addresses is None else tuple(addresses)
        self._addresses = {_fingerprint(address): address for address in given}
        self._room = asyncio.Semaphore(AT_ONCE)

    async def tell_due(self) -> int:
        """Deliver what is due; returns how many alerts were taken in hand."""
        async with pool.connection() as conn:
            if not self._addresses:
                await sql.nobody_to_tell(conn)
                return 0
            rows = await sql.claim_news(conn, many=MANY)
        if not rows:
            return 0
        left = await asyncio.gather(*map(self._tell, rows))
        async with pool.connection() as conn:
            for row, unreached in zip(rows, left, strict=True):
                await self._note(conn, row, unreached)
        return len(rows)

    async def tell_directly(self, title: str, text: str) -> bool:
        """Tell everybody without the outbox: the database is what the news is about. True: somebody was reached."""
        reached = await asyncio.gather(*(self._reach(a, title, text, "raised") for a in self._addresses.values()))
        return any(reached)

    async def _tell(self, row: Record) -> list[str]:
        """Tell one alert to everybody who has not heard of it; returns the fingerprints of those not reached."""
        named = self._addresses if row["news_left"] is None else row["news_left"]
        left = [print_ for print_ in named if print_ in self._addresses]
        title, text = _title(row), _text(row)
        reached = await asyncio.gather(*(self._reach(self._addresses[p], title, text, row["news"]) for p in left))
        return [print_ for print_, done in zip(left, reached, strict=True) if not done]

    async def _note(self, conn: Conn, row: Record, left: list[str]) -> None:
        about = {"kind": row["kind"], "subject": row["subject"], "news": row["news"]}
        if not left:
            await sql.news_told(conn, alert=row["id"], number=row["news_number"])
            log.info("alert told", **about)
            return
        wait = wait_after(row["news_tries"])
        error = "not taken by " + ", ".join(self._named(print_) for print_ in left)
        await sql.news_failed(conn, alert=row["id"], number=row["news_number"], left=left, error=error, wait=wait)
        log.warning("an alert could not be told to everybody", **about, why=error, again_in_seconds=wait)

    def _named(self, print_: str) -> str:
        """Name an address by its place and kind, never by itself."""
        place = list(self._addresses).index(print_) + 1
        return f"address {place} ({urlsplit(self._addresses[print_]).scheme})"

    async def _reach(self, address: str, title: str, text: str, news: str) -> bool:
        async with self._room:
            try:
                return await _in_thread(lambda: _notify(address, title, text, TYPES[news]))
            except Exception as error:  # the edge to plug-ins of others: what they raise may name the address
                log.warning("an address of ALERT_URLS failed", error=type(error).__name__)
                return False


async def telling(teller: Teller, may: Callable[[], bool]) -> None:
    """Deliver for as long as the process lives, while ``may`` says so; a database that is away is sat out."""
    while True:
        if may():
            try:
                await teller.tell_due()
            except (*pool.UNAVAILABLE, *pool.TRANSIENT) as error:
                log.warning("alerts wait for the database", error=type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


def misunderstood(addresses: Sequence[str]) -> list[int]:
    """Return the places (from 1) of the addresses that Apprise can make nothing of."""
    apprise = _apprise()
    made = (apprise.Apprise.instantiate(address, suppress_exceptions=True) for address in addresses)
    return [place for place, service in enumerate(made, 1) if service is None]


def _fingerprint(address: str) -> str:
    """Name an address without telling it."""
    return hmac.new(settings.get().secret_key.encode(), address.encode(), hashlib.sha256).hexdigest()[:16]


def _title(row: Record) -> str:
    over = {"raised": "", "updated": " (still)", "resolved": " (over)"}[row["news"]]
    return f"Relance: {row['kind'].replace('_', ' ')}{over}"


def _text(row: Record) -> str:
    lines = [logs.masked(row["text"]), f"since {row['raised_at']:%Y-%m-%d %H:%M:%S} UTC"]
    if row["resolved_at"] is not None:
        lines.append(f"over {row['resolved_at']:%Y-%m-%d %H:%M:%S} UTC")
    return "\n".join([*lines, *([f"{url}/"] if (url := settings.get().public_url.rstrip("/")) else [])])


def _notify(address: str, title: str, text: str, kind: str) -> bool:
    """Speak to one address; whatever goes wrong there means: not reached."""
    apprise = _apprise()
    service = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if service is None:
        return False
    return bool(service.notify(body=text, title=title, notify_type=apprise.NotifyType(kind)))


def _apprise() -> Any:
    """Return Apprise with its plug-ins loaded: 1.7 s and 26 MB, for the process that tells only."""
    with _loading, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # theirs, while they load
        import apprise

        apprise.Apprise.instantiate("json://localhost")
        return apprise


async def _in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call in a thread that holds up no shutdown: what it was told with is told again."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def work() -> None:
        result, error = None, None
        try:
            result = call()
        except Exception as raised:  # the caller's future carries it
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="telling", daemon=True).start()
    return await done
