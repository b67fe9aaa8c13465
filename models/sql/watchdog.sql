-- What the watchdog asks: who is missing, who stands still, who is not heard of.

-- name: roll
-- The processes of these kinds that beat in the last eight days, the newest few thousand of them.
SELECT kind, host, pid, started_at, beat_at, beat_at < now() - make_interval(secs => :silent) AND ended_at IS NULL AS missing,
       ended_at IS NULL AND beat_at >= now() - make_interval(secs => :alive) AS alive
FROM heartbeat WHERE kind = ANY(:kinds::text[]) AND beat_at > now() - interval '8 days' ORDER BY started_at DESC LIMIT 5000;

-- name: forget_processes$
-- Processes that ended or died days ago; one that a doubtful promise names is kept.
WITH old AS (
    SELECT process FROM heartbeat h WHERE beat_at < now() - make_interval(days => :days)
        AND NOT EXISTS (SELECT FROM message m WHERE m.status IN ('sending', 'unconfirmed') AND m.process = h.process)
    LIMIT 1000
), gone AS (DELETE FROM heartbeat h USING old WHERE h.process = old.process RETURNING 1)
SELECT count(*) FROM gone;

-- name: not_missed!
-- A person has seen to the missing processes of a kind: they are not waited for.
UPDATE heartbeat SET ended_at = now() WHERE kind = :kind AND ended_at IS NULL
    AND beat_at < now() - make_interval(secs => :silent);

-- name: stopped_senders
SELECT id, name, state, why FROM sender WHERE state = ANY(:states::text[]);

-- name: breakers_open
-- Campaigns that the breaker paused and nobody resumed.
SELECT id FROM campaign WHERE status = 'paused' AND moved_by = 'breaker';

-- name: unconfirmed_campaigns
SELECT DISTINCT campaign FROM message WHERE status = 'unconfirmed';

-- name: unheard_senders
-- Online, something was sent that long ago, and no webhook of that device has come since.
SELECT s.id, s.name, w.received_at AS heard_at
FROM sender s
LEFT JOIN LATERAL (SELECT received_at FROM inbox WHERE device_id = s.device_id AND NOT fetched ORDER BY id DESC LIMIT 1) w ON true
WHERE s.state IN ('ready', 'degraded') AND coalesce(w.received_at, '-infinity') < now() - make_interval(secs => :silent)
  AND EXISTS (SELECT FROM message m WHERE m.sender = s.id AND m.sent_at > coalesce(w.received_at, '-infinity')
              AND m.sent_at > now() - interval '7 days' AND m.sent_at < now() - make_interval(secs => :silent));

-- name: stalled_lanes
-- Could send (ready, gate open, somebody due) and has promised nothing for that long.
SELECT s.id, s.name, s.lease_until > now() AS owned
FROM sender s
WHERE s.state IN ('ready', 'degraded') AND s.not_before < now() - make_interval(secs => :stalled)
  AND coalesce(s.gate_at, '-infinity') < now() - make_interval(secs => :stalled)
  AND EXISTS (SELECT FROM campaign c JOIN message m ON m.campaign = c.id AND m.status = 'pending' AND m.step = 1
              WHERE c.sender = s.id AND c.status = 'sending' AND m.next_at < now() - make_interval(secs => :stalled))
  AND NOT EXISTS (SELECT FROM message m WHERE m.sender = s.id AND m.promised_at > now() - make_interval(secs => :stalled));

-- name: room_for_connections^
-- How many connections the server holds, of how many.
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
       current_setting('max_connections')::int AS most;

-- name: sending_campaigns
SELECT id, name FROM campaign WHERE status = 'sending' ORDER BY served_at DESC NULLS LAST LIMIT :many;

-- name: quota_today
-- How much each number has used of its local day.
SELECT s.id, s.name, s.daily_limit, q.used FROM sender s
JOIN quota_day q ON q.sender = s.id AND q.day = (now() AT TIME ZONE s.time_zone)::date;

-- name: leadership^
-- When the service last had a scheduler that leads, and when any last beat.
SELECT (SELECT until FROM leader WHERE name = 'scheduler') AS led_until,
       (SELECT max(beat_at) FROM heartbeat WHERE kind = 'scheduler') AS beat_at, now() AS now;
