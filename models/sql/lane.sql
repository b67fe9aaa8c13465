-- The lane of a sender: its lease, its gate's floor, and the claim of the next Message 1.

-- name: take_lane^
-- One owner at a time; the epoch rises with every change of hands, so a stale owner can be told.
UPDATE sender SET lease_owner = :owner, lease_epoch = lease_epoch + 1, lease_until = now() + make_interval(secs => :seconds)
WHERE id = :sender AND (lease_until IS NULL OR lease_until < now()) AND state IN ('ready', 'degraded')
RETURNING lease_epoch;

-- name: renew_lane$
UPDATE sender SET lease_until = now() + make_interval(secs => :seconds)
WHERE id = :sender AND lease_owner = :owner AND lease_epoch = :epoch
RETURNING true;

-- name: leave_lane!
-- The owner says from when on there is something to do again: the scheduler wakes nobody before.
UPDATE sender SET lease_until = NULL, not_before = now() + make_interval(secs => :idle_seconds)
WHERE id = :sender AND lease_owner = :owner AND lease_epoch = :epoch;

-- name: read_lane^
-- Seconds are relative to the database's clock: no other clock has to agree with it.
SELECT s.id, s.device_id, s.time_zone, s.state, s.daily_limit, s.pacing,
       greatest(0, extract(epoch FROM s.gate_at - now()))::float8 AS gate_in, s.new_chats_after, s.new_chats_why, now() AS now
FROM sender s WHERE s.id = :sender;

-- name: push_gate!
-- Nothing leaves this number for a while. Never moves the gate back.
UPDATE sender SET gate_at = greatest(gate_at, now() + make_interval(secs => :seconds)) WHERE id = :sender;

-- name: due_campaigns_of
-- The running campaigns of a sender with a Message 1 that is due, the least recently served first.
SELECT c.id, c.name, c.pacing, c.quiet_hours, c.breaker_since, c.served_at, c.window_seconds, c.launched_at
FROM campaign c
WHERE c.sender = :sender AND c.status = 'sending'
  AND EXISTS (SELECT FROM message m WHERE m.campaign = c.id AND m.status = 'pending' AND m.step = 1 AND m.next_at <= now())
ORDER BY c.served_at NULLS FIRST, c.id LIMIT 100;

-- name: has_due$
SELECT EXISTS (SELECT FROM message WHERE campaign = :campaign AND step = 1 AND status = 'pending' AND next_at <= now());

-- name: lane_outlook
-- What each running campaign of this sender waits for, when none has a Message 1 that is due.
SELECT c.id,
       (SELECT extract(epoch FROM min(m.next_at) - now())::float8 FROM message m
        WHERE m.campaign = c.id AND m.status = 'pending' AND m.step = 1) AS due_in,
       EXISTS (SELECT FROM message m WHERE m.campaign = c.id AND m.step = 1 AND m.status IN ('pending', 'sending')) AS open
FROM campaign c WHERE c.sender = :sender AND c.status = 'sending';

-- name: open_batch^
SELECT b.*, c.breaker_since, c.quiet_hours FROM batch b JOIN campaign c ON c.id = b.campaign
WHERE b.sender = :sender AND b.finished_at IS NULL;

-- name: start_batch^
-- Freezes the pacing. The campaign that was served goes to the end of the line.
WITH served AS (
    UPDATE campaign SET served_at = now(), planned_end = :planned_end WHERE id = :campaign AND status = 'sending' RETURNING id
)
INSERT INTO batch (campaign, sender, number, size, base_delay, delay, pause, gaps, error_rate, adjustment, profile, sources)
SELECT served.id, :sender, 1 + coalesce((SELECT max(number) FROM batch WHERE campaign = :campaign), 0), :size, :base_delay,
       :delay, :pause, :gaps::float8[], :error_rate, :adjustment, :profile, :sources::jsonb
FROM served
RETURNING id, campaign, number, size, base_delay, delay, pause, gaps, attempted, adjustment, profile;

-- name: close_batch!
UPDATE batch SET finished_at = now(), finished_why = :why WHERE id = :batch AND finished_at IS NULL;

-- name: ensure_quota_day$
-- True for the one who begins the day (models/reservations.py): others wait for him and get nothing.
INSERT INTO quota_day AS q (sender, day, begun_at) VALUES (:sender, :day, now())
ON CONFLICT (sender, day) DO UPDATE SET begun_at = now() WHERE q.begun_at IS NULL RETURNING true;

-- name: quota_used$
SELECT coalesce((SELECT used FROM quota_day WHERE sender = :sender AND day = :day), 0);

-- name: settled_attempts
-- Message 1 rows of a campaign promised since a person last resumed it, newest first. Each retry used since is one
-- failed attempt; the outcome, where there is one, is one more.
SELECT CASE WHEN retries = 0 OR :since::timestamptz IS NULL THEN retries ELSE least(retries, (
           SELECT count(*) FROM event e WHERE e.subject_id = message.id AND e.new = 'pending' AND e.at >= :since))::int END AS retries,
       CASE WHEN status = 'failed' THEN 'failed' WHEN status IN ('sent', 'delivered', 'read') THEN 'sent' END AS outcome,
       error_class, error_text, opens
