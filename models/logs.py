"""How every process logs: one event a line, JSON or for people, never a secret, never a full phone number.

Masking is the last step before a line is written, over every value of it, so that a forgotten ``phone=``
or an exception text with a number in it cannot leak. Only our own ids and addresses pass untouched.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import structlog

import settings
from rules.phone import mask

_NUMBER = re.compile(r"(?<![\w-])\+?\d{8,15}(?:@[\w.]+)?(?![\w-])(?!\.\d)")
"""Eight to fifteen digits standing alone, with or without + or a JID's ending: a phone number, to us."""
_GROUPED = re.compile(r"(?<![\w.-])(?:\+|0)\d{0,3}(?:[ .\-/()\u00a0\u202f]{1,2}\d{1,4}){2,7}(?![\w-])")
"""The same as people write it: groups of digits behind a + or a 0. Counted before it is masked."""
PHONE_DIGITS = range(8, 16)


LEAST_SECRET = 6
"""Shorter values would turn up in innocent words."""
LEAST_TOKEN = 8
"""The same for a part of an address; shorter ones are words of it."""
LEAST_PHONE = 10_000_000
"""A whole number from here on may be a phone number."""


def masked(text: str) -> str:
    """Mask every phone number in a text.

    >>> masked("to +33199000012 at 3:00"), masked("01 99 00 00 12 or +33 (0)1.99.00.00.12, 0.25 s")
    ('to +33•••••••12 at 3:00', '01••••••12 or +33••••••••12, 0.25 s')
    """
    text = _NUMBER.sub(lambda match: mask(match[0].split("@")[0]), text)
    return _GROUPED.sub(_closed_up, text)


def _closed_up(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match[0])
    return mask(f"+{digits}" if match[0][0] == "+" else digits) if len(digits) in PHONE_DIGITS else match[0]


def _secrets(s: settings.Settings) -> list[str]:
    """Return every value that must not be written: what the settings call secret, and passwords in addresses."""
    named = [s.secret_key, s.bootstrap_api_key, s.admin_password, s.wassenger_api_key, s.wassenger_webhook_secret]
    named += [s.wassenger_signing_secret, s.heartbeat_url, *_told_in(s.heartbeat_url)]
    for address in s.alert_addresses:
        named += [address, *_told_in(address)]
    named += [*(urlsplit(url).password or "" for url in (s.database_url, s.redis_url))]
    return [value for value in named if len(value) >= LEAST_SECRET]


def _told_in(address: str) -> list[str]:
    """Return the parts of an address that may be a secret: Apprise takes tokens in any place of one.

    >>> _told_in("slack://AAAABBBB/CCCCDDDD/#general"), _told_in("https://ping.example.org/0123-4567")
    (['AAAABBBB', 'CCCCDDDD'], ['0123-4567'])
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    named = [parts.username or "", parts.password or "", *parts.path.split("/")]
    named += [value for pair in parts.query.split("&") for value in pair.split("=")[1:]]
    if host and "." not in host and host != "localhost":
        named.append(parts.netloc.rpartition("@")[2])
    return sorted(value for value in named if len(value) >= LEAST_TOKEN)


def _redacted(value: Any, secrets: list[str]) -> Any:
    """Redact one value of an event, however deep it is nested."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[secret]")
        return masked(value)
    if isinstance(value, Mapping):
        return {_redacted(key, secrets): _redacted(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(inner, secrets) for inner in value]
    if isinstance(value, int) and abs(value) >= LEAST_PHONE:
        return masked(str(value))
    return value


def configure(process: str) -> None:
    """Set up structlog and the standard library's logging for this process; ``process`` names its kind."""
    s = settings.get()
    secrets = _secrets(s)

    def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process
        for key, value in event.items():
            event[key] = _redacted(value, secrets)
        return event

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if s.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(s.log_level.upper())
    # Apprise and what it calls with may name an address; we say ourselves what was not reached.
    for silent in ("apprise", "urllib3", "requests_oauthlib", "oauthlib"):
        logging.getLogger(silent).setLevel(logging.CRITICAL)
    for noisy in ("httpx", "httpcore", "asyncio", "dramatiq", "aiohttp.access", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
