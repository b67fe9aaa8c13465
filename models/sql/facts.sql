-- What became of a promise. Each is one statement; locks go recipient by id, message by id, counters last.

-- name: accept
-- FACTS: the gateway has the message. Never fenced: they move it to sent from anywhere, and delivery never back.
-- Whoever first moves a message to an accepted status moves its recipient too, here and nowhere else.
WITH fact AS (
    SELECT * FROM unnest(:ids::uuid[], :statuses::text[], :times::timestamptz[], :gateway_ids::text[], :message_ids::text[],
                         :accept_ms::float8[], :whys::text[], :rounds::int[])
        AS f(id, status, at, gateway_id, message_id, accept_ms, why, round)
), person AS (
    SELECT r.id, r.state, r.failed_step FROM recipient r
    WHERE r.id IN (SELECT m.recipient FROM message m JOIN fact USING (id))
    ORDER BY r.id FOR NO KEY UPDATE
), locked AS (
    SELECT m.id, m.status, m.round, m.error_class FROM message m
    WHERE m.id IN (SELECT id FROM fact) AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE
), ranked AS (
    -- "Sent" of an older round is no news: that round may have expired in the gateway's queue. Nor is it after the
    -- gateway reported a failure: the two overtook each other. On the phone is on the phone.
    SELECT DISTINCT ON (f.id) f.*, l.status AS was,
           coalesce(array_position(ARRAY['sent', 'delivered', 'read'], f.status), 0) AS rank,
           coalesce(array_position(ARRAY['sent', 'delivered', 'read'], l.status), 0) AS rank_was
    FROM fact f JOIN locked l USING (id)
    WHERE f.status <> 'sent'
       OR (coalesce(f.round, l.round) = l.round AND NOT (l.status = 'failed' AND l.error_class = 'reported'))
    ORDER BY f.id, rank DESC
), moved AS (
    UPDATE message m SET
        status = CASE WHEN f.rank > f.rank_was THEN f.status ELSE f.was END,
        why = CASE WHEN f.rank > f.rank_was THEN f.why ELSE m.why END,
        moved_by = CASE WHEN f.rank > f.rank_was THEN :by ELSE m.moved_by END,
        sent_at = coalesce(m.sent_at, f.at),
        -- What left was promised, though a restored database may have forgotten it: an answer to it counts.
        promised_at = coalesce(m.promised_at, f.at),
        delivered_at = CASE WHEN f.rank >= 2 THEN coalesce(m.delivered_at, f.at) ELSE m.delivered_at END,
        read_at = CASE WHEN f.rank >= 3 THEN coalesce(m.read_at, f.at) ELSE m.read_at END,
        failed_at = NULL, error_class = NULL, error_text = NULL,
        gateway_id = coalesce(m.gateway_id, f.gateway_id),
        whatsapp_message_id = coalesce(m.whatsapp_message_id, f.message_id),
        accept_ms = coalesce(m.accept_ms, f.accept_ms)
    FROM ranked f
    WHERE m.id = f.id AND (f.rank > f.rank_was OR (m.gateway_id IS NULL AND f.gateway_id IS NOT NULL)
        OR (m.whatsapp_message_id IS NULL AND f.message_id IS NOT NULL) OR (m.accept_ms IS NULL AND f.accept_ms IS NOT NULL))
    RETURNING m.id, f.was, m.status, f.rank_was, m.step, m.recipient, m.campaign, m.contact, m.sender, m.phone, m.sent_at, m.why
), followed AS (
    UPDATE recipient r SET
        state = CASE moved.step WHEN 1 THEN 'awaiting_reply' ELSE 'followed_up' END,
        window_ends_at = CASE moved.step WHEN 1 THEN moved.sent_at + make_interval(secs => c.window_seconds) ELSE r.window_ends_at END,
        failed_step = NULL, why = moved.why, moved_by = :by
    FROM moved JOIN campaign c ON c.id = moved.campaign JOIN person p ON p.id = moved.recipient
    WHERE r.id = moved.recipient AND moved.rank_was = 0
      AND ((moved.step = 1 AND p.state IN ('queued', 'unconfirmed', 'cancelled'))
        OR (moved.step = 2 AND p.state = 'replied')
        OR (p.state = 'failed' AND p.failed_step = moved.step))
)
SELECT id, was, status, step, recipient, campaign, contact, sender, phone, sent_at FROM moved;

