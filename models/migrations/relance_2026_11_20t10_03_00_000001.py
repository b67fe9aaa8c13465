"""Indexes of tests, planned days and automatic replies."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models.tables.messages import Message

ID = "2026-11-20T10:03:00:000001"
VERSION = "1.38.0"
DESCRIPTION = "indexes of tests, planned days and automatic replies"

FORWARDS = """
ALTER TABLE trial ALTER COLUMN id SET DEFAULT uuid7();
-- One test of a text to a phone at a time: a double click sends once.
CREATE UNIQUE INDEX trial_open ON trial (campaign, phone, step) WHERE status IN ('pending', 'sending');
CREATE INDEX trial_of_campaign ON trial (campaign, id DESC);
CREATE INDEX trial_under_way ON trial (status, created_at) WHERE status IN ('pending', 'sending', 'unconfirmed');
CREATE INDEX trial_reserved ON trial (sender) WHERE status = 'pending';
CREATE INDEX trial_gateway_id ON trial (gateway_id) WHERE gateway_id IS NOT NULL;
CREATE INDEX trial_whatsapp_id ON trial (whatsapp_message_id) WHERE whatsapp_message_id IS NOT NULL;
-- What is reserved on which day; launches of a single day name none and are not in it.
CREATE INDEX message_planned ON message (sender, quota_day) WHERE status = 'pending' AND step = 1 AND quota_day IS NOT NULL;
-- Who else wrote the same? Short texts have no fingerprint.
CREATE INDEX interaction_same_text ON interaction (fingerprint, received_at) WHERE fingerprint IS NOT NULL;
-- A number's month: conversations opened, and who answered.
CREATE INDEX message_opened ON message (sender, promised_at) WHERE step = 1 AND promised_at IS NOT NULL
"""

BACKWARDS = """
DROP INDEX message_opened, interaction_same_text, message_planned, trial_whatsapp_id, trial_gateway_id, trial_reserved,
    trial_under_way, trial_of_campaign, trial_open;
ALTER TABLE trial ALTER COLUMN id DROP DEFAULT
"""


async def forwards() -> MigrationManager:
    """Create every index in a migration after the tables': raw SQL runs before table DDL in the same one."""
    manager = MigrationManager(migration_id=ID, app_name="relance", description=DESCRIPTION)

    async def create() -> None:
        for statement in FORWARDS.strip().split(";\n"):
            await Message.raw(statement)

    async def drop() -> None:
        for statement in BACKWARDS.strip().split(";\n"):
            await Message.raw(statement)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
