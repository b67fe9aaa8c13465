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
    SELECT id, sender, media_1 FROM campaign WHERE id = :campaign AND status = 'launching' FOR SHARE
), added AS (
    INSERT INTO recipient (id, campaign, contact, identity, why, moved_by)
    SELECT g.id, running.id, g.contact, g.identity, 'launched', 'launcher'
    FROM running, unnest(:ids::uuid[], :contacts::uuid[], :identities::text[]) AS g(id, contact, identity)
    ON CONFLICT DO NOTHING
    RETURNING id, contact
), first AS (
    INSERT INTO message (recipient, campaign, contact, sender, step, phone, text, media, why, moved_by)
    SELECT added.id, running.id, added.contact, running.sender, 1, g.phone, g.text, running.media_1, 'launched', 'launcher'
    FROM added JOIN unnest(:ids::uuid[], :phones::text[], :texts::text[]) AS g(id, phone, text) ON g.id = added.id, running
    RETURNING id
)
SELECT CASE WHEN EXISTS (SELECT FROM running) THEN (SELECT count(*) FROM first) END;

-- name: quota_committed$
-- Message 1 that running campaigns of this number still have to send.
SELECT coalesce(sum(s.pending), 0)::bigint FROM campaign c JOIN campaign_stats s ON s.campaign = c.id
WHERE c.sender = :sender AND c.status IN ('launching', 'sending', 'paused');