-- name: give_back
-- AUTHORITY: it never left (or is proven absent), it will be sent again. Only the promise named by (id, attempt).
WITH given AS (
    SELECT * FROM unnest(:ids::uuid[], :attempts::int[], :waits::float8[], :used_retry::int[], :refund::bool[],
                         :error_classes::text[], :error_texts::text[], :whys::text[])
        AS g(id, attempt, wait, used_retry, refund, error_class, error_text, why)
), person AS (
    SELECT r.id, r.state FROM recipient r
    WHERE r.id IN (SELECT m.recipient FROM message m JOIN given USING (id))
    ORDER BY r.id FOR NO KEY UPDATE
), locked AS (
    SELECT m.id, m.quota_day, m.sender FROM message m JOIN given g ON g.id = m.id AND g.attempt = m.attempt
    WHERE m.status IN ('sending', 'unconfirmed') AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE OF m
), moved AS (
    UPDATE message m SET status = 'pending', next_at = now() + make_interval(secs => g.wait), retries = m.retries + g.used_retry,
        error_class = g.error_class, error_text = g.error_text, why = g.why, moved_by = :by
    FROM locked l JOIN given g USING (id) WHERE m.id = l.id
    RETURNING m.id, m.recipient, m.step, m.campaign, m.contact, m.phone, m.retries, g.refund, l.quota_day, l.sender
), followed AS (
    UPDATE recipient r SET state = 'queued', why = 'Message 1 will be sent again', moved_by = :by
    FROM moved JOIN person p ON p.id = moved.recipient
    WHERE r.id = moved.recipient AND moved.step = 1 AND p.state = 'unconfirmed'
), refunded AS (
    UPDATE quota_day q SET used = greatest(0, q.used - d.many)
    FROM (SELECT sender, quota_day AS day, count(*)::int AS many FROM moved WHERE refund GROUP BY 1, 2 ORDER BY 1, 2) d
    WHERE q.sender = d.sender AND q.day = d.day
)
SELECT id, recipient, step, campaign, contact, phone, retries FROM moved;

-- name: expire
-- The gateway let it expire in its queue: it never left. Sent again in a new round, until the retries are used up.
WITH given AS (
    SELECT * FROM unnest(:ids::uuid[], :rounds::int[]) AS g(id, round)
), person AS (
    SELECT r.id, r.state FROM recipient r
    WHERE r.id IN (SELECT m.recipient FROM message m JOIN given USING (id))
    ORDER BY r.id FOR NO KEY UPDATE
), locked AS (
    SELECT m.id, m.quota_day, m.retries >= :most_retries AS enough FROM message m JOIN given g ON g.id = m.id AND g.round = m.round
    WHERE m.status IN ('sending', 'unconfirmed', 'sent') AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE OF m
), moved AS (
    UPDATE message m SET status = CASE WHEN l.enough THEN 'failed' ELSE 'pending' END, next_at = now(),
        round = m.round + 1, retries = m.retries + (NOT l.enough)::int, sent_at = NULL, gateway_id = NULL,
        whatsapp_message_id = NULL, accept_ms = NULL, failed_at = CASE WHEN l.enough THEN now() END,
        error_class = 'expired', error_text = 'expired in the gateway''s queue: it never left',
        why = 'expired in the gateway''s queue: it never left', moved_by = :by
    FROM locked l WHERE m.id = l.id
    RETURNING m.id, m.recipient, m.step, m.campaign, m.contact, m.phone, m.sender, l.quota_day, l.enough
), followed AS (
    UPDATE recipient r SET state = CASE WHEN moved.enough THEN 'failed' WHEN moved.step = 1 THEN 'queued' ELSE 'replied' END,
        failed_step = CASE WHEN moved.enough THEN moved.step END,
        window_ends_at = CASE WHEN moved.step = 1 THEN NULL ELSE r.window_ends_at END,
        why = 'expired in the gateway''s queue', moved_by = :by
    FROM moved JOIN person p ON p.id = moved.recipient
    WHERE r.id = moved.recipient
      AND ((moved.step = 1 AND p.state IN ('awaiting_reply', 'unconfirmed')) OR (moved.step = 1 AND moved.enough AND p.state = 'queued')
        OR (moved.step = 2 AND (p.state = 'followed_up' OR (moved.enough AND p.state = 'replied'))))
), refunded AS (
    UPDATE quota_day q SET used = greatest(0, q.used - d.many)
    FROM (SELECT sender, quota_day AS day, count(*)::int AS many FROM moved GROUP BY 1, 2 ORDER BY 1, 2) d
    WHERE q.sender = d.sender AND q.day = d.day
)
SELECT id, step, campaign, contact, phone FROM moved;