FROM message
WHERE campaign = :campaign AND step = 1 AND promised_at IS NOT NULL
  AND (:since::timestamptz IS NULL OR promised_at >= :since)
  AND (retries > 0 OR status IN ('sent', 'delivered', 'read')
       OR (status = 'failed' AND error_class IN ('refused', 'never_left', 'reported', 'expired')))
ORDER BY promised_at DESC LIMIT :last;

-- name: attempts_since
-- The first attempts after a resume, in the order they were promised. In doubt or given back untouched: no attempt.
SELECT CASE WHEN retries = 0 THEN 0 ELSE least(retries, (
           SELECT count(*) FROM event e WHERE e.subject_id = message.id AND e.new = 'pending' AND e.at >= :since))::int END AS retries,
       CASE WHEN status = 'failed' THEN 'failed' WHEN status = 'sending' THEN 'open'
            WHEN status IN ('sent', 'delivered', 'read') THEN 'sent' END AS outcome,
       error_class, error_text, opens
FROM message
WHERE campaign = :campaign AND step = 1 AND promised_at >= :since AND status NOT IN ('unconfirmed', 'cancelled')
  AND (status <> 'pending' OR retries > 0)
ORDER BY promised_at LIMIT :many;

-- name: promises_of
-- What a process promised for a sender up to a moment and has not settled.
SELECT id, attempt FROM message
WHERE sender = :sender AND status = 'sending' AND process = :process AND promised_at <= :before;

-- name: claim_slice
-- THE PROMISE of Message 1: pending -> sending, quota charged, gate advanced, batch counted, in one statement.
-- Only the lane's owner with enough lease left; never a contact who opted out, read under that contact's lock.
-- The server that commits it must hold the lock of the process that makes it: another one may have forgotten messages.
WITH known AS (
    SELECT process_lives(:process) AS here
), lane AS (
    SELECT s.id FROM sender s
    WHERE (SELECT here FROM known) AND s.id = :sender AND s.lease_owner = :owner AND s.lease_epoch = :epoch AND s.state IN ('ready', 'degraded')
      AND s.lease_until > now() + make_interval(secs => :fence)
    FOR NO KEY UPDATE
), quota AS (
    SELECT q.used FROM quota_day q, lane WHERE q.sender = :sender AND q.day = :day FOR UPDATE OF q
), running AS (
    -- Locked, not only read: a claim that waited for its locks must see the pause that came meanwhile.
    SELECT id FROM campaign WHERE id = :campaign AND status = 'sending' FOR SHARE
), chosen AS (
    SELECT m.id, m.contact
    FROM message m JOIN contact c ON c.id = m.contact
    WHERE m.campaign = :campaign AND m.step = 1 AND m.status = 'pending' AND m.next_at <= now()
      AND c.opted_out_at IS NULL AND (:only::uuid[] IS NULL OR m.id = ANY(:only))
      AND EXISTS (SELECT FROM running)
    ORDER BY m.next_at, m.id
    -- No lane or no quota row: nothing. A bare LIMIT (NULL) would be no limit at all.
    LIMIT coalesce((SELECT greatest(0, least(:many::int, :quota::int - used)) FROM quota), 0)
    FOR NO KEY UPDATE OF c, m SKIP LOCKED
), promised AS (
    UPDATE message m SET status = 'sending', attempt = m.attempt + 1, promised_at = now(), process = :process,
        ended_at = NULL, absent_at = NULL, error_class = NULL, error_text = NULL, batch = :batch, quota_day = :day,
        held = NULL, opens = NOT EXISTS (
            SELECT FROM message e WHERE e.contact = m.contact AND e.sender = m.sender AND e.sent_at IS NOT NULL
        ) AND NOT EXISTS (SELECT FROM interaction i WHERE i.contact = m.contact AND i.sender = m.sender),
        why = 'promised by its lane', moved_by = 'lane'
    -- By key: joined to chosen, whose size no planner can guess, every claim would read the whole table.
    WHERE m.id = ANY (ARRAY(SELECT id FROM chosen))
    RETURNING m.id, m.recipient, m.contact, m.phone, m.text, m.media, m.attempt, m.retries, m.round, m.next_at
), charged AS (
    UPDATE quota_day SET used = used + (SELECT count(*) FROM promised) WHERE sender = :sender AND day = :day
      AND EXISTS (SELECT FROM promised)
), paced AS (
    UPDATE sender SET gate_at = greatest(gate_at, now() + make_interval(secs => :gate_in))
    WHERE id = :sender AND EXISTS (SELECT FROM promised)
), counted AS (
    UPDATE batch SET attempted = attempted + (SELECT count(*) FROM promised) WHERE id = :batch AND EXISTS (SELECT FROM promised)
)
SELECT * FROM promised ORDER BY next_at, id;

-- name: sender_has_pending$
SELECT EXISTS (SELECT FROM message m JOIN campaign c ON c.id = m.campaign AND c.status = 'sending'
               WHERE c.sender = :sender AND m.step = 1 AND m.status = 'pending');
