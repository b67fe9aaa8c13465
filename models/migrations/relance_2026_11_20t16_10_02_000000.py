"""Indexes that keep the report of a running campaign fast, however many people it has."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models.tables.messages import Message

ID = "2026-11-20T16:10:02:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes of the report"

FORWARDS = """
-- How often was something sent again? Few rows are; acknowledgements move none in or out.
CREATE INDEX message_retried ON message (campaign) INCLUDE (retries) WHERE retries > 0;
-- The newest Message 2 of a campaign, without reading past its Message 1.
CREATE INDEX message_2_of_campaign ON message (campaign, id) WHERE step = 2;
"""

BACKWARDS = """
DROP INDEX message_retried, message_2_of_campaign;
"""


async def forwards() -> MigrationManager:
    """Create the indexes."""
    manager = MigrationManager(migration_id=ID, app_name="relance", description=DESCRIPTION)

    async def create() -> None:
        for statement in FORWARDS.strip().rstrip(";").split(";\n"):
            await Message.raw(statement)

    async def drop() -> None:
        for statement in BACKWARDS.strip().rstrip(";").split(";\n"):
            await Message.raw(statement)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
