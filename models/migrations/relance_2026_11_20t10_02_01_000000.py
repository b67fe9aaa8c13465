"""Indexes of the pace: what a number sent last, what is held, what opened a conversation."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models.tables.messages import Message

ID = "2026-11-20T10:02:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes of the pace"

FORWARDS = """
-- The newest promises of a number: its rolling caps, its last attempts, its days.
CREATE INDEX message_of_sender ON message (sender, promised_at DESC) WHERE promised_at IS NOT NULL;
-- What waits for another reason than a retry: let go when the reason is over.
CREATE INDEX message_held ON message (campaign, held) WHERE status = 'pending' AND held IS NOT NULL;
"""

BACKWARDS = "DROP INDEX message_held, message_of_sender"


async def forwards() -> MigrationManager:
    """Create the indexes in a migration after the columns': raw SQL runs before table DDL in the same one."""
    manager = MigrationManager(migration_id=ID, app_name="relance", description=DESCRIPTION)

    async def create() -> None:
        for statement in FORWARDS.strip().rstrip(";").split(";\n"):
            await Message.raw(statement)

    async def drop() -> None:
        await Message.raw(BACKWARDS)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
