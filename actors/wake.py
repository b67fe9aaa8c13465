"""Waking an actor without ever making anyone wait for Redis.

``wake("handle_interaction", inbox_id)`` returns at once; a thread puts the message into its queue. A wake-up
that is lost on the way costs at most a second: the scheduler finds the work in SQL.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import Any

import redis
import structlog
from dramatiq import Message

from actors.broker import WakingBroker
from models import live

log = structlog.get_logger()

ROUTES = {
    "send_batch": "sending",
    "launch_campaign": "work",
    "import_contacts": "work",
    "erase_traces": "work",
    "settle_doubts": "work",
    "digest_acknowledgements": "work",
    "hear_sender": "work",
    "sweep_campaigns": "work",
    "forget_old": "work",
    "refresh_stats": "work",
    "ask_device": "work",
    "send_trial": "work",
    "guard_sender": "work",
    "handle_interaction": "replies",
    "send_message_2": "replies",
}
"""Every actor by name, and its queue; the actors' own declarations are tested against this."""

WAITING_AT_MOST = 10_000
"""Wakes that may wait for the thread; further ones are dropped (the scheduler sees the work)."""


DRAIN_SECONDS = 0.02
"""A wake-up without arguments says "look again": one of a kind in so long is enough, the last one always comes."""


class Waker:
    """Hands wake-ups to the broker from one thread, in order, dropping what Redis does not take.

    Those without arguments are gathered: two thousand acknowledgements a second need no two thousand messages.
    """

    def __init__(self, broker: WakingBroker | None = None) -> None:
        self._broker = broker or wake_only_broker()
        self._waiting: queue.Queue[Message[Any] | None] = queue.Queue(WAITING_AT_MOST)
        self._silent = False
        self._gathered: dict[str, Message[Any]] = {}
        self._quiet_until: dict[str, float] = {}
        self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
        self._thread.start()

    def wake(self, actor: str, *arguments: object) -> None:
        """Ask for one run of an actor; ids are passed as text."""
        message: Message[Any] = Message(
            queue_name=ROUTES[actor], actor_name=actor, args=tuple(map(str, arguments)), kwargs={}, options={}
        )
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(message)

    def close(self) -> None:
        """Hand over what waits (for at most a second) and end the thread."""
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait(None)
        self._thread.join(1)

    def _run(self) -> None:
        while True:
            try:
                message = self._waiting.get(timeout=DRAIN_SECONDS if self._gathered else None)
            except queue.Empty:
                message = None
            else:
                if message is None:  # the end: what was gathered goes first
                    for gathered in self._gathered.values():
                        self._hand_over(gathered)
                    return
                if message.args:
                    self._hand_over(message)
                else:
                    self._gathered.setdefault(message.actor_name, message)
            self._hand_over_gathered(time.monotonic())

    def _hand_over_gathered(self, now: float) -> None:
        """Hand over each gathered wake-up whose like has not gone out just now."""
        for actor in [name for name in self._gathered if self._quiet_until.get(name, 0.0) <= now]:
            self._quiet_until[actor] = now + DRAIN_SECONDS
            self._hand_over(self._gathered.pop(actor))

    def _hand_over(self, message: Message[Any]) -> None:
        try:
            self._broker.enqueue(message)
            self._silent = False
        except (redis.RedisError, OSError) as error:
            if not self._silent:
                log.warning("wake-ups are not getting through; the scheduler will do", error=str(error))
            self._silent = True


def wake_only_broker() -> WakingBroker:
    """Make a broker for a process that runs no actors, giving up after 200 ms."""
    return WakingBroker(client=live.sync_client(), namespace=live.QUEUES, middleware=[])


_waker: Waker | None = None


def wake(actor: str, *arguments: object) -> None:
    """Ask for one run of an actor, from anywhere in this process."""
    global _waker
    if _waker is None:
        _waker = Waker()
    _waker.wake(actor, *arguments)


def close() -> None:
    """End the waker of this process."""
    global _waker
    if _waker is not None:
        _waker.close()
        _waker = None
