-- What the live snapshot and the report of one campaign are made of. Every statement is bounded.

-- name: progress_of^
-- The campaign, its number, its newest batch and how long the gate is shut, at one moment of the database's clock.
SELECT c.id, c.name, c.status, c.why, c.holds, c.pacing, c.quiet_hours, c.window_seconds, c.safety_seconds,
       c.launched_at, c.completed_at, c.paused_seconds, c.planned_end, c.quota_plan, c.sender, now() AS now, c.message_2 IS NOT NULL AS has_message_2,
       s.pacing AS sender_pacing, s.time_zone, s.daily_limit, s.gate_at,
       b.number, b.size, b.attempted, b.delay, b.pause, b.adjustment, b.finished_at,
       b.sources ->> 'delay' AS delay_source,
       (SELECT min(x.started_at) FROM batch x WHERE x.campaign = c.id AND x.number > coalesce((
            SELECT max(y.number) FROM batch y WHERE y.campaign = c.id
                AND (y.delay, y.sources ->> 'delay') IS DISTINCT FROM (b.delay, b.sources ->> 'delay')), 0)) AS delay_since,
       c.status = 'waiting' AND NOT EXISTS (
           SELECT FROM recipient r WHERE r.campaign = c.id AND r.state = 'awaiting_reply') AS all_answered
FROM campaign c LEFT JOIN sender s ON s.id = c.sender
LEFT JOIN LATERAL (SELECT * FROM batch WHERE campaign = c.id ORDER BY number DESC LIMIT 1) b ON true
WHERE c.id = :campaign;

-- name: latency_of^
-- Medians and 95th percentiles (ms) of the newest Message 1, and how many left within the last minute.
WITH sample AS (
    SELECT m.accept_ms, m.sent_at, m.delivered_at, m.read_at, r.replied_at
    FROM message m JOIN recipient r ON r.id = m.recipient
    WHERE m.campaign = :campaign AND m.step = 1 AND m.promised_at IS NOT NULL
    ORDER BY m.promised_at DESC LIMIT :many
), ms AS (
    SELECT accept_ms AS accept, extract(epoch FROM delivered_at - sent_at) * 1000 AS delivery,
           extract(epoch FROM read_at - sent_at) * 1000 AS read, extract(epoch FROM replied_at - sent_at) * 1000 AS reply, sent_at
    FROM sample
)
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY accept) AS accept,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY delivery::float8) AS delivery,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY read::float8) AS read,
       percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY reply::float8) AS reply,
       count(*) FILTER (WHERE sent_at > now() - interval '1 minute') AS last_minute,
       count(*) AS sampled,
       extract(epoch FROM now() - min(sent_at))::float8 AS sample_seconds,
       max(sent_at) AS last_sent_at
FROM ms;

-- name: retries_waiting
-- When the retries of a campaign are due, the latest first.
SELECT next_at FROM message
WHERE campaign = :campaign AND step = 1 AND status = 'pending' AND retries > 0 AND next_at > now()
ORDER BY next_at DESC LIMIT 1000;

-- name: others_pending
-- Message 1 left in each other campaign that the same number is sending.
SELECT sum(s.pending)::bigint AS pending FROM campaign c JOIN campaign_stats s ON s.campaign = c.id
WHERE c.sender = :sender AND c.id <> :campaign AND c.status IN ('launching', 'sending')
GROUP BY c.id HAVING sum(s.pending) > 0;

-- name: failures_by_reason
SELECT step, error_class, error_text AS reason, count(*) AS messages FROM message
WHERE campaign = :campaign AND status = 'failed'
GROUP BY step, error_class, error_text ORDER BY count(*) DESC, 1, 2 LIMIT 50;

-- name: pacing_history
-- Only the batches at which the pace changed, with the reason, and what ran at that pace until the next.
SELECT number, size, delay, pause, error_rate, adjustment AS why, started_at, finished_why
FROM (SELECT b.*, lag(row(size, delay, pause)) OVER (ORDER BY number) IS DISTINCT FROM row(size, delay, pause) AS changed
      FROM batch b WHERE campaign = :campaign) x
WHERE changed ORDER BY number LIMIT 500;

-- name: report_facts^
SELECT (SELECT sent_at FROM message WHERE campaign = :campaign AND step = 1 AND promised_at IS NOT NULL AND sent_at IS NOT NULL
        ORDER BY promised_at LIMIT 1) AS first_sent_at,
       (SELECT sent_at FROM message WHERE campaign = :campaign AND step = 1 AND promised_at IS NOT NULL AND sent_at IS NOT NULL
        ORDER BY promised_at DESC LIMIT 1) AS last_sent_at,
       (SELECT count(*) FROM batch WHERE campaign = :campaign) AS batches,
       (SELECT sum(retries) FROM message WHERE campaign = :campaign AND retries > 0) AS retries,
       (SELECT count(*) FROM recipient WHERE campaign = :campaign AND state IN ('replied', 'followed_up')) AS replied_in_window,
       -- From the webhook (the reply's own time is cut to the second) to the gateway's answer.
       (SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (
            ORDER BY extract(epoch FROM m.sent_at - i.received_at)::float8 * 1000 + m.accept_ms)
        FROM (SELECT recipient, sent_at, accept_ms FROM message
              WHERE campaign = :campaign AND step = 2 AND accept_ms IS NOT NULL ORDER BY id DESC LIMIT :many) m
        JOIN interaction i ON i.recipient = m.recipient AND i.outcome = 'follow_up') AS message_2_ms;
