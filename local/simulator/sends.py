"""What a request to send may look like: strict, as the vendor is; every mistake is a 400 that names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import msgspec

from local.simulator.ledger import Device
from local.simulator.numbers import E164

TEXT_LIMIT = 4096
_HEX24 = re.compile(r"[0-9a-f]{24}")
_DURATION = re.compile(r"(\d+)(s|m|h|d)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_EXPIRATION = (5, 2_592_000)


class Refusal(Exception):
    """An answer that is an error of the API."""

    def __init__(
        self, status: int, code: str | None, text: str, errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.status, self.code, self.text, self.errors, self.headers = status, code, text, errors, headers
        super().__init__(text)


class Send(msgspec.Struct, kw_only=True):
    """One checked request to send. ``phone`` is E.164, or None for a group or channel (then ``wid`` says which)."""

    device: Device
    phone: str | None
    wid: str | None
    text: str
    reference: str | None
    expires_in: float | None
    """Seconds from now; negative where the given date has passed."""
    deliver_at: float | None
    options: dict[str, Any]


def refuse_unknown(body: dict[str, Any], known: Collection[str], where: str = "") -> None:
    """Refuse a body that has properties the API does not know, naming them all."""
    unknown = [key for key in body if key not in known]
    if unknown:
        errors = [{"path": where + key, "message": f"{key} is not allowed"} for key in unknown]
        raise Refusal(400, "schema:invalid", f"Unknown properties: {', '.join(unknown)}", errors)


def checked(body: object, devices: dict[str, Device], now: float) -> Send:
    """Return what a request asks for, or raise the Refusal it is answered with. ``now``: the gateway's time."""
    if not isinstance(body, dict):
        raise Refusal(400, "schema:invalid", "The request body must be a JSON object")
    if not body.keys() <= _CHECKS.keys():
        refuse_unknown(body, _CHECKS.keys())
    for key, value in body.items():
        problem = _CHECKS[key](value)
        if problem is not None:
            raise Refusal(400, "schema:invalid", f"{key} {problem}", [{"path": key, "message": f"{key} {problem}"}])
    phone, wid = _target(body)
    device = _device(body, devices)
    expires_in, deliver_at = None, None
    if "expiration" in body:
        expires_in = _life(body["expiration"], now)
    if "deliverAt" in body or "schedule" in body:
        deliver_at = _delivery(body, now)
    media = body.get("media")
    text = body.get("message") or (media or {}).get("message") or ""
    if not text and not (_KINDS_WITHOUT_TEXT & body.keys()):
        raise Refusal(400, "schema:invalid", "message is required", [{"path": "message", "message": "is required"}])
    return Send(
        device=device, phone=phone, wid=wid, text=text, reference=body.get("reference"), expires_in=expires_in,
        deliver_at=deliver_at, options={key: value for key, value in body.items() if key not in _OWN_COLUMNS},
    )  # fmt: skip


def seconds_of(when: str) -> float:
    """Return unix seconds of an ISO date; raises ValueError."""
    at = datetime.fromisoformat(when)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _target(body: dict[str, Any]) -> tuple[str | None, str | None]:
    given = [name for name in ("phone", "group", "channel", "chat") if name in body]
    if len(given) != 1:
        text = "Exactly one of phone, group, channel or chat is required"
        raise Refusal(400, "schema:invalid", text, [{"path": name, "message": text} for name in given or ["phone"]])
    if given == ["phone"]:
        if not E164.fullmatch(body["phone"]):
            text = "Phone number is not valid: E.164 with + is required"
            raise Refusal(400, "phone:invalid", text, [{"path": "phone", "message": text}])
        return body["phone"], None
    wid = body[given[0]]
    digits, _, host = wid.partition("@")
    return (f"+{digits}", None) if host == "c.us" and E164.fullmatch(f"+{digits}") else (None, wid)


def _device(body: dict[str, Any], devices: dict[str, Device]) -> Device:
    device_id = body.get("device")
    if device_id is None:
        raise Refusal(400, "device:invalid", "device is required", [{"path": "device", "message": "is required"}])
    device = devices.get(device_id)
    if device is None:
        if not _HEX24.fullmatch(device_id):
            raise Refusal(400, "device:invalid", "device must be 24 hex digits")
        raise Refusal(404, "device:notfound", "Device not found")
    return device


