"""One promise, one call: hand a message to the gateway and say what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog

import settings
from actors.recorder import Ended, Result
from gateway import (
    Gateway,
    Media,
    Order,
    Outbound,
    RateLimited,
    Refused,
    SenderStopped,
    Unknown,
    Unreachable,
)
from models.queries import from_json
from models.transitions import Fact, Failure, GiveBack, Promise
from rules.breaker import backoff, may_retry
from rules.pacing import scaled

log = structlog.get_logger()

EXPIRES_SECONDS = settings.LEASE_SECONDS + 2
"""The gateway must not deliver a message later than this after its promise: a little past the lease."""
SLOW_DOWN_SECONDS = 60.0
"""The least that a rate-limited sender waits, whatever the gateway asks."""


def overdue_seconds() -> float:
    """Age at which a promise is in doubt though its process lives: slice, call and recording are over by then."""
    return settings.get().gateway_timeout_seconds + 4.0


def still_in_time(promised: float) -> bool:
    """Whether a message promised then (monotonic) may still be written: as a lane's lease would allow."""
    return time.monotonic() - promised <= settings.LEASE_SECONDS - settings.get().fence_seconds


@dataclass(frozen=True)
class Delivery:
    """What became of one call. ``hold``: seconds nothing may leave this number; ``stopped``: why it cannot send."""

    result: Result
    hold: float = 0.0
    stopped: str | None = None


async def deliver(
    gateway: Gateway, promise: Promise, device_id: str, may_write: Callable[[], bool], *, typing: int = 0
) -> Delivery:
    """Send one promised message. Never raises for what the gateway does: every answer is a result.

    ``typing``: whole seconds that the number seems to type before it.
    """
    began, now = time.monotonic(), datetime.now(UTC)
    order = Order(
        device_id=device_id,
        phone=promise.phone,
        text=promise.text,
        media=media_of(promise.media),
        reference=promise.reference,
        not_after=now + timedelta(seconds=EXPIRES_SECONDS),
        typing=typing,
        may_write=may_write,
    )
    try:
        accepted = await gateway.send(order)
    except Unreachable as error:
        return Delivery(_never_left(promise, error))
    except RateLimited as error:
        return _rate_limited(promise, error)
    except SenderStopped as error:
        return Delivery(_untouched(promise, "sender_stopped", error.detail), stopped=error.detail)
    except Refused as error:
        text = f"refused by the gateway: {error.detail}" + (f" ({error.code})" if error.code else "")
        return Delivery(
            Failure(message=promise.message, attempt=promise.attempt, error_class="refused", error_text=text)
        )
    except Unknown as error:
        return Delivery(Ended(promise.message, promise.attempt, error.detail))
    except Exception as error:  # an error nobody foresaw may have come after the message left
        log.exception("a send ended in an unforeseen error", message=str(promise.message))
        return Delivery(Ended(promise.message, promise.attempt, f"{type(error).__name__}: {error}"))
    return Delivery(_accepted(promise, accepted, now, (time.monotonic() - began) * 1000))


def accepted_as(outbound: Outbound) -> Literal["sent", "delivered", "read"]:
    """Return the status that a message the gateway holds has here: queued there is sent here."""
    return outbound.progress if outbound.progress in ("delivered", "read") else "sent"


def _accepted(promise: Promise, accepted: Outbound, at: datetime, milliseconds: float) -> Fact:
    return Fact(
        message=promise.message,
        status="sent",
        at=at,
        why="accepted by the gateway",
        round=promise.round,
        gateway_id=accepted.gateway_id,
        message_id=accepted.message_id,
        accept_ms=milliseconds,
    )


def _never_left(promise: Promise, error: Unreachable) -> Result:
    """Try again: at once when we stopped ourselves, after the back-off when the gateway could not be reached."""
    s = settings.get()
    if error.code == "fenced":
        return _untouched(promise, "fenced", "the right to send was lost before the first byte")
    if not may_retry(promise.retries + 1, s.max_retry_attempts):
        text = f"never left after {promise.retries + 1} attempts: {error.detail}"
        return Failure(message=promise.message, attempt=promise.attempt, error_class="never_left", error_text=text)
    wait = scaled(backoff(s.retry_base_delay_seconds, promise.retries + 1), s.time_scale)
    return GiveBack(
        message=promise.message,
        attempt=promise.attempt,
        wait=wait,
        used_retry=True,
        error_class="never_left",
        error_text=error.detail,
        why=f"never left: {error.detail}; retry {promise.retries + 1} in {wait:g} s",
    )


def _rate_limited(promise: Promise, error: RateLimited) -> Delivery:
    hold = scaled(max(SLOW_DOWN_SECONDS, error.retry_after or 0.0), settings.get().time_scale)
    result = GiveBack(
        message=promise.message,
        attempt=promise.attempt,
        wait=hold,
        used_retry=False,
        error_class="rate_limited",
        error_text=error.detail,
        why=f"the gateway asks to slow down: nothing leaves this number for {hold:g} s",
    )
    return Delivery(result, hold=hold)


def _untouched(promise: Promise, error_class: str, text: str) -> GiveBack:
    """The gateway took nothing, and it was not the message's fault: no retry is used up."""
    return GiveBack(
        message=promise.message,
        attempt=promise.attempt,
        wait=0.0,
        used_retry=False,
        error_class=error_class,
        error_text=text,
        why=f"not sent: {text}",
    )


def media_of(stored: str | None) -> Media | None:
    """Read an attachment as it is stored."""
    given = from_json(stored)
    if given is None:
        return None
    return Media(url=given.get("url"), file_id=given.get("file_id"), filename=given.get("filename"))
