"""Wassenger's JSON, read loosely: what is missing or of the wrong type is None, never an error."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Json = Mapping[str, Any]

_BAD = re.compile("[\ud800-\udfff]")
_EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)  # before WhatsApp: not a time
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode(raw: bytes) -> Any:
    """Decode JSON as forgiving as can be: a broken byte or a halved emoji in a name must not cost a reply.

    Raises ValueError with the cause.
    """
    try:
        return json.loads(raw.decode("utf-8-sig", "replace"), parse_int=_number, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dig(value: Any, path: str) -> Any:
    """Follow a dotted path through objects.

    >>> dig({"a": {"b": 1}}, "a.b"), dig({"a": 3}, "a.b"), dig(None, "a")
    (1, None, None)
    """
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text(value: Any, *paths: str) -> str | None:
    """Return the first of the paths that holds text (or a number, as text) that is not empty.

    What PostgreSQL cannot hold (NUL, lone surrogates) is replaced.

    >>> text({"a": "", "b": {"c": "x"}}, "a", "b.c")
    'x'
    """
    for path in paths:
        found = dig(value, path)
        if isinstance(found, str):
            found = _BAD.sub("\ufffd", found).replace("\x00", "")
        elif isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found):
            found = str(found)
        else:
            continue
        if found:
            return found
    return None


def truth(value: Any, *paths: str) -> bool:
    """Whether any of the paths holds ``true``."""
    return any(dig(value, path) is True for path in paths)


def moment(value: Any, *paths: str) -> datetime | None:
    """Return the first of the paths that holds a time: ISO text, or unix seconds or milliseconds.

    >>> moment({"t": 1779786000000, "u": 0}, "u", "t").isoformat()
    '2026-05-26T09:00:00+00:00'
    """
    for path in paths:
        found = _moment(dig(value, path))
        if found is not None and _EARLIEST <= found < _LATEST:
            return found
    return None


def iso(at: datetime) -> str:
    """Write a time the way the vendor does.

    >>> iso(datetime(2026, 5, 26, 9, 0, 0, 123456, tzinfo=UTC))
    '2026-05-26T09:00:00.123Z'
    """
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def jid(value: str | None) -> tuple[str, str]:
    """Split a WhatsApp address into its user (without the ``:device`` suffix) and its server.

    >>> jid("33199000123:12@c.us"), jid(None)
    (('33199000123', 'c.us'), ('', ''))
    """
    user, _, server = (value or "").rpartition("@")
    return re.split("[:.]", user, maxsplit=1)[0], server


def e164(value: str | None) -> str | None:
    """Return a phone number as E.164, or None where the text is none.

    >>> e164("+33 1 99 00 01 23"), e164("33199000123"), e164("184467440737095516@lid")
    ('+33199000123', '+33199000123', None)
    """
    if value is None or not re.fullmatch(r"\+?[\d ().-]+", value, re.ASCII):
        return None
    digits = re.sub(r"\D", "", value)
    return f"+{digits}" if re.fullmatch(r"[1-9]\d{6,14}", digits) else None


def masked(words: str) -> str:
    """Hide the phone numbers in the vendor's own words: those are logged and shown.

    >>> masked("33199000123@c.us: error 463")
    '331…23@c.us: error 463'
    """
    return re.sub(r"(?<![0-9A-Za-z])(\+?\d{3})\d{3,10}(\d{2})(?![0-9A-Za-z])", r"\1…\2", words)


def device_of(value: Any, *paths: str) -> str | None:
    """Return a device's id, given as text or as an object with an ``id``."""
    return text(value, *(found for path in paths for found in (path, f"{path}.id")))


def rows(value: Any) -> Iterator[Json]:
    """Return the objects of a list; one object stands for a list of one."""
    for row in value if isinstance(value, list) else [value]:
        if isinstance(row, Mapping):
            yield row


def _number(digits: str) -> int | None:
    return int(digits) if len(digits) <= 20 else None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{9,16}", value, re.ASCII):
            try:
                at = datetime.fromisoformat(value)
                return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
            except (ValueError, OverflowError):
                return None
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    seconds = value / 1000 if abs(value) > 1e11 else value
    return _EPOCH + timedelta(seconds=seconds) if 0 < seconds < 5e9 else None