-- name: end_attempts!
-- The process that promised saw its call end without an answer. Not a move: the retrier decides.
UPDATE message m SET ended_at = now(), error_class = 'unknown', error_text = g.error_text
FROM unnest(:ids::uuid[], :attempts::int[], :error_texts::text[]) AS g(id, attempt, error_text)
WHERE m.id = g.id AND m.attempt = g.attempt AND m.status = 'sending';

-- name: note_absent!
-- First look-up that proved nothing was there; a second one, later, settles it.
UPDATE message m SET absent_at = coalesce(m.absent_at, now())
FROM unnest(:ids::uuid[], :attempts::int[]) AS g(id, attempt)
WHERE m.id = g.id AND m.attempt = g.attempt AND m.status IN ('sending', 'unconfirmed');

-- name: retry_unconfirmed$
-- A person decides that it did not arrive: sent again under a new reference. Null: it is no longer unconfirmed.
WITH person AS (
    SELECT id, state FROM recipient WHERE id = :recipient FOR NO KEY UPDATE
), locked AS (
    SELECT m.id FROM message m, person WHERE m.recipient = person.id AND m.status = 'unconfirmed' FOR NO KEY UPDATE OF m
), moved AS (
    UPDATE message m SET status = 'pending', round = m.round + 1, next_at = now(), absent_at = NULL, ended_at = NULL,
        why = 'a person decided to send it again', moved_by = :by
    FROM locked WHERE m.id = locked.id RETURNING m.id, m.step
), followed AS (
    UPDATE recipient r SET state = 'queued', why = 'a person decided to send Message 1 again', moved_by = :by
    FROM moved, person WHERE r.id = person.id AND person.state = 'unconfirmed' AND moved.step = 1
)
SELECT id FROM moved;

-- name: unconfirmed_message^
SELECT id, step, promised_at, campaign, sender FROM message WHERE recipient = :recipient AND status = 'unconfirmed';

-- name: doubt
-- AUTHORITY: nobody can tell. Shown, alerted, and left to a proof or a person.
WITH given AS (
    SELECT * FROM unnest(:ids::uuid[], :attempts::int[], :whys::text[]) AS g(id, attempt, why)
), person AS (
    SELECT r.id, r.state FROM recipient r
    WHERE r.id IN (SELECT m.recipient FROM message m JOIN given USING (id))
    ORDER BY r.id FOR NO KEY UPDATE
), locked AS (
    SELECT m.id FROM message m JOIN given g ON g.id = m.id AND g.attempt = m.attempt
    WHERE m.status = 'sending' AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE OF m
), moved AS (
    UPDATE message m SET status = 'unconfirmed', why = g.why, moved_by = :by
    FROM locked l JOIN given g USING (id) WHERE m.id = l.id
    RETURNING m.id, m.recipient, m.step, m.campaign, m.contact, m.phone, m.why
), followed AS (
    UPDATE recipient r SET state = 'unconfirmed', why = moved.why, moved_by = :by
    FROM moved JOIN person p ON p.id = moved.recipient
    WHERE r.id = moved.recipient AND moved.step = 1 AND p.state = 'queued'
)
SELECT id, step, campaign, contact, phone FROM moved;

