"""What is to happen later: one heap and one timer for all of it, forgotten at once when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

_AT_MOST = 200
"""Due entries run in one go before requests get their turn again."""


class Agenda:
    """Runs callables on the loop after so many seconds, in the order of their times."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._heap)

    def after(self, seconds: float, call: Callable[..., None], *arguments: Any) -> None:
        """Run ``call(*arguments)`` in so many seconds (0: with the next turn of the loop)."""
        self._number += 1
        entry = (self._loop.time() + seconds, self._number, call, arguments)
        heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._set_timer()

    def forget(self, unless: Callable[..., None] | None = None) -> None:
        """Drop everything that is planned, except calls of ``unless``."""
        self._heap = [entry for entry in self._heap if unless is not None and entry[2] == unless]
        heapify(self._heap)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            self._timer = self._loop.call_at(self._heap[0][0], self._run_due)

    def _run_due(self) -> None:
        self._timer = None
        now = self._loop.time()
        for _ in range(_AT_MOST):
            if not self._heap or self._heap[0][0] > now:
                break
            _, _, call, arguments = heappop(self._heap)
            call(*arguments)
        if self._timer is None:
            self._set_timer()
