-- Tests of a campaign: promised once, called once, recorded; what nobody can tell is unconfirmed and never sent again.

-- name: add_trial$
-- Null: this text is on its way to this phone already.
INSERT INTO trial (campaign, sender, step, phone, identity, text, media, why)
VALUES (:campaign, :sender, :step, :phone, :identity, :text, :media::jsonb, 'waits for a worker')
ON CONFLICT (campaign, phone, step) WHERE status IN ('pending', 'sending') DO NOTHING RETURNING id;

-- name: read_trial^
SELECT * FROM trial WHERE id = :trial;

-- name: list_trials
SELECT * FROM trial WHERE campaign = :campaign AND (:before::uuid IS NULL OR id < :before) ORDER BY id DESC LIMIT :many;

-- name: trial_at_work^
-- What a worker needs to know of it; ages in seconds of the database's clock.
SELECT t.*, s.device_id, s.time_zone, s.daily_limit, s.state AS sender_state, now() AS now,
       extract(epoch FROM now() - t.created_at)::float8 AS waited,
       extract(epoch FROM now() - t.promised_at)::float8 AS promised_for
FROM trial t JOIN sender s ON s.id = t.sender WHERE t.id = :trial;

-- name: media_of_trial$
-- What the campaign's text carries just now, the gateway's copy of an uploaded file included.
SELECT CASE t.step WHEN 1 THEN c.media_1 ELSE c.media_2 END FROM trial t JOIN campaign c ON c.id = t.campaign WHERE t.id = :trial;

-- name: due_trials
-- Those nobody took, and promises whose call must be over by now.
SELECT id FROM trial
WHERE (status = 'pending' AND created_at < now() - make_interval(secs => :older_than))
   OR (status = 'sending' AND promised_at < now() - make_interval(secs => :overdue))
LIMIT :many;

-- name: promise_trial^
-- THE PROMISE: pending -> sending, the quota charged, the person's word read under its own lock. There is only one.
WITH person AS (
    SELECT opted_out_at FROM contact
    WHERE identity = (SELECT identity FROM trial WHERE id = :trial) ORDER BY id FOR NO KEY UPDATE
), allowed AS (
    SELECT NOT EXISTS (SELECT FROM person WHERE opted_out_at IS NOT NULL) AS yes
), quota AS (
    SELECT q.used FROM quota_day q, allowed WHERE q.sender = :sender AND q.day = :day AND allowed.yes FOR UPDATE OF q
), promised AS (
    UPDATE trial t SET status = 'sending', promised_at = now(), process = :process, quota_day = :day, why = 'being sent'
    FROM quota, sender s
    WHERE t.id = :trial AND t.status = 'pending' AND quota.used < :quota AND s.id = t.sender
      AND s.state IN ('ready', 'degraded')
    RETURNING t.id
), charged AS (
    UPDATE quota_day SET used = used + 1 WHERE sender = :sender AND day = :day AND EXISTS (SELECT FROM promised)
)
SELECT id FROM promised;

-- name: opted_out_of_trial$
SELECT EXISTS (SELECT FROM contact WHERE identity = :identity AND opted_out_at IS NOT NULL);

-- name: settle_trial!
-- What became of it. ``refund``: it never left, the day gets its place back.
WITH moved AS (
    UPDATE trial SET status = :status, why = :why, gateway_id = coalesce(gateway_id, :gateway_id),
        whatsapp_message_id = coalesce(whatsapp_message_id, :message_id),
        sent_at = CASE WHEN :status = 'sent' THEN coalesce(sent_at, now()) ELSE sent_at END
    WHERE id = :trial AND status = ANY(:old::text[])
    RETURNING sender, quota_day
)
UPDATE quota_day q SET used = greatest(0, q.used - 1) FROM moved
WHERE :refund::bool AND q.sender = moved.sender AND q.day = moved.quota_day;

-- name: acknowledge_trials
-- What the gateway says of tests later: forward only; a failure it reports after all counts unless it arrived.
WITH told AS (
    SELECT * FROM unnest(:trials::uuid[], :gateway_ids::text[], :message_ids::text[], :statuses::text[], :whys::text[])
        WITH ORDINALITY AS g(trial, gateway_id, message_id, status, why, ord)
), known AS (
    SELECT DISTINCT ON (told.ord) told.ord, t.id, told.status, told.why,
           array_position(ARRAY['unconfirmed', 'sending', 'sent', 'failed', 'delivered', 'read'], t.status) AS was,
           array_position(ARRAY['unconfirmed', 'sending', 'sent', 'failed', 'delivered', 'read'], told.status) AS rank
    FROM told JOIN trial t ON t.id = told.trial OR t.gateway_id = told.gateway_id OR t.whatsapp_message_id = told.message_id
), furthest AS (
    SELECT DISTINCT ON (id) * FROM known WHERE rank > coalesce(was, 0) ORDER BY id, rank DESC
), moved AS (
    UPDATE trial t SET status = f.status, why = f.why,
        sent_at = CASE WHEN f.status = 'failed' THEN t.sent_at ELSE coalesce(t.sent_at, now()) END
    FROM furthest f WHERE t.id = f.id AND t.promised_at IS NOT NULL
)
SELECT ord FROM known;

-- name: texts_for_phone^
-- Whose name and attributes a test may use.
SELECT name, attributes FROM contact WHERE phone = :phone;
