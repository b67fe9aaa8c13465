-- What the whole service is doing just now. Every part is read from an index or from a table of a few rows.

-- name: monitored^
-- Webhooks, the gateway's answers, doubts: newest keys are newest in time.
SELECT now() AS now,
       (SELECT received_at FROM inbox ORDER BY id DESC LIMIT 1) AS last_webhook_at,
       (SELECT received_at FROM interaction ORDER BY id DESC LIMIT 1) AS last_interaction_at,
       (SELECT count(*) FROM (SELECT FROM inbox WHERE digested_at IS NULL AND from_person LIMIT :most) w) AS people_waiting,
       (SELECT count(*) FROM (SELECT FROM inbox WHERE digested_at IS NULL AND NOT from_person LIMIT :most) w) AS others_waiting,
       (SELECT max(sent_at) FROM sender s, LATERAL (
            SELECT sent_at FROM message WHERE sender = s.id AND sent_at IS NOT NULL ORDER BY sent_at DESC LIMIT 1) m) AS last_sent_at,
       (SELECT count(*) FROM message WHERE status = 'sending') AS sending,
       (SELECT count(*) FROM message WHERE status = 'unconfirmed') AS unconfirmed;

-- name: monitored_senders
-- Each number, its lane and what it has to do.
SELECT s.*, now() AS now, s.lease_until > now() AS lane_owned,
       greatest(0, extract(epoch FROM s.gate_at - now()))::float8 AS gate_in,
       (SELECT count(*) FROM campaign c WHERE c.sender = s.id AND c.status = 'sending') AS campaigns_sending,
       (SELECT coalesce(sum(t.pending), 0)::bigint FROM campaign c JOIN campaign_stats t ON t.campaign = c.id
        WHERE c.sender = s.id AND c.status IN ('launching', 'sending', 'paused')) AS pending
FROM sender s ORDER BY s.id;

-- name: open_campaigns
SELECT status, count(*) AS campaigns FROM campaign
WHERE status IN ('scheduled', 'launching', 'sending', 'waiting', 'paused') GROUP BY status;

-- name: processes_seen
-- Those of the last quarter of an hour; one that has not beaten for 5 s is gone, or hangs.
SELECT process AS id, kind, host, pid, started_at, beat_at, ended_at IS NULL AND beat_at > now() - interval '5 seconds' AS alive
FROM heartbeat WHERE beat_at > now() - interval '15 minutes' ORDER BY kind, started_at LIMIT 500;
