"""Functions, keys, fill factors and indexes: what Piccolo's tables cannot say."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models.tables.messages import Message

ID = "2026-11-20T08:00:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "functions, keys, fill factors, indexes"

FORWARDS = """
-- Time-ordered keys for rows that SQL makes (PostgreSQL has its own uuidv7() from 18 on).
CREATE FUNCTION uuid7() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
        52, 1), 53, 1), 'hex')::uuid
$$;
-- Whether this very server holds the lock of a process. One that was restored, or promoted behind the process's back,
-- does not: what it remembers and what the gateway knows may differ.
CREATE FUNCTION process_lives(process uuid) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted
                   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                   AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(process::text, 0))
$$;
-- Changes whenever the table of locks is lost: by a restart, by a crash of one backend (which resets the statistics),
-- and it is another one on a standby or a restored copy.
CREATE FUNCTION server_run() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('/', extract(epoch FROM pg_postmaster_start_time()),
                     extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time()))
$$;
ALTER TABLE "alert" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "api_key" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "app_user" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "attachment" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "audit" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "batch" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "campaign" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "campaign_category" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "category" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "contact" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "contact_category" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "import" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "inbox" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "interaction" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "message" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "recipient" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "sender" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "stop_entry" ALTER COLUMN id SET DEFAULT uuid7();
ALTER TABLE "trial" ALTER COLUMN id SET DEFAULT uuid7();

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
-- The newest promises of a number: its rolling caps, its last attempts, its days.
CREATE INDEX message_of_sender ON message (sender, promised_at DESC) WHERE promised_at IS NOT NULL;
-- What waits for another reason than a retry: let go when the reason is over.
CREATE INDEX message_held ON message (campaign, held) WHERE status = 'pending' AND held IS NOT NULL;
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
CREATE INDEX message_opened ON message (sender, promised_at) WHERE step = 1 AND promised_at IS NOT NULL;
-- Erasures whose traces are still in stored webhooks.
CREATE INDEX stop_entry_traced ON stop_entry (made_at) WHERE trace IS NOT NULL;
-- People erased lately: what was under way then is looked at once more.
CREATE INDEX contact_erased ON contact (erased_at) WHERE erased_at IS NOT NULL;
CREATE INDEX rejected_row_of_upload ON rejected_row (upload, id);
-- "Ends in 4567": the prefix of the phone read backwards.
CREATE INDEX contact_phone_suffix ON contact (reverse(phone) text_pattern_ops);
-- Who may not be written to: counted and listed.
CREATE INDEX contact_opted_out ON contact (id) WHERE opted_out_at IS NOT NULL AND erased_at IS NULL;
-- Members of a category, counted and listed without the table.
CREATE INDEX contact_category_members ON contact_category (category, contact);
-- Interactions of one type, newest first.
CREATE INDEX interaction_of_type ON interaction (type, id DESC);
-- Messages by a status that few have at a time; acknowledgements move no row in or out of these.
CREATE INDEX message_rare ON message (status, id) WHERE status IN ('pending', 'sending', 'unconfirmed', 'failed', 'cancelled');
CREATE INDEX message_rare_of_campaign ON message (campaign, status, id)
    WHERE status IN ('pending', 'sending', 'unconfirmed', 'failed', 'cancelled');
-- People of a campaign by what became of them.
CREATE INDEX recipient_by_state ON recipient (campaign, state, id);
-- By a range, as the list of silent people's messages asks (see rare_messages).
CREATE INDEX recipient_silent ON recipient (state, id) WHERE state >= 'no_interaction' AND state <= 'no_interaction';
"""

BACKWARDS = """
DROP INDEX message_due, message_2_due, message_in_doubt, message_1_open, message_of_contact, message_gateway_id,
    message_whatsapp_id, message_sent, message_settled, message_failed, message_of_campaign,
    recipient_of_campaign, recipient_open, recipient_replied, recipient_window, recipient_of_contact,
    contact_identity, contact_wa_id, contact_lid, contact_name_words, contact_phone_prefix, inbox_undigested,
    inbox_parked, interaction_of_campaign, interaction_of_recipient, interaction_of_contact, event_of_subject,
    event_of_campaign, campaign_active, batch_open, alert_open, message_of_sender, message_held, trial_open,
    trial_of_campaign, trial_under_way, trial_reserved, trial_gateway_id, trial_whatsapp_id, message_planned,
    interaction_same_text, message_opened, stop_entry_traced, contact_erased, rejected_row_of_upload,
    contact_phone_suffix, contact_opted_out, contact_category_members, interaction_of_type, message_rare,
    message_rare_of_campaign, recipient_by_state, recipient_silent;
ALTER TABLE "alert" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "api_key" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "app_user" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "attachment" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "audit" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "batch" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "campaign" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "campaign_category" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "category" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "contact" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "contact_category" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "import" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "inbox" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "interaction" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "message" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "recipient" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "sender" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "stop_entry" ALTER COLUMN id DROP DEFAULT;
ALTER TABLE "trial" ALTER COLUMN id DROP DEFAULT;
DROP FUNCTION server_run();
DROP FUNCTION process_lives(uuid);
DROP FUNCTION uuid7();
ALTER TABLE campaign_stats RESET (fillfactor);
ALTER TABLE message RESET (fillfactor);
ALTER TABLE recipient RESET (fillfactor);
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
