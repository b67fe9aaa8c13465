-- The life of a campaign. Every move is one compare-and-set; no row means: someone was faster.

-- name: campaign^
SELECT * FROM campaign WHERE id = :campaign;

-- name: schedule_campaign^
UPDATE campaign SET status = 'scheduled', scheduled_at = :at, why = :why, moved_by = :by
WHERE id = :campaign AND status = 'draft' RETURNING id;

-- name: start_launch^
-- The windows are fixed here: a later change of the settings does not move an open window.
UPDATE campaign SET status = 'launching', launched_at = now(), window_seconds = :window, safety_seconds = :safety,
    why = :why, moved_by = :by
WHERE id = :campaign AND status IN ('draft', 'scheduled') RETURNING id, sender;

-- name: finish_launch^
UPDATE campaign SET status = 'sending', why = :why, moved_by = 'launcher'
WHERE id = :campaign AND status = 'launching' RETURNING id, sender;

-- name: all_sent^
-- sending -> waiting: no Message 1 is open any more.
UPDATE campaign c SET status = 'waiting', why = 'every Message 1 has left', moved_by = 'lane', planned_end = now()
WHERE c.id = :campaign AND c.status = 'sending'
  AND NOT EXISTS (SELECT FROM message m WHERE m.campaign = c.id AND m.step = 1 AND m.status IN ('pending', 'sending'))
RETURNING id, sender;

-- name: sending_again
-- waiting -> sending: a Message 1 came back (proven absent, or a person's retry).
UPDATE campaign c SET status = 'sending', why = 'a Message 1 has to be sent again', moved_by = 'retrier'
WHERE c.status = 'waiting'
  AND EXISTS (SELECT FROM message m WHERE m.campaign = c.id AND m.step = 1 AND m.status = 'pending')
RETURNING id, sender;

-- name: pause_campaign^
-- Closes the batch: what was lowered must not run on at the old pace.
WITH moved AS (
    UPDATE campaign SET status = 'paused', paused_at = now(), holds = :holds, why = :why, moved_by = :by
    WHERE id = :campaign AND status IN ('sending', 'waiting') RETURNING id, sender
), closed AS (
    UPDATE batch SET finished_at = now(), finished_why = 'paused'
    WHERE campaign = (SELECT id FROM moved) AND finished_at IS NULL
)
SELECT id, sender FROM moved;

-- name: resume_campaign^
-- A fresh window for the breaker; paused time does not count as safety time.
UPDATE campaign SET status = 'sending', paused_seconds = paused_seconds + extract(epoch FROM now() - paused_at),
    paused_at = NULL, holds = NULL, breaker_since = now(), why = :why, moved_by = :by
WHERE id = :campaign AND status = 'paused' RETURNING id, sender;

-- name: cancel_campaign^
WITH moved AS (
    UPDATE campaign SET status = 'cancelled', paused_at = NULL, holds = NULL, why = :why, moved_by = :by
    WHERE id = :campaign AND status IN ('draft', 'scheduled', 'launching', 'sending', 'waiting', 'paused') RETURNING id, sender
), closed AS (
    UPDATE batch SET finished_at = now(), finished_why = 'cancelled'
    WHERE campaign = (SELECT id FROM moved) AND finished_at IS NULL
)
SELECT id, sender FROM moved;

-- name: complete_campaign^
-- Judged person by person, in the statement that completes. Past its safety time what is unconfirmed stays so.
UPDATE campaign c SET status = 'completed', completed_at = now(), final_stats = :report::jsonb, why = :why, moved_by = 'sweeper'
WHERE c.id = :campaign AND c.status = 'waiting'
  AND NOT EXISTS (SELECT FROM recipient r WHERE r.campaign = c.id
        AND (r.state IN ('queued', 'awaiting_reply') OR (r.state = 'unconfirmed' AND NOT :past_safety)))
  AND NOT EXISTS (SELECT FROM recipient r JOIN message m ON m.recipient = r.id AND m.step = 2
        WHERE r.campaign = c.id AND r.state = 'replied'
          AND (m.status IN ('pending', 'sending') OR (m.status = 'unconfirmed' AND NOT :past_safety)))
RETURNING id;

-- name: stop_sender
-- A sender that cannot send: blocked, its campaigns paused. Returns the campaigns.
WITH stopped AS (
    UPDATE sender SET state = :state, why = :why, moved_by = :by
    WHERE id = :sender AND state IN ('ready', 'degraded', 'offline') AND state <> :state RETURNING id
), paused AS (
    UPDATE campaign SET status = 'paused', paused_at = now(), holds = 'all', why = :why, moved_by = :by
    WHERE sender = :sender AND status IN ('sending', 'waiting') AND EXISTS (SELECT FROM stopped) RETURNING id
), closed AS (
    UPDATE batch SET finished_at = now(), finished_why = 'sender stopped'
    WHERE sender = :sender AND finished_at IS NULL AND EXISTS (SELECT FROM stopped)
)
SELECT id FROM paused;

-- name: move_sender^
UPDATE sender SET state = :new, why = :why, moved_by = :by WHERE id = :sender AND state = ANY(:old::text[]) RETURNING id, state;

-- name: counters^
-- The exact counters of one campaign: the sum of its slots.
SELECT coalesce(sum(total), 0)::bigint AS total, coalesce(sum(pending), 0)::bigint AS pending,
       coalesce(sum(unconfirmed), 0)::bigint AS unconfirmed, coalesce(sum(sent), 0)::bigint AS sent,
       coalesce(sum(delivered), 0)::bigint AS delivered, coalesce(sum(read), 0)::bigint AS read,
       coalesce(sum(send_failed), 0)::bigint AS send_failed, coalesce(sum(cancelled), 0)::bigint AS cancelled,
       coalesce(sum(replied), 0)::bigint AS interactions, coalesce(sum(message_2_sent), 0)::bigint AS message_2_sent,
       coalesce(sum(message_2_failed), 0)::bigint AS message_2_failed, coalesce(sum(late_replies), 0)::bigint AS late_replies,
       coalesce(sum(no_interaction), 0)::bigint AS no_interaction, coalesce(sum(opted_out), 0)::bigint AS opted_out
FROM campaign_stats WHERE campaign = :campaign;
