-- Audience in, recipients and Message 1 rows out.

-- name: audience_step
-- The next contacts of the audience by key, one per identity decided by the unique key of recipient.
SELECT c.id, c.phone, c.identity, c.name, c.attributes
FROM contact c JOIN campaign k ON k.id = :campaign
WHERE c.id > :after AND c.opted_out_at IS NULL
  AND EXISTS (SELECT FROM contact_category cc JOIN campaign_category kc ON kc.category = cc.category AND kc.campaign = k.id
              WHERE cc.contact = c.id)
  AND NOT EXISTS (SELECT FROM contact_category x WHERE x.contact = c.id AND x.category = ANY(k.excluded_categories))
  AND (k.contacted_within_days IS NULL OR NOT EXISTS (
        SELECT FROM message m WHERE m.contact = c.id AND m.step = 1 AND m.campaign <> k.id
          AND m.promised_at > now() - make_interval(days => k.contacted_within_days)))
ORDER BY c.id LIMIT :many;

-- name: count_audience^
-- How many are reached, and why the others are not, before anything is written.
WITH member AS (
    SELECT c.id, c.identity, c.opted_out_at,
        EXISTS (SELECT FROM contact_category x WHERE x.contact = c.id AND x.category = ANY(k.excluded_categories)) AS excluded,
        k.contacted_within_days IS NOT NULL AND EXISTS (
            SELECT FROM message m WHERE m.contact = c.id AND m.step = 1 AND m.campaign <> k.id
              AND m.promised_at > now() - make_interval(days => k.contacted_within_days)) AS recent
    FROM contact c JOIN campaign k ON k.id = :campaign
    WHERE EXISTS (SELECT FROM contact_category cc JOIN campaign_category kc ON kc.category = cc.category AND kc.campaign = k.id
                  WHERE cc.contact = c.id)
)
SELECT count(*) AS members,
       count(DISTINCT identity) FILTER (WHERE opted_out_at IS NULL AND NOT excluded AND NOT recent) AS reached,
       count(*) FILTER (WHERE opted_out_at IS NOT NULL) AS opted_out,
       count(*) FILTER (WHERE opted_out_at IS NULL AND excluded) AS excluded,
       count(*) FILTER (WHERE opted_out_at IS NULL AND NOT excluded AND recent) AS contacted_recently,
       count(*) FILTER (WHERE opted_out_at IS NULL AND NOT excluded AND NOT recent)
         - count(DISTINCT identity) FILTER (WHERE opted_out_at IS NULL AND NOT excluded AND NOT recent) AS same_person
FROM member;

-- name: add_recipients$
-- Recipient and Message 1 of one step, while the campaign is launching; a contact that is in already is skipped.
WITH running AS (
    SELECT c.id, c.sender, c.media_1, c.quota_plan, s.time_zone FROM campaign c JOIN sender s ON s.id = c.sender
    WHERE c.id = :campaign AND c.status = 'launching' FOR SHARE OF c
), plan AS (
    -- A launch that is spread over several days: up to which row of the campaign each day goes.
    SELECT p.key::date AS day, sum(p.value::int) OVER (ORDER BY p.key) AS upto
    FROM running, jsonb_each_text(running.quota_plan) p
), added AS (
    INSERT INTO recipient (id, campaign, contact, identity, why, moved_by)
    SELECT g.id, running.id, g.contact, g.identity, 'launched', 'launcher'
    FROM running, unnest(:ids::uuid[], :contacts::uuid[], :identities::text[]) AS g(id, contact, identity)
    ON CONFLICT DO NOTHING
    RETURNING id, contact
), placed AS (
    SELECT id, contact, row_number() OVER (ORDER BY id)
        + (SELECT coalesce(sum(total), 0) FROM campaign_stats WHERE campaign = :campaign) AS place
    FROM added
), dated AS (
    -- Those of its first day name none: they go as soon as they can.
    SELECT id, contact, CASE WHEN (SELECT count(*) FROM plan) > 1 THEN nullif(
        coalesce((SELECT min(day) FROM plan WHERE upto >= place), (SELECT max(day) FROM plan)), (SELECT min(day) FROM plan)) END AS day
    FROM placed
), first AS (
    INSERT INTO message (recipient, campaign, contact, sender, step, phone, text, media, why, moved_by, quota_day, next_at)
    SELECT dated.id, running.id, dated.contact, running.sender, 1, g.phone, g.text, running.media_1, 'launched', 'launcher',
           dated.day, coalesce(dated.day::timestamp AT TIME ZONE running.time_zone, now())
    FROM dated JOIN unnest(:ids::uuid[], :phones::text[], :texts::text[]) AS g(id, phone, text) ON g.id = dated.id, running
    RETURNING id
)
SELECT CASE WHEN EXISTS (SELECT FROM running) THEN (SELECT count(*) FROM first) END;
