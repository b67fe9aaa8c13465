"""Every Redis key and channel: its type, its life, and what is lost with it. Nobody else writes a key name.

Redis may be lost at any moment: each entry says what rebuilds it.

=================================  =======  ==========  ==================================================
name                               type     life        what it holds; when it is lost
=================================  =======  ==========  ==================================================
``relance:gate:{sender}``          string   an hour     next free slot (µs); ``sender.gate_at`` is its floor
``relance:gate:{sender}:replies``  string   an hour     next free slot for Message 2; nothing
``relance:lock:reply:{person}``    string   10 s        a reply is being handled; the unique row decides
``relance:frames``                 channel  –           live snapshots; the next one comes within a second
``relance:frame:{campaign}``       string   an hour     latest snapshot; rebuilt from SQL
``relance:queues:…``               various  –           Dramatiq's own; wake-ups are re-issued from SQL
``relance:wakes``                  channel  –           "look into your queue"; consumers also poll
``relance:rate:{who}``             string   minutes     requests of one caller (µs); each process counts by itself
``cache:stats:…``                  string   CACHE_TTL…  answers (``messages:…``, ``contacts``); made anew from SQL
``cache:categories:…``             string   CACHE_TTL…  ``page:…`` of ids, ``detail:{id}``; made anew from SQL
``relance:cache:version:{area}``   string   –           raised by every change of an area; answers go with it
``relance:cache:counts``           hash     –           hits and misses of all processes; they begin anew
``campaign:{id}:sent``             string   a day       Message 1 sent, for progress; rebuilt from SQL
``campaign:{id}:failed``           string   a day       Message 1 not sent, for progress; rebuilt from SQL
``campaign:{id}:last_message``     string   a day       when the last one left; rebuilt from SQL
=================================  =======  ==========  ==================================================
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

import settings

CALL_SECONDS = 0.2
"""What any Redis call on the way of a send, a reply or a webhook may take; there is no retry."""

QUEUES = "relance:queues"
WAKES = "relance:wakes"
FRAMES = "relance:frames"
FRAME_SECONDS = 3600
DAY_SECONDS = 86_400

UNAVAILABLE: tuple[type[Exception], ...] = (redis.RedisError, OSError, TimeoutError)
"""Errors that mean: no Redis just now."""


CACHE_COUNTS = "relance:cache:counts"


def cached(area: str, name: str) -> str:
    """Name a kept answer, or with a ``*`` the pattern of several."""
    return f"cache:{area}:{name}"


def cache_version(area: str) -> str:
    """Name the number that every change of an area raises."""
    return f"relance:cache:version:{area}"


def gate(sender: UUID) -> str:
    """Name the gate of a sender."""
    return f"relance:gate:{sender}"


def reply_gate(sender: UUID) -> str:
    """Name the gate of the Message 2 of a sender."""
    return f"relance:gate:{sender}:replies"


def reply_lock(person: str) -> str:
    """Name the lock on the replies of one person (their identity key)."""
    return f"relance:lock:reply:{person}"


def rate(who: str) -> str:
    """Name the allowance of one caller of the API."""
    return f"relance:rate:{who}"


def frame(campaign: UUID) -> str:
    """Name the latest snapshot of a campaign."""
    return f"relance:frame:{campaign}"


def frame_of(kind: str, subject: UUID, data: object) -> bytes:
    """Write a live frame: ``kind`` is the event's name, ``subject`` the campaign or import it is about."""
    return msgspec.json.encode({"type": kind, "subject": str(subject), "data": data})


def progress(campaign: UUID, what: str) -> str:
    """Name one of the progress keys: sent, failed or last_message."""
    return f"campaign:{campaign}:{what}"


def async_client(**options: Any) -> redis.asyncio.Redis:
    """Make a client for the running loop; it connects when first used and gives up a call after 200 ms."""
    client: redis.asyncio.Redis = redis.asyncio.Redis.from_url(
        settings.get().redis_url,
        **{
            "socket_timeout": CALL_SECONDS,
            "socket_connect_timeout": CALL_SECONDS,
            "retry": redis.asyncio.retry.Retry(NoBackoff(), 0),
            "max_connections": 100,
            **options,
        },
    )
    return client


def sync_client(**options: Any) -> redis.Redis:
    """Make a client for threads, with the same limits."""
    client: redis.Redis = redis.Redis.from_url(
        settings.get().redis_url,
        **{
            "socket_timeout": CALL_SECONDS,
            "socket_connect_timeout": CALL_SECONDS,
            "retry": Retry(NoBackoff(), 0),
            "max_connections": 100,
            **options,
        },
    )
    return client
