"""``/metrics``: how long every endpoint takes, in Prometheus' text form, which requests were slow, and the service.

One web process is one target: these figures are this process's own, and the collector adds up what it scrapes. No file
and no shared memory is needed however many processes there are. What the whole service does comes from the database
(``web/gauges.py``).
"""

from __future__ import annotations

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
)

import piccolo_conf
import settings

log = structlog.get_logger("web.access")

NOWHERE = "(none)"
"""Stands for every address without a route: their number is not ours to bound."""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 5, 10)
"""Seconds. The promises to hold against are 10, 20, 50 and 100 ms, so those are edges."""

registry = CollectorRegistry()
ProcessCollector(registry=registry)
GCCollector(registry=registry)
_seconds = Histogram(
    "relance_http_request_seconds",
    "From the request's head to the answer's: for a stream, its first byte.",
    ["method", "route", "status"],
    buckets=BUCKETS,
    registry=registry,
)
_slow = Counter("relance_http_slow_requests", "Requests above SLOW_REQUEST_SECONDS.", ["route"], registry=registry)
_open = Gauge("relance_http_requests_open", "Requests under way, open streams among them.", registry=registry)
_connections = Gauge("relance_database_connections", "Connections of the pool.", ["state"], registry=registry)


def began() -> None:
    """Count one request in."""
    _open.inc()


def ended() -> None:
    """Count one request out."""
    _open.dec()


def answered(method: str, route: str | None, status: int, seconds: float) -> None:
    """Note how long one answer took, and log it if that was too long. ``route`` is the template, never the path."""
    named = route or NOWHERE
    _seconds.labels(method if route else NOWHERE, named, str(status)).observe(seconds)
    if seconds > settings.get().slow_request_seconds:
        _slow.labels(named).inc()
        log.warning("slow request", method=method, route=named, status=status, ms=round(seconds * 1000, 1))


def note_connections() -> None:
    """Note how many connections the pool holds just now."""
    if piccolo_conf.DB.pool is not None:
        idle = piccolo_conf.DB.pool.get_idle_size()
        _connections.labels("idle").set(idle)
        _connections.labels("busy").set(piccolo_conf.DB.pool.get_size() - idle)
