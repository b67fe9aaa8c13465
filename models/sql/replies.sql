-- The reply: whom it answers, what it changes, and the one row of Message 2.

-- name: lock_contacts
-- Everybody who may be this person, locked in order: opt-out, promise and reply of one person take turns.
SELECT id, phone, identity, name, attributes, wa_id, lid, opted_out_at FROM contact
WHERE identity = :identity::text OR lid = :lid::text
ORDER BY id FOR NO KEY UPDATE;

-- name: add_contact_identity!
-- What the gateway showed us of a contact we know: its hidden id, its JID.
UPDATE contact SET lid = coalesce(lid, :lid), wa_id = coalesce(wa_id, :wa_id)
WHERE id = :contact AND ((lid IS NULL AND :lid::text IS NOT NULL) OR (wa_id IS NULL AND :wa_id::text IS NOT NULL));

-- name: answered_message^
-- The Message 1 that this inbound answers: the quoted one, else the latest promised by the device that received it.
-- Locks both rows, so that whoever records the send waits for us, or we see what was recorded.
SELECT m.id AS message, m.status, m.promised_at, m.sent_at, m.delivered_at, c.answer_automatic, m.recipient, m.campaign, m.contact, m.phone, r.state, r.identity,
       c.message_2, c.media_2, c.window_seconds, c.status AS campaign_status, c.holds, c.name AS campaign_name
FROM message m JOIN recipient r ON r.id = m.recipient JOIN campaign c ON c.id = m.campaign
WHERE m.contact = ANY(:contacts::uuid[]) AND m.sender = :sender AND m.step = 1
  AND m.promised_at IS NOT NULL AND m.status NOT IN ('pending', 'cancelled')
ORDER BY ((m.whatsapp_message_id = :quoted::text) IS TRUE) DESC,
         (m.status <> 'failed') DESC, coalesce(m.sent_at, m.promised_at) DESC
LIMIT 1 FOR NO KEY UPDATE OF r, m;

-- name: add_interaction$
-- Once per inbox row, whoever digests it how often.
INSERT INTO interaction (inbox, contact, sender, campaign, recipient, type, body, whatsapp_message_id, quoted_id, at, received_at,
                         in_window, outcome, why)
VALUES (:inbox, :contact, :sender, :campaign, :recipient, :type, :body, :message_id, :quoted_id, :at, :received_at, :in_window,
        :outcome, :why)
ON CONFLICT (inbox) DO UPDATE SET campaign = excluded.campaign, recipient = excluded.recipient,
    in_window = excluded.in_window, outcome = excluded.outcome, why = excluded.why
RETURNING id;

-- name: record_reply^
-- THE DECISION of Message 2: the recipient becomes replied and the row of Message 2 comes into being, in one statement.
-- There can be only one such row; whoever finds it there has lost the race and sends nothing.
WITH moved AS (
    UPDATE recipient SET state = :state, replied_at = least(replied_at, :at), why = :why, moved_by = 'reply'
    WHERE id = :recipient AND state = ANY(:from_states::text[])
    RETURNING id, campaign, contact
), second AS (
    INSERT INTO message (recipient, campaign, contact, sender, step, phone, text, media, why, moved_by)
    SELECT moved.id, moved.campaign, moved.contact, :sender, 2, :phone, :text, :media::jsonb, 'a reply in its window', 'reply'
    FROM moved WHERE :text::text IS NOT NULL
    ON CONFLICT (recipient, step) DO NOTHING
    RETURNING id
)
SELECT (SELECT id FROM moved) AS recipient, (SELECT id FROM second) AS message_2;

-- name: opt_out
-- STOP: everywhere, at once. What is pending for this person is cancelled, whatever the campaign.
WITH person AS (
    SELECT r.id, r.state FROM recipient r WHERE r.contact = ANY(:contacts::uuid[]) ORDER BY r.id FOR NO KEY UPDATE
), stopped AS (
    UPDATE contact SET opted_out_at = coalesce(opted_out_at, now()), updated_at = now() WHERE id = ANY(:contacts::uuid[])
), locked AS (
    SELECT m.id FROM message m
    WHERE m.contact = ANY(:contacts::uuid[]) AND m.status = 'pending' AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE
), moved AS (
    UPDATE message m SET status = 'cancelled', why = :why, moved_by = :by FROM locked l WHERE m.id = l.id RETURNING m.id
), followed AS (
    UPDATE recipient r SET state = 'opted_out', why = :why, moved_by = :by,
        replied_at = CASE WHEN r.id = :recipient THEN coalesce(r.replied_at, :at) ELSE r.replied_at END
    FROM person p
    WHERE r.id = p.id AND (p.state IN ('queued', 'unconfirmed', 'awaiting_reply', 'replied')
        OR (p.state = 'no_interaction' AND NOT :keep_silent::bool))
    RETURNING r.id, r.campaign
)
SELECT id, campaign FROM followed;

-- name: opt_in!
UPDATE contact SET opted_out_at = NULL, updated_at = now() WHERE id = :contact;

-- name: promise_message_2^
-- THE PROMISE of Message 2: pending -> sending with the contact's word read under its own lock and the quota charged.
-- Not while its campaign is held or cancelled; up to the allowance above the limit.
-- The server that commits it must hold the lock of the process that makes it, as for Message 1.
WITH known AS (
    SELECT process_lives(:process) AS here
), who AS (
    SELECT c.id FROM contact c JOIN message m ON m.contact = c.id
    WHERE (SELECT here FROM known) AND m.id = :message AND c.opted_out_at IS NULL FOR NO KEY UPDATE OF c
), quota AS (
    SELECT q.used FROM quota_day q, who WHERE q.sender = :sender AND q.day = :day FOR UPDATE OF q
), chosen AS (
    SELECT m.id, c.media_2 FROM message m JOIN campaign c ON c.id = m.campaign JOIN sender s ON s.id = m.sender, who, quota
    WHERE m.id = :message AND m.step = 2 AND m.status = 'pending' AND m.next_at <= now() AND quota.used < :quota
      AND c.status <> 'cancelled' AND NOT (c.status = 'paused' AND c.holds = 'all') AND s.state IN ('ready', 'degraded')
    FOR SHARE OF c FOR NO KEY UPDATE OF m SKIP LOCKED
), promised AS (
    UPDATE message m SET status = 'sending', attempt = m.attempt + 1, promised_at = now(), process = :process,
        ended_at = NULL, absent_at = NULL, error_class = NULL, error_text = NULL, quota_day = :day,
        why = 'promised for a reply', moved_by = 'reply'
    FROM chosen WHERE m.id = chosen.id
    RETURNING m.id, m.recipient, m.campaign, m.contact, m.sender, m.phone, m.text, m.media, m.attempt, m.retries, m.round
), charged AS (
    UPDATE quota_day SET used = used + 1 WHERE sender = :sender AND day = :day AND EXISTS (SELECT FROM promised)
)
SELECT * FROM promised;

-- name: message_2_address^
SELECT m.id, m.campaign, m.sender, m.status, s.device_id, s.time_zone, s.daily_limit,
       greatest(0, coalesce(extract(epoch FROM now() - r.replied_at), 0))::float8 AS since_reply
FROM message m JOIN sender s ON s.id = m.sender JOIN recipient r ON r.id = m.recipient WHERE m.id = :message;

-- name: defer_message!
-- Not today: tried again then. Not a move, the row stays pending.
UPDATE message SET next_at = :at, why = :why WHERE id = :message AND status = 'pending';
