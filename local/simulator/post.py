"""Webhooks on their way out: signed, bounded in number, tried again until the receiver says 2xx."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec

from local.simulator.agenda import Agenda
from local.simulator.behaviour import Behaviour

AT_ONCE = 64
"""Deliveries under way at the same time, whatever is waiting."""


class Target(msgspec.Struct, kw_only=True, frozen=True):
    """One place a webhook goes to. ``hook_id`` is None for the address set by the behaviour."""

    url: str
    hook_id: str | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)


class Webhook(msgspec.Struct, kw_only=True):
    """What ``/_sim/webhooks`` tells of one webhook: when it was, and every attempt to deliver it."""

    event: str
    data_id: str | None
    device: str | None
    phone: str | None
    body: str | None
    time: float
    """The event's own time: when the person wrote, or the message moved."""
    queued_at: float
    copies: int
    state: str = "pending"
    """``pending``, ``delivered`` (every copy met a 2xx) or ``given_up``."""
    deliveries: list[dict[str, Any]] = msgspec.field(default_factory=list)
    """``{url, time, status, error, seconds}`` per attempt; status is null where none came."""
    open: int = 0


class _Job(msgspec.Struct, kw_only=True):
    """One copy of one webhook for one target, and its bytes until it is settled."""

    webhook: Webhook
    target: Target
    raw: bytes
    attempt: int = 1
    round: int


class Post:
    """Takes webhooks and delivers them; a dead receiver costs a bounded number of connections."""

    def __init__(
        self, agenda: Agenda, behaviour: Callable[[], Behaviour], gave_up: Callable[[str, bool], None]
    ) -> None:
        self._agenda = agenda
        self._behaviour = behaviour
        self._gave_up = gave_up
        self._round = 0
        self._queue: asyncio.Queue[_Job] = asyncio.Queue()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=AT_ONCE), cookie_jar=aiohttp.DummyCookieJar()
        )
        self._carriers = [asyncio.create_task(self._carry()) for _ in range(AT_ONCE)]
        self.sent: list[Webhook] = []

    def send(self, webhook: Webhook, raw: bytes, targets: list[Target], delay: float = 0.0) -> None:
        """Deliver to every target, as often as ``webhook.copies`` says, in so many seconds."""
        self.sent.append(webhook)
        webhook.open = len(targets) * webhook.copies
        for target in targets:
            for _ in range(webhook.copies):
                self._put(_Job(webhook=webhook, target=target, raw=raw, round=self._round), delay)

    def forget(self) -> None:
        """Drop what waits and what was told; deliveries under way end unrecorded."""
        self._round += 1
        self.sent = []
        while not self._queue.empty():
            self._queue.get_nowait()

    async def close(self) -> None:
        """Stop at once; what was not delivered is not."""
        for carrier in self._carriers:
            carrier.cancel()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        await self._session.close()

    def _put(self, job: _Job, delay: float) -> None:
        if delay > 0:
            self._agenda.after(delay, self._queue.put_nowait, job)
        else:
            self._queue.put_nowait(job)

    async def _carry(self) -> None:
        while True:
            job = await self._queue.get()
            if job.round != self._round:
                continue
            started = time.time()
            status, failure = await self._attempt(job)
            if job.round == self._round:
                self._record(job, started, status, failure)

    async def _attempt(self, job: _Job) -> tuple[int | None, str | None]:
        behaviour = self._behaviour()
        headers = {"Content-Type": "application/json", "User-Agent": "Wassenger-Webhooks"} | job.target.headers
        if behaviour.signing_secret is not None:
            digest = hmac.new(behaviour.signing_secret.encode(), job.raw, hashlib.sha256).hexdigest()
            headers["X-Wassenger-Signature"] = f"sha256={digest}"
        timeout = aiohttp.ClientTimeout(total=behaviour.webhook_timeout)
        try:
            async with self._session.post(
                job.target.url, data=job.raw, headers=headers, timeout=timeout, allow_redirects=False
            ) as answer:
                return answer.status, None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"

    def _record(self, job: _Job, started: float, status: int | None, failure: str | None) -> None:
        webhook, behaviour = job.webhook, self._behaviour()
        webhook.deliveries.append(
            {"url": job.target.url.partition("?")[0], "time": started, "status": status, "error": failure,
             "seconds": round(time.time() - started, 6)}
        )  # fmt: skip
        accepted = status is not None and 200 <= status < 300
        if not accepted and job.attempt < behaviour.webhook_attempts:
            wait = min(behaviour.webhook_retry_seconds * 2 ** min(job.attempt - 1, 30), behaviour.webhook_retry_most)
            job.attempt += 1
            self._put(job, wait)
            return
        webhook.open -= 1
        if not accepted:
            webhook.state = "given_up"
        elif webhook.open == 0 and webhook.state == "pending":
            webhook.state = "delivered"
        if job.target.hook_id is not None:
            self._gave_up(job.target.hook_id, not accepted)
