"""What a worker process serves: ``dramatiq actors.main`` builds the broker and declares every actor."""

from __future__ import annotations

from dramatiq.middleware import Retries

from actors.broker import build
from actors.middleware import CleanShutdown, EventLoop, RateGate, Resources, sender_mutex

broker = build([EventLoop(), Resources(), sender_mutex, RateGate(), CleanShutdown(), Retries(max_retries=0)])

# The actors register themselves with the broker above, so they are imported after it is built.
from actors import (  # noqa: E402
    acknowledgements,
    batch_sender,
    devices,
    eraser,
    guards,
    hearing,
    importer,
    interactions,
    launcher,
    message_2,
    retention,
    retrier,
    stats,
    sweeper,
    trials,
)

__all__ = [
    "acknowledgements",
    "batch_sender",
    "broker",
    "devices",
    "eraser",
    "guards",
    "hearing",
    "importer",
    "interactions",
    "launcher",
    "message_2",
    "retention",
    "retrier",
    "stats",
    "sweeper",
    "trials",
]
