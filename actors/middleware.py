"""Our middleware, one idea each: the loop, the resources, the sender mutex, the rate gate, a clean shutdown."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import threading
import time
from collections.abc import Coroutine
from types import FrameType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog
import uvloop
from dramatiq.asyncio import EventLoopThread, get_event_loop_thread, set_event_loop_thread
from dramatiq.middleware import AsyncIO, Middleware, MiddlewareError, SkipMessage

from actors import lease, process
from actors.lease import Lease
from models import logs, pool

if TYPE_CHECKING:
    from dramatiq import Broker, Worker
    from dramatiq.broker import MessageProxy

log = structlog.get_logger()


class _UvloopThread(EventLoopThread):
    def __init__(self, logger: Any) -> None:
        super().__init__(logger)
        self.loop.close()
        self.loop = uvloop.new_event_loop()


class EventLoop(AsyncIO):
    """One uvloop for all coroutines of the process (asyncpg reads 15k instead of 9k rows/s on it)."""

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Start the loop before anything that needs it."""
        thread = _UvloopThread(self.logger)
        thread.start(timeout=5.0)
        set_event_loop_thread(thread)


def on_loop(work: Coroutine[Any, Any, Any], seconds: float) -> Any:
    """Run a coroutine on the process's loop from another thread and wait for it."""
    thread = get_event_loop_thread()
    if thread is None:
        raise RuntimeError("no event loop: the EventLoop middleware comes first")
    return asyncio.run_coroutine_threadsafe(work, thread.loop).result(seconds)


class Resources(Middleware):
    """Opens what actors need on the loop, and drains it when the worker stops."""

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Open; a process that cannot must not start."""
        kind = "replies" if worker.consumer_whitelist == {"replies"} else "worker"
        logs.configure(kind)
        try:
            on_loop(process.open_process(kind), 10)
        except Exception as error:
            raise MiddlewareError(f"the worker's resources cannot be opened: {error}") from error

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Tell the lanes first: they stop promising while the threads still finish."""
        thread = get_event_loop_thread()
        if thread is not None:
            thread.loop.call_soon_threadsafe(process.this().stopping.set)

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Drain and close, before the loop goes."""
        on_loop(process.close_process(), 10)


class SenderMutex(Middleware):
    """Lets one process run the lane of a sender: actors with ``mutex="sender"`` run only with its lease.

    The lease is in SQL, has an owner, an epoch and an end, and is renewed by the lane. The actor collects it
    with ``claim``; what it does not collect is given back.
    """

    def __init__(self) -> None:
        self._leases: dict[UUID, Lease] = {}

    @property
    def actor_options(self) -> set[str]:
        """The option this middleware understands."""
        return {"mutex"}

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Take the lease, or skip: somebody else runs this lane, or this process has no room."""
        if broker.get_actor(message.actor_name).options.get("mutex") != "sender":
            return
        sender = UUID(message.args[0])
        if process.this().stopping.is_set() or len(process.this().lanes) >= MOST_LANES:
            raise SkipMessage
        try:
            taken = on_loop(lease.take(sender), 10)
        except pool.UNAVAILABLE:
            raise SkipMessage from None
        if taken is None:
            raise SkipMessage
        self._leases[sender] = taken

    def after_process_message(
        self, broker: Broker, message: MessageProxy, *, result: object = None, exception: BaseException | None = None
    ) -> None:
        """Give back a lease that the actor did not collect."""
        if broker.get_actor(message.actor_name).options.get("mutex") == "sender":
            left = self._leases.pop(UUID(message.args[0]), None)
            if left is not None:
                on_loop(left.leave(0), 10)

    def claim(self, sender: UUID) -> Lease:
        """Hand the lease to the actor, which answers for it from now on."""
        return self._leases.pop(sender)


sender_mutex = SenderMutex()
"""The one of this process: the broker runs it, the batch sender collects its lease."""

MOST_LANES = 200
"""Lanes one process runs at once; they are tasks on its loop and hold no thread."""


class RateGate(Middleware):
    """Holds the worker back until the rate gate is usable: Redis is asked once, and told its scripts.

    The gate itself is asked by the lane for every slot (``actors.gate``); without Redis it goes by the
    database alone, so a missing Redis delays nothing and speeds nothing up.
    """

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Say how the gate stands, for whoever reads the log."""
        usable = on_loop(process.this().gate.usable(), 5)
        log.info("the rate gate is ready", by="redis" if usable else "the database alone")


class CleanShutdown(Middleware):
    """Ends the process when it should, once: with its master, and not by a second SIGTERM to the group."""

    def after_process_boot(self, broker: Broker) -> None:
        """Die with the master; ignore the copy of a SIGTERM that a supervisor sends to the whole group."""
        _die_with_parent()
        first = signal.getsignal(signal.SIGTERM)
        asked_at = 0.0

        def once(number: int, frame: FrameType | None) -> None:
            nonlocal asked_at
            if asked_at == 0.0:
                asked_at = time.monotonic()
                _end_at_last()
                if callable(first):
                    first(number, frame)
            elif time.monotonic() - asked_at > SECOND_TERM_SECONDS:
                os._exit(143)  # somebody insists: threads would keep the process alive for ever

        signal.signal(signal.SIGTERM, once)


SECOND_TERM_SECONDS = 3.0
LAST_SECONDS = 10.0
"""A process that was asked to end and hangs is ended. Dramatiq's own does when its master was killed while it
booted: it waits for ever to tell that master that it is ready."""


def _end_at_last() -> None:
    timer = threading.Timer(LAST_SECONDS, os._exit, (143,))
    timer.daemon = True
    timer.start()


def _die_with_parent() -> None:
    """Ask Linux for a SIGTERM when the parent dies (PR_SET_PDEATHSIG = 1)."""
    parent = os.getppid()
    if hasattr(signal, "pthread_sigmask") and os.uname().sysname == "Linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)
