"""Indexes of the lists, so that what is rare is found among a million; the keys of attachments."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models.tables.messages import Message

ID = "2026-11-20T10:06:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes of the lists, keys of attachments"

FORWARDS = """
ALTER TABLE "attachment" ALTER COLUMN id SET DEFAULT uuid7();
-- Messages by a status that few have at a time; acknowledgements move no row in or out of these.
CREATE INDEX message_rare ON message (status, id) WHERE status IN ('pending', 'sending', 'unconfirmed', 'failed', 'cancelled');
CREATE INDEX message_rare_of_campaign ON message (campaign, status, id)
    WHERE status IN ('pending', 'sending', 'unconfirmed', 'failed', 'cancelled');
-- People of a campaign by what became of them.
CREATE INDEX recipient_by_state ON recipient (campaign, state, id);
-- By a range, as the list of silent people's messages asks (see rare_messages).
CREATE INDEX recipient_silent ON recipient (state, id) WHERE state >= 'no_interaction' AND state <= 'no_interaction';
CREATE INDEX interaction_of_type ON interaction (type, id);
"""

BACKWARDS = """
ALTER TABLE "attachment" ALTER COLUMN id DROP DEFAULT;
DROP INDEX message_rare, message_rare_of_campaign, recipient_by_state, recipient_silent, interaction_of_type;
"""


async def forwards() -> MigrationManager:
    """Create and drop by raw SQL: Piccolo cannot say partial or composite indexes."""
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
