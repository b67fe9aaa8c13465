"""Database engine and app registry, nothing else."""

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

import settings


class LazyEngine(PostgresEngine):
    """Piccolo asks the server for its version on import; our web process must start without a database."""

    async def check_version(self) -> None:
        """Ask nothing: ``models.migrate`` refuses a server that is too old."""


DB = LazyEngine(config={"dsn": settings.get().database_url})
APP_REGISTRY = AppRegistry(apps=["models.piccolo_app"])