def _life(expiration: dict[str, Any], now: float) -> float:
    def bad(why: str) -> Refusal:
        return Refusal(400, "schema:invalid", f"expiration {why}", [{"path": "expiration", "message": why}])

    if len(expiration) != 1:
        raise bad("must have exactly one of seconds, duration or date")
    refuse_unknown(expiration, ("seconds", "duration", "date"), "expiration.")
    (kind, value), *_ = expiration.items()
    try:
        if kind == "date":
            return seconds_of(value) - now
        seconds = _seconds_in(value) if kind == "duration" else value
    except (ValueError, TypeError):
        raise bad(f"{kind} cannot be understood") from None
    least, most = _EXPIRATION
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not least <= seconds <= most:
        raise bad(f"{kind} must be {least} to {most} seconds")
    return float(seconds)


def _delivery(body: dict[str, Any], now: float) -> float:
    schedule = body.get("schedule") or {}
    refuse_unknown(schedule, ("delayTo", "date"), "schedule.")
    try:
        if "delayTo" in schedule:
            return now + _seconds_in(schedule["delayTo"])
        return seconds_of(body.get("deliverAt") or schedule["date"])
    except (ValueError, TypeError, KeyError):
        text = "deliverAt must be an ISO date, schedule {delayTo} or {date}"
        raise Refusal(400, "schema:invalid", text, [{"path": "deliverAt", "message": text}]) from None


def _seconds_in(duration: str) -> int:
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(duration)
    return int(match[1]) * _UNITS[match[2]]


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return "must be a text"
    return f"must be at most {TEXT_LIMIT} characters" if len(value) > TEXT_LIMIT else None


def _media(value: object) -> str | None:
    if not isinstance(value, dict):
        return "must be an object"
    refuse_unknown(value, ("url", "file", "format", "message", "filename", "viewOnce"), "media.")
    if ("url" in value) == ("file" in value):
        return "must have exactly one of url or file"
    if value.get("format", "native") not in {"native", "ptt", "gif"}:
        return "format must be native, ptt or gif"
    return None if isinstance(value.get("url", value.get("file")), str) else "url or file must be a text"


def _string(most: int) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        return (
            None if isinstance(value, str) and 0 < len(value) <= most else f"must be a text of 1 to {most} characters"
        )

    return check


def _one_of(*words: str) -> Callable[[object], str | None]:
    return lambda value: None if value in words else f"must be one of {', '.join(words)}"


def _whole(least: int, most: int) -> Callable[[object], str | None]:
    def check(value: object) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        return None if fits else f"must be a whole number from {least} to {most}"

    return check


def _kind_of(kind: type, name: str) -> Callable[[object], str | None]:
    return lambda value: None if isinstance(value, kind) else f"must be {name}"


_bool, _list, _object = _kind_of(bool, "true or false"), _kind_of(list, "a list"), _kind_of(dict, "an object")
_CHECKS: dict[str, Callable[[Any], str | None]] = {
    "phone": _kind_of(str, "a text"), "group": _string(64), "channel": _string(64), "chat": _string(64),
    "message": _text, "device": _kind_of(str, "a text"), "media": _media, "reference": _string(256),
    "enqueue": _one_of("always", "never", "opportunistic"), "live": _bool, "order": _bool,
    "priority": _one_of("low", "normal", "high"), "retries": _whole(0, 100), "expiration": _object,
    "deliverAt": _string(40), "schedule": _object, "typing": _whole(0, 30), "quote": _string(64),
    "sendReadAck": _bool, "agent": _string(64), "label": _string(64), "actions": _list, "previewUrl": _bool,
    "location": _object, "contacts": _list, "poll": _object, "event": _object, "reaction": _kind_of(str, "a text"),
    "reactionMessage": _string(64), "forward": _string(64), "product": _object, "template": _object,
}  # fmt: skip
_OWN_COLUMNS = frozenset({"phone", "chat", "message", "device", "reference"})
_KINDS_WITHOUT_TEXT = frozenset({
    "media", "location", "contacts", "poll", "event", "reaction", "forward", "product", "template",
})  # fmt: skip
