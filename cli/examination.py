"""What ``doctor`` looks at besides the gateway itself: database, Redis, reach, clocks."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import httpx

from actors.checkup import Finding, webhook_url

if TYPE_CHECKING:
    from settings import Settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "models" / "migrations"
OLDEST_POSTGRESQL = 14
OLDEST_REDIS = (6, 2)
SKEW_SECONDS = 2.0
"""Clocks may differ by so much before it is worth a line."""
KNOCK = b'{"event":"relance:doctor","data":{}}'
"""A webhook that is none of our business: stored once, whoever knocks how often, and ignored."""


@dataclass
class Database:
    """What the database showed: lines, and the device of every sender in it."""

    findings: list[Finding] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)


async def database() -> Database:
    """Connect, compare what was migrated with what this version needs, compare the clocks."""
    from models import pool  # reads the settings when imported

    seen = Database()
    try:
        conn = await pool.connect()
    except (*pool.UNAVAILABLE, asyncpg.PostgresError) as error:
        remedy = "check DATABASE_URL, and that PostgreSQL runs and lets this user in"
        seen.findings.append(Finding(False, "database", f"cannot be reached: {error or type(error).__name__}", remedy))
        return seen
    try:
        version = conn.get_server_version()
        old = version.major < OLDEST_POSTGRESQL
        remedy = f"at least {OLDEST_POSTGRESQL} is needed" if old else ""
        seen.findings.append(
            Finding(not old, "database", f"PostgreSQL {version.major}.{version.micro} answers", remedy)
        )
        seen.findings.append(await _migrated(conn))
        if seen.findings[-1].ok:
            seen.devices = [row["device_id"] for row in await conn.fetch("SELECT device_id FROM sender ORDER BY id")]
        asked = time.time()
        theirs: datetime = await conn.fetchval("SELECT clock_timestamp()")
        seen.findings.append(_clock("database clock", theirs.timestamp() - (asked + time.time()) / 2, 0.1))
    finally:
        await conn.close()
    return seen


def alerts(s: Settings) -> Finding:
    """Whether somebody is told when something is wrong, as far as the addresses themselves can say."""
    from actors.telling import misunderstood  # loads what speaks to a hundred services

    addresses = s.alert_addresses
    if not addresses:
        return Finding(None, "alerts", "nobody is told: ALERT_URLS is empty", "name somebody, e.g. mailto://…")
    if wrong := misunderstood(addresses):
        named = ", ".join(str(place) for place in wrong)
        return Finding(False, "alerts", f"address {named} of ALERT_URLS is not understood", "write it as Apprise does")
    return Finding(True, "alerts", f"{len(addresses)} address(es); POST /api/alerts/test shows whether they take one")


async def _migrated(conn: Any) -> Finding:
    wanted = set()
    for file in MIGRATIONS.glob("relance_*.py"):
        if found := re.search(r'^ID = "([^"]+)"', file.read_text(), re.MULTILINE):
            wanted.add(found[1])
    try:
        done = {row["name"] for row in await conn.fetch("SELECT name FROM migration WHERE app_name = 'relance'")}
    except asyncpg.UndefinedTableError:
        done = set()
    remedy = "run the release process: python -m models.migrate"
    if not done:
        return Finding(False, "tables", "the database is empty", remedy)
    if missing := wanted - done:
        return Finding(False, "tables", f"{len(missing)} of {len(wanted)} migrations have not run", remedy)
    if newer := done - wanted:
        text = f"the database is newer than this program ({len(newer)} migrations more)"
        return Finding(False, "tables", text, "run the version of Relance that the database was released with")
    return Finding(True, "tables", f"up to date ({len(done)} migrations)")


def redis() -> Iterator[Finding]:
    """Connect, and look at version and eviction policy."""
    from models import live  # reads the settings when used

    try:
        with live.sync_client(socket_timeout=3, socket_connect_timeout=3) as client:
            server: dict[str, Any] = client.info("server") | client.info("memory")
    except live.UNAVAILABLE as error:
        remedy = "check REDIS_URL, and that Redis or Valkey runs; meanwhile everything goes on, slower to react"
        yield Finding(False, "Redis", f"cannot be reached: {error}", remedy)
        return
    named = (
        "Valkey " + str(server["valkey_version"]) if "valkey_version" in server else f"Redis {server['redis_version']}"
    )
    version = tuple(int(part) for part in str(server["redis_version"]).split(".")[:2])
    old = version < OLDEST_REDIS
    yield Finding(not old, "Redis", f"{named} answers", "at least Redis 6.2 or Valkey is needed" if old else "")
    policy = str(server.get("maxmemory_policy", "unknown"))
    if policy == "noeviction":
        yield Finding(True, "Redis memory", "maxmemory-policy noeviction")
    else:
        remedy = "set maxmemory-policy to noeviction, or wake-ups and gates vanish when memory runs short"
        yield Finding(False, "Redis memory", f"maxmemory-policy is {policy}", remedy)


async def reach(s: Settings) -> AsyncIterator[Finding]:
    """Knock at our own webhook, the way the gateway does."""
    name, url = "webhook address", webhook_url(s)
    if not s.public_url:
        return
    shown = url.partition("?")[0]
    if _is_local(s.public_url) and not s.gateway_is_local:
        remedy = "set PUBLIC_URL to an address that the gateway reaches over the internet"
        yield Finding(False, name, f"{shown} exists on this machine only", remedy)
        return
    try:
        async with httpx.AsyncClient(timeout=10, trust_env=not _is_local(s.public_url)) as http:
            answer = await http.post(url, content=KNOCK, headers={"Content-Type": "application/json"})
    except httpx.HTTPError as error:
        remedy = "start the service (bin/dev), and check PUBLIC_URL, DNS and the proxy before it"
        yield Finding(False, name, f"nobody answers at {shown} ({type(error).__name__})", remedy)
        return
    if answer.status_code == 200:
        yield Finding(True, name, f"{shown} takes webhooks")
    elif answer.status_code == 401:
        remedy = "start the service with the same WASSENGER_WEBHOOK_SECRET (and WASSENGER_SIGNING_SECRET) as here"
        yield Finding(False, name, f"{shown} refuses our token", remedy)
    else:
        remedy = "check that PUBLIC_URL leads to Relance, and that it is ready (/health/ready)"
        yield Finding(False, name, f"{shown} answered {answer.status_code}", remedy)


async def gateway_clock(s: Settings) -> Finding:
    """Compare our clock with the gateway's."""
    name = "gateway clock"
    try:
        asked = time.time()
        async with httpx.AsyncClient(timeout=10, trust_env=not s.gateway_is_local) as http:
            # Refused for want of a key, and dated all the same.
            answer = await http.get(f"{s.wassenger_base_url.rstrip('/').removesuffix('/v1')}/v1/devices")
        middle = (asked + time.time()) / 2
        theirs = parsedate_to_datetime(answer.headers.get("date", "")).astimezone(UTC).timestamp() + 0.5
    except (httpx.HTTPError, ValueError, TypeError):
        return Finding(None, name, "the gateway does not tell its time")
    return _clock(name, theirs - middle, 0.5)


def _clock(name: str, ahead: float, uncertain: float) -> Finding:
    """Judge a clock that is so many seconds ahead of ours."""
    if abs(ahead) <= SKEW_SECONDS + uncertain:
        return Finding(True, name, "agrees with this machine's")
    text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
    return Finding(False, name, text, "set the clocks by NTP: windows and expirations are dated by them")


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
