"""Indexes, fill factors and triggers: what Piccolo's tables cannot say."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models.tables.messages import Message

ID = "2026-11-20T08:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes, fill factors"

FORWARDS = """
-- Time-ordered keys for rows that SQL makes (PostgreSQL has its own uuidv7() from 18 on).
CREATE FUNCTION uuid7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
        52, 1), 53, 1), 'hex')::uuid
$$;
ALTER TABLE "sender" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "contact" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "category" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "contact_category" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "campaign" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "campaign_category" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "recipient" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "message" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "inbox" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "interaction" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "batch" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "alert" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "import" ALTER COLUMN id SET DEFAULT uuid7();

-- Rows that move often keep room for their next version on their page; times of delivery are in no partial index.
ALTER TABLE message SET (fillfactor = 80);
ALTER TABLE recipient SET (fillfactor = 80);
ALTER TABLE campaign_stats SET (fillfactor = 50);

-- The lane: due Message 1 of a campaign, oldest first.
CREATE INDEX message_due ON message (campaign, next_at, id) WHERE status = 'pending' AND step = 1;
-- Message 2 that was promised to a person and not yet to the gateway.
CREATE INDEX message_2_due ON message (next_at) WHERE status = 'pending' AND step = 2;
-- Doubts, per sender, oldest first.
CREATE INDEX message_in_doubt ON message (sender, promised_at) WHERE status IN ('sending', 'unconfirmed');
-- "Has every Message 1 left?"
CREATE INDEX message_1_open ON message (campaign) WHERE status IN ('pending', 'sending') AND step = 1;
-- Whom does this inbound answer?
CREATE INDEX message_of_contact ON message (contact, step, promised_at DESC);
-- Acknowledgements that carry no reference.
CREATE INDEX message_gateway_id ON message (gateway_id) WHERE gateway_id IS NOT NULL;
CREATE INDEX message_whatsapp_id ON message (whatsapp_message_id) WHERE whatsapp_message_id IS NOT NULL;
-- The newest message a number is known to have sent: control of a look-up, start of a reading back.
CREATE INDEX message_sent ON message (sender, sent_at DESC) WHERE sent_at IS NOT NULL;
-- The last attempts of a campaign: error rate and breaker.
CREATE INDEX message_settled ON message (campaign, promised_at DESC) WHERE step = 1 AND promised_at IS NOT NULL;

-- Lists: the failures of a campaign by reason, its messages and recipients page by page.
CREATE INDEX message_failed ON message (campaign, id) WHERE status = 'failed';
CREATE INDEX message_of_campaign ON message (campaign, id);
CREATE INDEX recipient_of_campaign ON recipient (campaign, id);

-- "Is everyone final?" and "whose window has ended?"
CREATE INDEX recipient_open ON recipient (campaign) WHERE state IN ('queued', 'unconfirmed', 'awaiting_reply');
CREATE INDEX recipient_replied ON recipient (campaign) WHERE state = 'replied';
CREATE INDEX recipient_window ON recipient (window_ends_at, id) WHERE state = 'awaiting_reply';
CREATE INDEX recipient_of_contact ON recipient (contact);

CREATE INDEX contact_identity ON contact (identity);
CREATE INDEX contact_wa_id ON contact (wa_id) WHERE wa_id IS NOT NULL;
CREATE INDEX contact_lid ON contact (lid) WHERE lid IS NOT NULL;
CREATE INDEX contact_name_words ON contact USING gin (to_tsvector('simple', coalesce(name, '')));
CREATE INDEX contact_phone_prefix ON contact (phone text_pattern_ops);

CREATE INDEX inbox_undigested ON inbox (from_person, received_at, id) WHERE digested_at IS NULL;
CREATE INDEX inbox_parked ON inbox (parked_for) WHERE parked_for IS NOT NULL;
CREATE INDEX interaction_of_campaign ON interaction (campaign, id DESC);
CREATE INDEX interaction_of_recipient ON interaction (recipient);
CREATE INDEX interaction_of_contact ON interaction (contact);
CREATE INDEX event_of_subject ON event (subject_id, id);
CREATE INDEX event_of_campaign ON event (campaign, id) WHERE subject = 'campaign';
CREATE INDEX campaign_active ON campaign (sender, served_at)
    WHERE status IN ('scheduled', 'launching', 'sending', 'waiting', 'paused');
CREATE UNIQUE INDEX batch_open ON batch (sender) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX alert_open ON alert (kind, subject) WHERE resolved_at IS NULL;
"""

BACKWARDS = """
ALTER TABLE "sender" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "contact" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "category" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "contact_category" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "campaign" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "campaign_category" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "recipient" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "message" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "inbox" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "interaction" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "batch" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "alert" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "import" ALTER COLUMN id DROP DEFAULT;
DROP FUNCTION uuid7();
DROP INDEX recipient_of_campaign, message_of_campaign, message_failed, message_sent, alert_open, batch_open, campaign_active, event_of_campaign, event_of_subject, interaction_of_contact,
    interaction_of_recipient, interaction_of_campaign, inbox_parked, inbox_undigested, contact_phone_prefix,
    contact_name_words, contact_lid, contact_wa_id, contact_identity, recipient_of_contact, recipient_window,
    recipient_replied, recipient_open, message_settled, message_whatsapp_id, message_gateway_id, message_of_contact,
    message_1_open, message_in_doubt, message_2_due, message_due;
ALTER TABLE campaign_stats RESET (fillfactor);
ALTER TABLE recipient RESET (fillfactor);
ALTER TABLE message RESET (fillfactor);
"""


async def forwards() -> MigrationManager:
    """Create every index in a migration after the tables': raw SQL runs before table DDL in the same one."""
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
