-- Which messages are planned for which local day of a number. Computed from the rows: nothing to drift, nothing to free.

-- name: lock_reservations!
-- Two launches of one number take turns; its lane goes on meanwhile.
SELECT pg_advisory_xact_lock(hashtextextended('reservations ' || :sender::uuid::text, 0)) AS locked;

-- name: reservations_of
-- In one snapshot: per day from today on what is used and planned; under the day null what waits without a day of its
-- own (launched for one day, or left over). What is being sent is charged already and counts there.
WITH open AS (
    SELECT id FROM campaign WHERE sender = :sender AND status IN ('sending', 'waiting', 'paused')
), planned AS (
    SELECT quota_day AS day, count(*) AS many FROM message
    WHERE sender = :sender AND status = 'pending' AND step = 1 AND quota_day >= :today
      AND campaign IN (SELECT id FROM open)
    GROUP BY quota_day
), uncharged AS (
    SELECT (SELECT coalesce(sum(s.pending), 0) FROM campaign_stats s WHERE s.campaign IN (SELECT id FROM open))
         - (SELECT count(*) FROM message m WHERE m.sender = :sender AND m.status = 'sending' AND m.step = 1
              AND m.campaign IN (SELECT id FROM open)) AS many
), asked AS (
    -- Their rows are not made yet, or not all of them: the plan counts.
    SELECT greatest(p.key::date, :today) AS day, sum(p.value::int) AS many
    FROM campaign c, jsonb_each_text(c.quota_plan) p
    WHERE c.sender = :sender AND c.status IN ('scheduled', 'launching') AND c.id IS DISTINCT FROM :without::uuid
    GROUP BY 1
)
SELECT day, sum(used)::int AS used, sum(reserved)::int AS reserved, bool_or(begun) AS begun FROM (
    SELECT day, used, 0 AS reserved, begun_at IS NOT NULL AS begun FROM quota_day WHERE sender = :sender AND day >= :today
    UNION ALL SELECT day, 0, many, false FROM planned
    UNION ALL SELECT day, 0, many, false FROM asked
    UNION ALL SELECT :today, 0, count(*), false FROM trial WHERE sender = :sender AND status = 'pending'
    UNION ALL SELECT NULL, 0, (SELECT many FROM uncharged) - (SELECT coalesce(sum(many), 0) FROM planned), false
) x GROUP BY day;

-- name: day_has_begun$
SELECT EXISTS (SELECT FROM quota_day WHERE sender = :sender AND day = :day AND begun_at IS NOT NULL);

-- name: move_reservations!
-- So many of what days gone by left over, the last in line, go to a later day.
WITH last AS (
    SELECT m.id FROM message m JOIN campaign c ON c.id = m.campaign AND c.status IN ('sending', 'waiting', 'paused')
    WHERE c.sender = :sender AND m.step = 1 AND m.status = 'pending' AND (m.quota_day IS NULL OR m.quota_day < :today)
    ORDER BY m.next_at DESC, m.id DESC LIMIT :many
), locked AS (
    SELECT id FROM message WHERE id IN (SELECT id FROM last) AND status = 'pending' ORDER BY id FOR NO KEY UPDATE
)
UPDATE message m SET quota_day = :into, next_at = greatest(m.next_at, :starts)
FROM locked WHERE m.id = locked.id;

-- name: plan_campaign!
UPDATE campaign SET quota_plan = :plan::jsonb WHERE id = :campaign;

-- name: postpone_launch!
-- Too little room at its time: it stays scheduled, for the next day, and says why. Not a move.
UPDATE campaign SET scheduled_at = :at, quota_plan = :plan::jsonb, why = :why, moved_by = 'launcher'
WHERE id = :campaign AND status = 'scheduled';

-- name: set_campaign_options!
UPDATE campaign SET spread_over_days = :spread_over_days, answer_automatic = :answer_automatic WHERE id = :campaign;

-- name: new_people$
-- Contacts of a campaign's audience that its number never wrote to.
SELECT count(DISTINCT c.identity) FROM contact c JOIN campaign k ON k.id = :campaign
WHERE c.opted_out_at IS NULL
  AND EXISTS (SELECT FROM contact_category cc JOIN campaign_category kc ON kc.category = cc.category AND kc.campaign = k.id
              WHERE cc.contact = c.id)
  AND NOT EXISTS (SELECT FROM contact_category x WHERE x.contact = c.id AND x.category = ANY(k.excluded_categories))
  AND NOT EXISTS (SELECT FROM message m WHERE m.contact = c.id AND m.sender = :sender AND m.promised_at IS NOT NULL);

-- name: new_conversations_waiting$
-- New conversations that a number's launched messages will still open, of those due on a local day.
SELECT count(*) FROM message m JOIN campaign c ON c.id = m.campaign AND c.status IN ('sending', 'waiting', 'paused')
WHERE c.sender = :sender AND m.step = 1 AND m.status = 'pending' AND (m.quota_day IS NULL OR m.quota_day <= :day)
  AND NOT EXISTS (SELECT FROM message e WHERE e.contact = m.contact AND e.sender = m.sender AND e.promised_at IS NOT NULL);

-- name: due_before
-- Message 1 of a campaign that a day would still have sent, one bounded step of them.
SELECT id, attempt FROM message
WHERE campaign = :campaign AND status = 'pending' AND step = 1 AND next_at < :before ORDER BY next_at, id LIMIT :many;

-- name: planned_ahead
-- What a campaign that is spread over several days has planned for the days to come.
SELECT quota_day AS day, count(*) AS many FROM message
WHERE sender = :sender AND campaign = :campaign AND status = 'pending' AND step = 1 AND quota_day > :today
GROUP BY quota_day ORDER BY quota_day;

-- name: conversations_of_month^
-- People a number wrote to in a month, by Message 1 that left, and those of them who answered.
SELECT count(DISTINCT m.contact) AS opened, count(DISTINCT m.contact) FILTER (WHERE r.replied_at IS NOT NULL) AS answered
FROM message m JOIN recipient r ON r.id = m.recipient
WHERE m.sender = :sender AND m.step = 1 AND m.promised_at >= :starts AND m.promised_at < :ends
  AND m.status IN ('sent', 'delivered', 'read');
