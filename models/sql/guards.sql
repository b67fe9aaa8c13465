-- What keeps a number alive: its maturity, its warm-up, its new conversations, and whether it is still heard of.

-- name: age_of^
-- First used as a person says, else on the first day we know of.
SELECT s.mature, s.time_zone, least(s.first_used_at, (
           SELECT min(day)::timestamp AT TIME ZONE s.time_zone FROM quota_day WHERE sender = s.id AND used > 0)) AS first_used_at
FROM sender s WHERE s.id = :sender;

-- name: maturity_facts^
-- Rates over the last attempts, and over the last conversations whose window has ended: an open one says nothing yet.
WITH tried AS (
    SELECT m.status, m.retries, m.error_class FROM message m
    WHERE m.sender = :sender AND m.promised_at IS NOT NULL ORDER BY m.promised_at DESC LIMIT :recent
), written AS (
    SELECT m.recipient FROM message m
    WHERE m.sender = :sender AND m.step = 1 AND m.sent_at < now() - make_interval(secs => :window)
      AND EXISTS (SELECT FROM recipient r WHERE r.id = m.recipient AND r.window_ends_at < now())
    ORDER BY m.sent_at DESC LIMIT :recent
), conversations AS (
    SELECT count(*) AS opened, count(*) FILTER (WHERE r.state IN ('replied', 'followed_up')) AS answered
    FROM written w JOIN recipient r ON r.id = w.recipient
), outcomes AS (
    SELECT count(*) FILTER (WHERE status IN ('sent', 'delivered', 'read')) AS sent,
           count(*) FILTER (WHERE status = 'failed' AND error_class = ANY(:counted::text[])) + coalesce(sum(retries), 0) AS failed
    FROM tried
)
SELECT s.mature AS override, now() AS now,
       least(s.first_used_at, (SELECT min(day)::timestamp AT TIME ZONE s.time_zone FROM quota_day
                               WHERE sender = s.id AND used > 0)) AS first_used_at,
       (SELECT coalesce(sum(used), 0)::bigint FROM quota_day WHERE sender = s.id) AS sent,
       (o.sent + o.failed)::bigint AS attempts, o.failed::bigint AS failed, c.opened, c.answered
FROM sender s, outcomes o, conversations c WHERE s.id = :sender;

-- name: warmth_of^
SELECT new_cap, cap_why, opened FROM quota_day WHERE sender = :sender AND day = :day;

-- name: note_cap$
-- What the day's cap was judged to be; returns what is opened already.
INSERT INTO quota_day AS q (sender, day, new_cap, cap_why) VALUES (:sender, :day, :cap, :why)
ON CONFLICT (sender, day) DO UPDATE SET new_cap = excluded.new_cap, cap_why = excluded.cap_why
RETURNING opened;

-- name: forget_caps!
-- To be judged again: a person said something about this number.
UPDATE quota_day SET new_cap = NULL WHERE sender = :sender AND new_cap IS NOT NULL AND day >= (now() - interval '2 days')::date;

-- name: note_warning!
WITH noted AS (
    INSERT INTO sender_warning (sender, day, kind, text) VALUES (:sender, :day, :kind, :text)
    ON CONFLICT (sender, day, kind) DO NOTHING RETURNING sender
)
UPDATE quota_day q SET new_cap = NULL FROM noted WHERE q.sender = noted.sender AND q.day = :day;

-- name: days_of
-- A number's local days, as the warm-up judges them. The message's day is the one its quota was charged to.
SELECT day, sum(opened)::int AS opened, sum(answered)::int AS answered, sum(attempts)::int AS attempts,
       sum(failed)::int AS failed, bool_or(warned) AS warned
FROM (
    SELECT m.quota_day AS day,
           count(*) FILTER (WHERE m.opens IS NOT FALSE AND m.sent_at IS NOT NULL AND r.window_ends_at < now()) AS opened,
           count(*) FILTER (WHERE m.opens IS NOT FALSE AND m.sent_at IS NOT NULL AND r.window_ends_at < now()
                                  AND r.state IN ('replied', 'followed_up')) AS answered,
           count(*) FILTER (WHERE m.status IN ('sent', 'delivered', 'read')
                                  OR (m.status = 'failed' AND m.error_class = ANY(:counted::text[]))) AS attempts,
           count(*) FILTER (WHERE m.status = 'failed' AND m.error_class = ANY(:counted::text[])) AS failed,
           false AS warned
    FROM message m JOIN recipient r ON r.id = m.recipient
    WHERE m.sender = :sender AND m.step = 1 AND m.quota_day IS NOT NULL
      AND m.promised_at > now() - make_interval(days => :days)
    GROUP BY m.quota_day
    UNION ALL
    SELECT w.day, 0, 0, 0, 0, true FROM sender_warning w
    WHERE w.sender = :sender AND w.at > now() - make_interval(days => :days)
) x GROUP BY day ORDER BY day;

