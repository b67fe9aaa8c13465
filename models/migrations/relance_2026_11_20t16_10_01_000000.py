"""Indexes of what alerts, the watchdog and the figures ask."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models.tables.operation import Alert

ID = "2026-11-20T16:10:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes of alerts and of webhooks by device"

FORWARDS = """
-- What has still to be told.
CREATE INDEX alert_news_due ON alert (news_due_at) WHERE news_due_at IS NOT NULL;
-- "When did the gateway last speak of this device?" (what was read back is no webhook)
CREATE INDEX inbox_of_device ON inbox (device_id, id) WHERE NOT fetched;
"""

BACKWARDS = """
DROP INDEX alert_news_due, inbox_of_device;
"""


async def forwards() -> MigrationManager:
    """Create the indexes in a migration after the columns': raw SQL runs before table DDL in the same one."""
    manager = MigrationManager(migration_id=ID, app_name="relance", description=DESCRIPTION)

    async def create() -> None:
        for statement in FORWARDS.strip().rstrip(";").split(";\n"):
            await Alert.raw(statement)

    async def drop() -> None:
        for statement in BACKWARDS.strip().rstrip(";").split(";\n"):
            await Alert.raw(statement)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
