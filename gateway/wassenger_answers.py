"""What the gateway's HTTP answers mean: one function per question asked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from gateway import Device, GatewayError, LookupFailed, Outbound, RateLimited, Refused, SenderStopped, Unknown, Webhook
from gateway.transport import Answer
from gateway.wassenger_outbound import outbound
from gateway.wassenger_wire import Json, decode, device_of, dig, e164, masked, rows, text

# --- the answer to a send --------------------------------------------------------------------------


def accepted(answer: Answer, reference: str) -> Outbound:
    """Return the message as the gateway took it; raises what the answer says became of it otherwise.

    200 and 201 are an acceptance even when the body is lost. A page in between is no answer at all.
    """
    if answer.status in (200, 201) and not answer.is_page:
        return replace(outbound(next(rows(_lenient(answer)), {})), reference=reference)
    raise refusal(answer)


def refusal(answer: Answer) -> GatewayError:
    """Return the error that says what happened to the message, by status first and code second."""
    status, body = answer.status, _lenient(answer)
    code, detail = text(body, "errorCode", "code"), described(answer)
    if status == 429:
        return RateLimited(detail, code=code, retry_after=retry_after(answer))
    if status == 413:
        return Refused(detail, code=code)
    if answer.body is None or answer.is_page:
        return Unknown(detail, code=code)
    about_device = _is_about_device(code, text(body, "message"))
    if status in (401, 402, 403):
        return SenderStopped(detail, code=code)
    if status in (400, 404, 422) and isinstance(body, dict) and body:
        return SenderStopped(detail, code=code) if about_device and status != 422 else Refused(detail, code=code)
    if status == 503 and about_device:
        return Unknown(detail, code=code or "device:offline")
    return Unknown(detail, code=code)


def described(answer: Answer) -> str:
    """Put an error answer into words: status, the vendor's own, and the first wrong fields. No phone numbers.

    >>> described(Answer(status=400, headers={}, body=b'{"message":"+33199000123 is wrong"}'))
    'HTTP 400: +331…23 is wrong'
    """
    if answer.is_page:
        return f"HTTP {answer.status} with an HTML page: something between us and the gateway answered"
    body = _lenient(answer)
    errors = [f"{text(e, 'path') or '?'}: {text(e, 'message') or '?'}" for e in rows(dig(body, "errors"))]
    said = "; ".join(part for part in (text(body, "message", "error"), text(body, "errorCode"), *errors[:3]) if part)
    words = said[:300] or ("an unreadable body" if answer.body is None else "no explanation")
    return f"HTTP {answer.status}: {masked(words)}"


def retry_after(answer: Answer, now: datetime | None = None) -> float | None:
    """Return the seconds of a Retry-After header, given as seconds or as a date; None without a usable one.

    >>> retry_after(Answer(status=429, headers={"retry-after": "90"}, body=b""))
    90.0
    """
    value = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value, re.ASCII):
        return float(value)
    at = http_date(value)
    return None if at is None else max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def http_date(value: str) -> datetime | None:
    """Read the date of an HTTP header; None where it is none."""
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


# --- the answers to a look-up ----------------------------------------------------------------------


def looked_up(answer: Answer) -> Any:
    """Return the JSON of a look-up, read strictly; anything but a whole 200 raises LookupFailed."""
    if answer.status != 200 or answer.body is None or answer.is_page:
        code = None if answer.body is None else text(_lenient(answer), "errorCode")
        raise LookupFailed(
            described(answer), code=code, retry_after=retry_after(answer) if answer.status == 429 else None
        )
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise LookupFailed("HTTP 200 with a body that is not JSON") from None


def objects(found: Any) -> Sequence[Json]:
    """Return a list of objects as such; raises LookupFailed for anything else."""
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise LookupFailed("HTTP 200 with something else than a list of objects")
    return found


def examined(answer: Answer) -> Any:
    """Like ``looked_up``, for questions about key and device: there a refusal is an answer (SenderStopped)."""
    whole = answer.body is not None and not answer.is_page
    if whole and (answer.status in (401, 402, 403, 404)):
        raise SenderStopped(described(answer), code=text(_lenient(answer), "errorCode"))
    return looked_up(answer)


def device(row: Any) -> Device:
    """Understand one number's state; raises LookupFailed where it is no device."""
    device_id = text(row, "id")
    if device_id is None:
        raise LookupFailed("the answer is no device: it has no id")
    state, reason = health(text(row, "status"), text(row, "session.status"))
    detail = text(row, "session.error", "session.lastError")
    product = (text(row, "billing.subscription.product", "billing.subscription.plan", "plan") or "").lower()
    return Device(
        device_id=device_id,
        phone=e164(text(row, "phone")),
        state=state,
        reason=f"{reason}: {masked(detail[:200])}" if reason and detail else reason,
        allows_replies=_allows_replies(product),
    )


Health = Literal["ready", "degraded", "blocked", "offline"]
_NOT_OPERATIVE: dict[str, tuple[Health, str]] = {
    "pending": ("offline", "the device is not linked yet: finish its set-up at the gateway"),
    "disabled": ("blocked", "the device is disabled: enable it at the gateway"),
    "removed": ("blocked", "the device was removed from the gateway's account"),
}
_NOT_ONLINE: dict[str, tuple[Health, str]] = {
    "new": ("offline", "the session was never started: link the phone at the gateway"),
    "authorize": ("blocked", "the session waits for a person: scan the code with the phone"),
    "timeout": ("degraded", "the phone does not answer: check its connection"),
    "offline": ("offline", "the session is offline: check the phone and its connection"),
    "error": ("blocked", "the session is in error: restart it at the gateway"),
}


def health(status: str | None, session: str | None) -> tuple[Health, str | None]:
    """Judge a device by its two words; ready if and only if operative and online.

    >>> health("operative", "online"), health("operative", None)[0]
    (('ready', None), 'degraded')
    """
    if status != "operative":
        return _NOT_OPERATIVE.get(status or "", ("degraded", f"unknown device status {status or 'none'}"))
    if session != "online":
        return _NOT_ONLINE.get(session or "", ("degraded", f"unknown session status {session or 'none'}"))
    return "ready", None


def webhook(row: Json) -> Webhook:
    """Understand one registration; raises LookupFailed where it is none."""
    webhook_id, url = text(row, "id"), text(row, "url")
    if webhook_id is None or url is None:
        raise LookupFailed("the answer is no webhook: it has no id or no url")
    events = dig(row, "events")
    return Webhook(
        webhook_id=webhook_id,
        url=url,
        events=tuple(e for e in events if isinstance(e, str)) if isinstance(events, list) else (),
        device_id=device_of(row, "device"),
        enabled=(text(row, "status") or "active") == "active",
    )


# --- words -----------------------------------------------------------------------------------------


def _lenient(answer: Answer) -> Any:
    try:
        return decode(answer.body or b"")
    except ValueError:
        return {}


def _is_about_device(code: str | None, message: str | None) -> bool:
    if code is not None:
        return code.lower().startswith(("device:", "session:"))
    return "device" in (message or "").lower()


def _allows_replies(product: str) -> bool | None:
    if product == "io" or product.startswith("io-"):
        return True
    return False if product.startswith("gateway") else None
