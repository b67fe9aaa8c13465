"""The stage: every scene of the crash tests is mostly waiting, so several are played at once.

A scene is an ``async def`` that takes the ground it plays on, asserts what must be, and may return a line of
figures. ``@scene`` makes it a test of the same name; the stage plays all that were collected, the longest first, each
in a thread and an event loop of its own, with systems that share nothing but PostgreSQL.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

from local import embedded
from tests.crash.system import System, running

AT_ONCE = 6
"""Scenes played at the same time: enough to fill the waiting, few enough for two cores."""

FIGURES = "figures"
"""The property of a test under which its figures are told at the end of the run."""

Told = TypeVar("Told")
Scene = Callable[["Ground"], Coroutine[Any, Any, Told]]


class Ground:
    """Where a scene plays: makes systems, and says how long it may take.

    ``long``: ``RELANCE_LONG=1`` asks for 60 freezes, a minute without Redis, a hundred kills, and so on.
    """

    def __init__(self, servers: embedded.Servers, template: str, home: Path) -> None:
        self._servers = servers
        self._template = template
        self._home = home
        self._number = itertools.count(1)
        self.long = bool(os.environ.get("RELANCE_LONG"))
        self.databases: list[str] = []

    def system(self, *, own_postgres: bool = False, **more: Any) -> AbstractAsyncContextManager[System]:
        """Return a system to enter (see ``system.running``), with a database cloned for it.

        ``own_postgres`` gives it a durable PostgreSQL of its own instead, which may be killed.
        """
        name, url = f"crash_{os.getpid()}_{next(self._number)}", None
        if not own_postgres:
            url = self._servers.create_database(name, self._template)
            self.databases.append(name)
        return running(self._home / name, url, **more)


class Stage:
    """Plays scenes in the background; whoever asks for one waits for its end."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._threads = ThreadPoolExecutor(AT_ONCE, "scene")
        self._played: dict[Scene[Any], Future[Any]] = {}
        self._under_way: set[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = set()

    def begin(self, scenes: Iterable[Scene[Any]]) -> None:
        """Play these, in this order."""
        for one in scenes:
            self._played.setdefault(one, self._threads.submit(self._play, one))

    def told(self, scene: Scene[Told]) -> Told:
        """Return what a scene returned, or raise what it raised."""
        self.begin([] if scene in self._played else [scene])
        result: Told = self._played[scene].result()
        return result

    def close(self) -> None:
        """End what nobody waits for any more."""
        for future in self._played.values():
            future.cancel()
        for loop, task in list(self._under_way):
            with suppress(RuntimeError):  # its loop has ended meanwhile
                loop.call_soon_threadsafe(task.cancel)
        self._threads.shutdown()

    def _play(self, scene: Scene[Any]) -> Any:
        async def play() -> Any:
            task = asyncio.current_task()
            assert task is not None
            entry = (asyncio.get_running_loop(), task)
            self._under_way.add(entry)
            try:
                return await scene(self._ground)
            finally:
                self._under_way.discard(entry)

        return asyncio.run(play())


def scene(*, seconds: float = 30.0) -> Callable[[Scene[str | None]], Callable[..., None]]:
    """Make a scene a test. ``seconds``: about how long it takes; the longest are begun first."""

    def made(play: Scene[str | None]) -> Callable[..., None]:
        def test(stage: Stage, record_property: Callable[[str, object], None]) -> None:
            figures = stage.told(play)
            if figures:
                record_property(FIGURES, figures)

        test.__name__, test.__qualname__ = play.__name__, play.__qualname__
        test.__doc__, test.__module__ = play.__doc__, play.__module__
        test.scenes = [(seconds, play)]  # type: ignore[attr-defined]
        return test

    return made


def collected(items: Iterable[pytest.Item]) -> list[Scene[Any]]:
    """Return the scenes of the tests that were collected (``SCENES`` of a module are all its tests'), longest first."""
    found: dict[Scene[Any], float] = {}
    for item in items:
        function = getattr(item, "function", None)
        of_module = getattr(getattr(item, "module", None), "SCENES", ())
        found.update({play: seconds for seconds, play in getattr(function, "scenes", of_module)})
    return sorted(found, key=lambda play: -found[play])