-- name: fail
-- It will not be tried again by us. Fenced by the attempt where the one who says so made the promise (else null);
-- by the round where the gateway says so (else null).
WITH given AS (
    SELECT * FROM unnest(:ids::uuid[], :attempts::int[], :rounds::int[], :error_classes::text[], :error_texts::text[])
        AS g(id, attempt, round, error_class, error_text)
), person AS (
    SELECT r.id, r.state FROM recipient r
    WHERE r.id IN (SELECT m.recipient FROM message m JOIN given USING (id))
    ORDER BY r.id FOR NO KEY UPDATE
), locked AS (
    SELECT m.id FROM message m JOIN given g ON g.id = m.id
        AND (g.attempt IS NULL OR g.attempt = m.attempt) AND (g.round IS NULL OR g.round = m.round)
    WHERE m.status IN ('pending', 'sending', 'unconfirmed', 'sent') AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE OF m
), moved AS (
    UPDATE message m SET status = 'failed', failed_at = now(), error_class = g.error_class, error_text = g.error_text,
        why = g.error_text, moved_by = :by
    FROM locked l JOIN given g USING (id) WHERE m.id = l.id
    RETURNING m.id, m.recipient, m.step, m.campaign, m.contact, m.phone, m.sender, m.error_class, m.error_text
), followed AS (
    UPDATE recipient r SET state = 'failed', failed_step = moved.step, why = moved.error_text, moved_by = :by
    FROM moved JOIN person p ON p.id = moved.recipient
    WHERE r.id = moved.recipient
      AND ((moved.step = 1 AND p.state IN ('queued', 'unconfirmed', 'awaiting_reply'))
        OR (moved.step = 2 AND p.state IN ('replied', 'followed_up')))
)
SELECT id, step, campaign, contact, phone, sender, error_class, error_text FROM moved;

-- name: cancel_pending$
-- One bounded step: what a cancelled campaign has not promised yet is not sent any more. Returns how many.
WITH chosen AS (
    (SELECT id, recipient FROM message WHERE campaign = :campaign AND status = 'pending' AND step = 1
     ORDER BY next_at, id LIMIT :many)
    UNION ALL
    (SELECT id, recipient FROM message WHERE campaign = :campaign AND status = 'pending' AND step = 2 LIMIT :many)
    LIMIT :many
), person AS (
    SELECT r.id, r.state FROM recipient r WHERE r.id IN (SELECT recipient FROM chosen) ORDER BY r.id FOR NO KEY UPDATE
), locked AS (
    SELECT m.id FROM message m
    WHERE m.id IN (SELECT id FROM chosen) AND m.status = 'pending' AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE
), moved AS (
    UPDATE message m SET status = 'cancelled', why = :why, moved_by = :by FROM locked l WHERE m.id = l.id
    RETURNING m.recipient, m.step
), followed AS (
    UPDATE recipient r SET state = 'cancelled', why = :why, moved_by = :by
    FROM moved JOIN person p ON p.id = moved.recipient
    WHERE r.id = moved.recipient AND moved.step = 1 AND p.state IN ('queued', 'unconfirmed')
)
SELECT count(*) FROM moved;

-- name: cancel_stopped$
-- Pending rows of people who opted out meanwhile (one bounded step for one campaign). Returns how many.
WITH chosen AS (
    SELECT m.id, m.recipient FROM message m JOIN contact c ON c.id = m.contact
    WHERE m.campaign = :campaign AND m.status = 'pending' AND c.opted_out_at IS NOT NULL ORDER BY m.id LIMIT :many
), person AS (
    SELECT r.id, r.state FROM recipient r WHERE r.id IN (SELECT recipient FROM chosen) ORDER BY r.id FOR NO KEY UPDATE
), locked AS (
    SELECT m.id FROM message m
    WHERE m.id IN (SELECT id FROM chosen) AND m.status = 'pending' AND (SELECT count(*) FROM person) >= 0
    ORDER BY m.id FOR NO KEY UPDATE
), moved AS (
    UPDATE message m SET status = 'cancelled', why = 'the contact opted out', moved_by = :by FROM locked l WHERE m.id = l.id
    RETURNING m.recipient
), followed AS (
    UPDATE recipient r SET state = 'opted_out', why = 'the contact opted out', moved_by = :by
    FROM moved JOIN person p ON p.id = moved.recipient
    WHERE r.id = moved.recipient AND p.state IN ('queued', 'unconfirmed', 'awaiting_reply', 'replied')
)
SELECT count(*) FROM moved;
