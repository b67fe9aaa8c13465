-- What is not kept for ever: in small steps by key, each a statement of its own, so that nobody waits for it.

-- name: forget_webhooks^
-- Digested webhooks that came before a moment (as the smallest key of it). What somebody holds is left to the next time.
WITH old AS (
    SELECT id FROM inbox WHERE id > :after AND id < :before AND digested_at IS NOT NULL
    ORDER BY id LIMIT :many FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM inbox i USING old WHERE i.id = old.id RETURNING i.id
)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT id FROM gone ORDER BY id DESC LIMIT 1) AS last;

-- name: forget_events^
-- Moves of people and messages of campaigns that are over. Keys rise with the time: the first young one ends it.
WITH step AS (
    SELECT id, subject, campaign, at < :before AS old FROM event WHERE id > :after ORDER BY id LIMIT :many
), gone AS (
    DELETE FROM event e USING step s JOIN campaign c ON c.id = s.campaign
    WHERE e.id = s.id AND s.old AND s.subject IN ('recipient', 'message') AND c.status IN ('completed', 'cancelled')
    RETURNING e.id
)
SELECT (SELECT count(*) FROM gone) AS gone, (SELECT max(id) FROM step) AS last,
       coalesce((SELECT bool_and(old) FROM step), false) AS more;
