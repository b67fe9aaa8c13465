-- Campaigns, as the API shows and changes them. Their statuses move in campaigns.sql only.

-- name: add_campaign$
WITH made AS (
    INSERT INTO campaign (name, sender, message_1, message_2, media_1, media_2, pacing, quiet_hours, excluded_categories,
                          contacted_within_days, scheduled_at, why, moved_by)
    VALUES (:name, :sender, :message_1, :message_2, :media_1::jsonb, :media_2::jsonb, :pacing::jsonb, :quiet_hours,
            :excluded_categories::uuid[], :contacted_within_days, :scheduled_at, 'created', :by)
    RETURNING id
), reached AS (
    INSERT INTO campaign_category (campaign, category)
    SELECT made.id, g.id FROM made, (SELECT DISTINCT id FROM unnest(:categories::uuid[]) AS g(id)) g
)
SELECT id FROM made;

-- name: read_campaign^
SELECT c.*, ARRAY(SELECT category FROM campaign_category WHERE campaign = c.id ORDER BY category) AS category_ids
FROM campaign c WHERE c.id = :campaign;

-- name: lock_campaign^
SELECT c.*, ARRAY(SELECT category FROM campaign_category WHERE campaign = c.id ORDER BY category) AS category_ids, now() AS now
FROM campaign c WHERE c.id = :campaign FOR UPDATE OF c;

-- name: change_campaign!
UPDATE campaign SET name = :name, sender = :sender, message_1 = :message_1, message_2 = :message_2, media_1 = :media_1::jsonb,
    media_2 = :media_2::jsonb, pacing = :pacing::jsonb, quiet_hours = :quiet_hours,
    excluded_categories = :excluded_categories::uuid[], contacted_within_days = :contacted_within_days,
    scheduled_at = :scheduled_at
WHERE id = :campaign;

-- name: change_audience!
WITH gone AS (
    DELETE FROM campaign_category WHERE campaign = :campaign AND NOT category = ANY(:categories::uuid[])
)
INSERT INTO campaign_category (campaign, category)
SELECT :campaign, id FROM (SELECT DISTINCT id FROM unnest(:categories::uuid[]) AS g(id)) g
ON CONFLICT (campaign, category) DO NOTHING;

-- name: delete_campaign$
DELETE FROM campaign WHERE id = :campaign AND status = 'draft' RETURNING id;

-- name: list_campaigns
SELECT c.id, c.name, c.status, c.why AS reason, c.sender AS sender_id, c.scheduled_at, c.created_at, c.launched_at,
       c.completed_at, s.total, s.sent, s.interactions, s.message_2_sent, s.failed_count
FROM campaign c, LATERAL (
    SELECT coalesce(sum(total), 0)::bigint AS total, coalesce(sum(sent), 0)::bigint AS sent,
           coalesce(sum(replied), 0)::bigint AS interactions, coalesce(sum(message_2_sent), 0)::bigint AS message_2_sent,
           coalesce(sum(send_failed) + sum(no_interaction), 0)::bigint AS failed_count
    FROM campaign_stats WHERE campaign = c.id) s
WHERE true [[AND c.id < :before]] [[AND c.status = :status]]
ORDER BY c.id DESC LIMIT :many;

-- name: watched_campaigns
-- Those that may move: what the stream of everything begins with.
SELECT id FROM campaign WHERE status IN ('launching', 'sending', 'waiting', 'paused') ORDER BY id DESC LIMIT :many;

-- name: count_holes
-- How many reached people lack each of these (name, or attributes.<key>), and how many lack any (key null).
WITH reached AS (
    SELECT DISTINCT ON (c.identity) c.identity, c.name, c.attributes
    FROM contact c JOIN campaign k ON k.id = :campaign
    WHERE c.opted_out_at IS NULL
      AND EXISTS (SELECT FROM contact_category cc JOIN campaign_category kc ON kc.category = cc.category AND kc.campaign = k.id
                  WHERE cc.contact = c.id)
      AND NOT EXISTS (SELECT FROM contact_category x WHERE x.contact = c.id AND x.category = ANY(k.excluded_categories))
      AND (k.contacted_within_days IS NULL OR NOT EXISTS (
            SELECT FROM message m WHERE m.contact = c.id AND m.step = 1 AND m.campaign <> k.id
              AND m.promised_at > now() - make_interval(days => k.contacted_within_days)))
    ORDER BY c.identity, c.id
), lack AS (
    SELECT p.key, r.identity FROM reached r CROSS JOIN unnest(:placeholders::text[]) AS p(key)
    WHERE coalesce(CASE WHEN p.key = 'name' THEN r.name ELSE r.attributes ->> substr(p.key, 12) END, '') ~ '^\s*$'
)
SELECT key, count(*) AS people FROM lack GROUP BY key UNION ALL SELECT NULL, count(DISTINCT identity) FROM lack;

-- name: list_batches
SELECT number, size, base_delay AS base_delay_seconds, delay AS delay_seconds, pause AS pause_seconds, error_rate,
       adjustment AS reason, profile, sources, attempted, sent, failed, started_at, finished_at, finished_why AS finished_reason
FROM batch WHERE campaign = :campaign AND (:before::int IS NULL OR number < :before)
ORDER BY number DESC LIMIT :many;

-- name: minutes_of
SELECT minute, sent, delivered, read, send_failed, replied AS interactions, message_2_sent FROM campaign_minute
WHERE campaign = :campaign AND (:after::timestamptz IS NULL OR minute > :after) ORDER BY minute LIMIT :many;

-- name: final_report^
-- The report as of completion, where there is one.
SELECT id, final_stats FROM campaign WHERE id = :campaign;

-- name: report_lines
-- One line per person, by key: a long export holds no snapshot open.
SELECT r.id, coalesce(c.phone, m.phone) AS phone, c.name, r.state, r.why AS reason, m.status AS message_1, m.sent_at, m.delivered_at,
       m.read_at, r.replied_at, n.status AS message_2, n.sent_at AS message_2_sent_at, coalesce(m.error_text, n.error_text) AS error
FROM recipient r LEFT JOIN contact c ON c.id = r.contact
LEFT JOIN message m ON m.recipient = r.id AND m.step = 1
LEFT JOIN message n ON n.recipient = r.id AND n.step = 2
WHERE r.campaign = :campaign AND r.id > :after ORDER BY r.id LIMIT :many;