-- name: left_before
-- When the many-th last Message 1 of a number left (of each number asked for), newest first.
SELECT promised_at FROM message
WHERE sender = :sender AND step = 1 AND promised_at IS NOT NULL AND status NOT IN ('pending', 'cancelled')
ORDER BY promised_at DESC LIMIT :many;

-- name: outcomes_of
-- The newest settled messages of a number, any campaign and step, since its guards last spoke.
SELECT m.step = 2 OR m.opens IS NOT TRUE AS known_chat, m.status = 'failed' AS failed, m.error_class, m.error_text
FROM message m JOIN sender s ON s.id = m.sender
WHERE m.sender = :sender AND m.promised_at > coalesce(s.guard_since, '-infinity')
  AND (m.status IN ('sent', 'delivered', 'read') OR (m.status = 'failed' AND m.error_class = ANY(:counted::text[])))
ORDER BY m.promised_at DESC LIMIT :many;

-- name: lag_learned^
-- How long it took until the gateway was first heard of a message it had taken. (GREATEST would make 0 of never.)
SELECT greatest(0, percentile_cont(0.95) WITHIN GROUP (ORDER BY lag)) AS p95, count(lag) AS sample
FROM (SELECT extract(epoch FROM least(acked_at, delivered_at, read_at, failed_at) - sent_at)::float8 AS lag
      FROM message WHERE sender = :sender AND sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT :many) x WHERE lag IS NOT NULL;

-- name: accepted_before
-- The newest messages that are old enough to have been heard of, since the guards last spoke.
SELECT extract(epoch FROM now() - m.sent_at)::float8 AS age,
       least(m.acked_at, m.delivered_at, m.read_at, m.failed_at) IS NOT NULL AS acked
FROM message m JOIN sender s ON s.id = m.sender
WHERE m.sender = :sender AND m.sent_at < now() - make_interval(secs => :lag) AND m.sent_at > coalesce(s.guard_since, '-infinity')
ORDER BY m.sent_at DESC LIMIT :many;

-- name: note_heard!
-- The gateway says of messages that they are on their way: not a move, but a sign of life.
UPDATE message m SET acked_at = now()
FROM (SELECT id FROM message WHERE id = ANY(:ids::uuid[]) AND acked_at IS NULL AND delivered_at IS NULL
      ORDER BY id FOR NO KEY UPDATE) l
WHERE m.id = l.id;

-- name: hold_new_chats^
-- Null where new conversations are held already.
UPDATE sender SET new_chats_after = now() + make_interval(secs => :seconds), new_chats_why = :why, guard_since = now()
WHERE id = :sender AND (new_chats_after IS NULL OR new_chats_after <= now()) RETURNING id;

-- name: allow_new_chats!
UPDATE sender SET new_chats_after = NULL, new_chats_why = '', guard_since = now() WHERE id = :sender;

-- name: start_guard_anew!
UPDATE sender SET guard_since = now() WHERE id = :sender;

-- name: running_campaigns_of
SELECT id FROM campaign WHERE sender = :sender AND status = 'sending' ORDER BY id;

-- name: next_due
-- Whom a campaign would write to next, and whether anything passed between this person and this number before.
SELECT m.id, m.phone,
       (:look_back::bool AND (EXISTS (SELECT FROM message e WHERE e.contact = m.contact AND e.sender = m.sender AND e.sent_at IS NOT NULL)
        OR EXISTS (SELECT FROM interaction i WHERE i.contact = m.contact AND i.sender = m.sender))) AS known
FROM message m
WHERE m.campaign = :campaign AND m.step = 1 AND m.status = 'pending' AND m.next_at <= now()
ORDER BY m.next_at, m.id LIMIT :many;

-- name: hold_messages!
-- They are looked at again when what holds them is over.
UPDATE message m SET next_at = g.until, held = g.reason
FROM unnest(:ids::uuid[], :untils::timestamptz[], :reasons::text[]) AS g(id, until, reason)
    JOIN (SELECT id FROM message WHERE id = ANY(:ids::uuid[]) AND status = 'pending' ORDER BY id FOR NO KEY UPDATE) l USING (id)
WHERE m.id = g.id;

-- name: held_of
-- What holds messages of a number's running campaigns.
SELECT DISTINCT m.campaign, m.held, c.quiet_hours, c.pacing FROM message m JOIN campaign c ON c.id = m.campaign
WHERE c.sender = :sender AND c.status = 'sending' AND m.status = 'pending' AND m.held IS NOT NULL;

-- name: release_messages$
-- One bounded step: what held them is over sooner. Returns how many.
WITH locked AS (
    SELECT id FROM message WHERE campaign = :campaign AND status = 'pending' AND held = :reason
    ORDER BY id LIMIT :many FOR NO KEY UPDATE
), moved AS (
    UPDATE message m SET next_at = now(), held = NULL FROM locked l WHERE m.id = l.id RETURNING m.id
)
SELECT count(*) FROM moved;

-- name: waiting_held
-- How many messages of a campaign each reason holds.
SELECT held AS reason, count(*) AS messages, min(next_at) AS until FROM message
WHERE campaign = :campaign AND status = 'pending' AND held IS NOT NULL GROUP BY held ORDER BY held;
