-- Webhooks: stored before the 200, digested later, each with an outcome.

-- name: store_webhook$
-- Null where the event is here already.
INSERT INTO inbox (event_key, kind, device_id, from_person, fetched, body, digested_at, outcome, why)
VALUES (:event_key, :kind, :device_id, :from_person, false, :body, CASE WHEN :unreadable::text IS NULL THEN NULL ELSE now() END,
        CASE WHEN :unreadable::text IS NULL THEN NULL ELSE 'unreadable' END, :unreadable)
ON CONFLICT (event_key) DO NOTHING RETURNING id;

-- name: store_webhooks
-- Many at once, one commit. Those that are here already (or twice among these) are not returned again. In the order of their
-- keys: two groups that share some then wait for each other instead of dying of it.
INSERT INTO inbox (event_key, kind, device_id, from_person, fetched, body, digested_at, outcome, why)
SELECT event_key, kind, device_id, from_person, false, body, CASE WHEN unreadable IS NULL THEN NULL ELSE now() END,
       CASE WHEN unreadable IS NULL THEN NULL ELSE 'unreadable' END, unreadable
FROM unnest(:event_keys::text[], :kinds::text[], :device_ids::text[], :from_persons::bool[], :bodies::bytea[], :unreadable::text[])
    AS g(event_key, kind, device_id, from_person, body, unreadable)
ORDER BY event_key
ON CONFLICT (event_key) DO NOTHING RETURNING event_key, id;

-- name: store_fetched$
-- A received message read back from the gateway: null where its webhook had come.
INSERT INTO inbox (event_key, kind, device_id, from_person, fetched, body, why)
VALUES (:event_key, :kind, :device_id, true, true, :body, 'read back from the gateway: its webhook was missed')
ON CONFLICT (event_key) DO NOTHING RETURNING id;

-- name: heard_from^
-- Until when the inbound messages of a sender have been read back, and the moment before which there can be none.
SELECT s.id, s.device_id, s.heard_until, now() AS now,
       (SELECT min(c.launched_at) FROM campaign c WHERE c.sender = s.id) AS first_launch
FROM sender s WHERE s.id = :sender;

-- name: heard_until!
UPDATE sender SET heard_until = greatest(heard_until, :until) WHERE id = :sender;

-- name: lock_inbox^
-- The row, unless it has been digested or somebody else digests it this moment.
SELECT id, body, received_at, attempts FROM inbox WHERE id = :id AND digested_at IS NULL FOR UPDATE SKIP LOCKED;

-- name: undigested_from_people
SELECT id FROM inbox WHERE digested_at IS NULL AND from_person AND parked_for IS NULL
  AND received_at < now() - make_interval(secs => :older_than)
ORDER BY received_at LIMIT :many;

-- name: take_acknowledgements
-- One whose message is not known yet is looked at again after 2, 4, 8, … seconds.
SELECT id, body, received_at, attempts FROM inbox
WHERE digested_at IS NULL AND NOT from_person
  AND received_at <= now() - make_interval(secs => CASE WHEN attempts = 0 THEN 0 ELSE power(2, attempts) END)
ORDER BY received_at LIMIT :many FOR UPDATE SKIP LOCKED;

-- name: acknowledgements_wait$
SELECT EXISTS (SELECT FROM inbox
WHERE digested_at IS NULL AND NOT from_person
  AND received_at <= now() - make_interval(secs => CASE WHEN attempts = 0 THEN 0 ELSE power(2, attempts) END));

-- name: digested!
UPDATE inbox i SET digested_at = now(), outcome = g.outcome, why = g.why, parked_for = NULL
FROM unnest(:ids::uuid[], :outcomes::text[], :whys::text[]) AS g(id, outcome, why) WHERE i.id = g.id;

-- name: postpone!
UPDATE inbox SET attempts = attempts + 1 WHERE id = ANY(:ids::uuid[]) AND digested_at IS NULL;

-- name: park!
-- Waits until this message is no longer in doubt; whoever settles it wakes us.
UPDATE inbox SET parked_for = :message, why = :why WHERE id = :id AND digested_at IS NULL;

-- name: unpark
-- Inbox rows that waited for one of these messages.
UPDATE inbox SET parked_for = NULL WHERE parked_for = ANY(:messages::uuid[]) AND digested_at IS NULL RETURNING id;

-- name: unpark_settled
-- The safety net: rows whose message is settled though nobody woke them.
UPDATE inbox i SET parked_for = NULL FROM message m
WHERE m.id = i.parked_for AND i.digested_at IS NULL AND m.status <> 'sending' RETURNING i.id;

-- name: digestion_failed$
-- Five failures are an outcome too: the row is kept, with the reason.
UPDATE inbox SET attempts = attempts + 1,
    digested_at = CASE WHEN attempts >= 4 THEN now() END,
    outcome = CASE WHEN attempts >= 4 THEN 'failed' END, why = :why
WHERE id = :id AND digested_at IS NULL RETURNING attempts;

-- name: resolve_references
-- Which message is meant: by our reference, else by the gateway's id, else by WhatsApp's.
SELECT g.ord, m.id, m.round, m.phone = '' AS erased FROM unnest(:references::text[], :gateway_ids::text[], :message_ids::text[])
    WITH ORDINALITY AS g(reference, gateway_id, message_id, ord)
JOIN LATERAL (
    SELECT id, round, phone FROM message WHERE g.reference IS NOT NULL AND id = g.reference::uuid
    UNION ALL SELECT id, round, phone FROM message WHERE gateway_id = g.gateway_id
    UNION ALL SELECT id, round, phone FROM message WHERE whatsapp_message_id = g.message_id
    LIMIT 1
) m ON true;

-- name: hearing_mark$
-- Before this moment we have heard and digested everything this device had to say.
SELECT least(:read_back, coalesce(min(received_at), :read_back)) FROM inbox
WHERE digested_at IS NULL AND parked_for IS NULL AND from_person AND (device_id = :device OR device_id IS NULL);
