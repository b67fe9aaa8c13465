"""Database engine and app registry, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from piccolo.engine.postgres import PostgresEngine

import settings

if TYPE_CHECKING:
    from piccolo.conf.apps import AppRegistry


class LazyEngine(PostgresEngine):
    """Piccolo asks the server for its version on import; our web process must start without a database."""

    async def check_version(self) -> None:
        """Ask nothing: ``models.migrate`` refuses a server that is too old."""


DB = LazyEngine(config={"dsn": settings.get().database_url})


def __getattr__(name: str) -> AppRegistry:
    """Make the registry when a migration asks for it: its import takes half a second, and no process needs it."""
    if name != "APP_REGISTRY":
        raise AttributeError(name)
    from piccolo.conf.apps import AppRegistry

    return AppRegistry(apps=["models.piccolo_app"])
