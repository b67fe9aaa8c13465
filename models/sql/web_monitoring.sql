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

-- name: uptimes
-- Per kind, the share of the last day and week in which at least one process lived; since the first was seen, if that is later.
WITH lived AS (
    SELECT kind, min(started_at) AS since, range_agg(tstzrange(started_at, greatest(started_at,
        CASE WHEN ended_at IS NULL AND beat_at > now() - interval '5 seconds' THEN now() ELSE beat_at END))) AS spans
    FROM heartbeat WHERE beat_at > now() - interval '7 days' GROUP BY kind
), span AS (
    SELECT w.days, greatest(l.since, now() - make_interval(days => w.days)) AS since, l.kind, l.spans
    FROM lived l, (VALUES (1), (7)) AS w(days)
), share AS (
    SELECT s.kind, s.days, s.since, (
        SELECT coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0)
        FROM unnest(s.spans * tstzmultirange(tstzrange(s.since, now()))) AS r
    ) / greatest(0.001, extract(epoch FROM now() - s.since)) AS alive
    FROM span s
)
SELECT kind, max(alive) FILTER (WHERE days = 1)::float8 AS last_24h, max(alive) FILTER (WHERE days = 7)::float8 AS last_7d,
       min(since) AS since
FROM share GROUP BY kind ORDER BY kind;

-- name: all_counters^
-- The counters of all campaigns together: 16 rows each.
SELECT coalesce(sum(pending), 0)::bigint AS pending, coalesce(sum(sent), 0)::bigint AS sent,
       coalesce(sum(delivered), 0)::bigint AS delivered, coalesce(sum(read), 0)::bigint AS read,
       coalesce(sum(send_failed), 0)::bigint AS send_failed, coalesce(sum(replied), 0)::bigint AS replied,
       coalesce(sum(message_2_sent), 0)::bigint AS message_2_sent,
       coalesce(sum(message_2_failed), 0)::bigint AS message_2_failed,
       coalesce(sum(late_replies), 0)::bigint AS late_replies,
       coalesce(sum(no_interaction), 0)::bigint AS no_interaction, coalesce(sum(opted_out), 0)::bigint AS opted_out
FROM campaign_stats;

-- name: accepts_of_late^
-- How soon the gateway took the newest messages of each number (ms): median and 95th percentile.
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY m.accept_ms) AS accept
FROM sender s, LATERAL (SELECT accept_ms FROM message WHERE sender = s.id AND sent_at IS NOT NULL
                        ORDER BY sent_at DESC LIMIT :many) m;

-- name: alerts_by_kind
SELECT kind, count(*) AS alerts FROM alert WHERE resolved_at IS NULL GROUP BY kind;
