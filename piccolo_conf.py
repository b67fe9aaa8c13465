"""Database engine and app registry, nothing else; each is made when somebody asks for it.

The engine needs settings, which a command that only looks may lack; the registry's import takes half a second, and
only migrations need it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from piccolo.engine.postgres import PostgresEngine

import settings

if TYPE_CHECKING:
    from piccolo.conf.apps import AppRegistry

    DB: LazyEngine
    APP_REGISTRY: AppRegistry


class LazyEngine(PostgresEngine):
    """Piccolo asks the server for its version on import; our web process must start without a database."""

    async def check_version(self) -> None:
        """Ask nothing: ``models.migrate`` refuses a server that is too old."""


def __getattr__(name: str) -> Any:
    """Make the engine or the registry at its first use."""
    if name == "DB":
        made: Any = LazyEngine(
            # Migrations run on these connections: one that waits behind a long transaction makes everybody else wait.
            config={"dsn": settings.get().database_url, "server_settings": {"lock_timeout": "2s"}}
        )
    elif name == "APP_REGISTRY":
        from piccolo.conf.apps import AppRegistry

        made = AppRegistry(apps=["models.piccolo_app"])
    else:
        raise AttributeError(name)
    globals()[name] = made
    return made
