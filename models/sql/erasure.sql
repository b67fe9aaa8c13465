-- Erasure of a person: what names them goes, what is counted stays, and a hash keeps them from coming back.

-- name: erase_messages!
-- Recipients by id, messages by id; no status moves here, so no counter is locked.
WITH person AS (
    SELECT r.id FROM recipient r WHERE r.contact = ANY(:contacts::uuid[]) ORDER BY r.id FOR NO KEY UPDATE
), anonymous AS (
    UPDATE recipient r SET identity = 'erased:' || r.contact FROM person p WHERE r.id = p.id
), locked AS (
    SELECT m.id FROM message m WHERE m.contact = ANY(:contacts::uuid[]) AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE
)
UPDATE message m SET phone = '', text = '', media = NULL,
    error_text = regexp_replace(m.error_text, '[0-9]{7,}', '•••', 'g'),
    whatsapp_message_id = CASE WHEN m.whatsapp_message_id ~ '@' THEN NULL ELSE m.whatsapp_message_id END
FROM locked l WHERE m.id = l.id;

-- name: erase_interactions!
-- What they wrote, here and in the webhooks it came in. That they answered, how and when, stays.
WITH emptied AS (
    UPDATE inbox i SET body = '' FROM interaction x
    WHERE x.contact = ANY(:contacts::uuid[]) AND i.id = x.inbox AND i.digested_at IS NOT NULL
)
UPDATE interaction SET body = NULL, whatsapp_message_id = '', quoted_id = NULL, fingerprint = NULL WHERE contact = ANY(:contacts::uuid[]);

-- name: erase_trials!
-- Tests that went to their phone; one under way is still recorded, by its id.
UPDATE trial SET phone = 'erased:' || id, identity = '', text = '', media = NULL WHERE identity = ANY(:identities::text[]) AND status <> 'pending';

-- name: drop_pending_trials!
DELETE FROM trial WHERE identity = ANY(:identities::text[]) AND status = 'pending';

-- name: erase_contacts!
WITH left_ AS (
    DELETE FROM contact_category WHERE contact = ANY(:contacts::uuid[])
)
UPDATE contact SET phone = NULL, identity = 'erased:' || id, wa_id = NULL, lid = NULL, name = NULL, attributes = '{}',
    consent_source = NULL, opted_out_at = coalesce(opted_out_at, now()), erased_at = now(), updated_at = now()
WHERE id = ANY(:contacts::uuid[]);

-- name: add_stops
-- Each with the digits that stored webhooks still have to lose.
INSERT INTO stop_entry AS s (hash, trace) SELECT hash, trace FROM unnest(:hashes::text[], :traces::text[]) AS g(hash, trace)
ORDER BY hash ON CONFLICT (hash) DO UPDATE SET trace = excluded.trace, made_at = now() RETURNING id;

-- name: stopped
SELECT hash FROM stop_entry WHERE hash = ANY(:hashes::text[]);

-- name: unfinished_erasures
-- Looked at once more when whatever was under way at the erasure has long been written.
SELECT id FROM stop_entry WHERE trace IS NOT NULL AND made_at < now() - make_interval(secs => :settled) LIMIT :many;

-- name: read_stop^
SELECT id, trace, made_at < now() - make_interval(secs => :settled) AS settled FROM stop_entry WHERE id = :id AND trace IS NOT NULL;

-- name: end_erasure!
UPDATE stop_entry SET trace = NULL WHERE id = :id;

-- name: erase_webhooks^
-- One bounded step over the stored webhooks, by key: those that hold any of these digits lose their body, unless nobody
-- has digested them yet. Last is null behind the end.
WITH step AS (
    SELECT id, digested_at, EXISTS (SELECT FROM unnest(:digits::bytea[]) AS d WHERE position(d IN body) > 0) AS hit
    FROM inbox WHERE id > :after ORDER BY id LIMIT :many
), emptied AS (
    UPDATE inbox i SET body = '' FROM step WHERE i.id = step.id AND step.hit AND i.digested_at IS NOT NULL
)
SELECT (SELECT id FROM step ORDER BY id DESC LIMIT 1) AS last, count(*) FILTER (WHERE hit AND digested_at IS NULL) AS waiting
FROM step;

-- name: empty_webhooks!
-- Of people who were erased nothing is kept, whenever it comes.
UPDATE inbox SET body = '' WHERE id = ANY(:ids::uuid[]);

-- name: messages_of_contact
SELECT m.id, m.campaign AS campaign_id, c.name AS campaign, 'message_' || m.step AS message_type, m.status, m.text AS content,
       m.phone, m.created_at, m.sent_at, m.delivered_at, m.read_at, m.error_text AS error_message, r.state, r.why AS reason
FROM message m JOIN recipient r ON r.id = m.recipient LEFT JOIN campaign c ON c.id = m.campaign
WHERE m.contact = ANY(:contacts::uuid[]) AND m.id > :after ORDER BY m.id LIMIT :many;

-- name: interactions_of_contact
SELECT id, campaign AS campaign_id, type, body, at, received_at, in_window, outcome, why AS reason
FROM interaction WHERE contact = ANY(:contacts::uuid[]) AND id > :after ORDER BY id LIMIT :many;

-- name: contacts_of_person
-- Every spelling of one person, with the names of its categories.
SELECT c.id, c.phone, c.wa_id, c.lid, c.name, c.attributes, c.opted_out_at, c.consent_source, c.created_at, c.updated_at,
       ARRAY(SELECT g.name FROM contact_category x JOIN category g ON g.id = x.category WHERE x.contact = c.id ORDER BY g.name)
           AS categories
FROM contact c WHERE c.identity = :identity OR c.lid = :lid::text ORDER BY c.id;

-- name: erased_but_named
-- Recently erased people with a message that came into being from what was read before.
SELECT DISTINCT c.id FROM contact c JOIN message m ON m.contact = c.id
WHERE c.erased_at > now() - make_interval(secs => :within) AND m.phone <> '';
