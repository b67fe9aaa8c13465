-- A person's retry: Message 1 of those who failed, once more.

-- name: retry_failed$
-- One bounded step; only what is proven never to have left (:proven are its error classes, and nothing was accepted).
-- A new round is a new reference; the retries begin anew. The campaign is locked first and sends again in the same
-- statement, with its safety time counted from now. Null: no such campaign, or it is in no status for this.
WITH running AS (
    SELECT id FROM campaign WHERE id = :campaign AND status IN ('sending', 'waiting', 'paused', 'completed') FOR UPDATE
), chosen AS (
    SELECT m.id, m.recipient FROM message m JOIN running ON running.id = m.campaign
        JOIN contact c ON c.id = m.contact AND c.opted_out_at IS NULL
    WHERE m.status = 'failed' AND m.step = 1 AND m.sent_at IS NULL AND m.error_class = ANY(:proven::text[])
    ORDER BY m.id LIMIT :many
), person AS (
    SELECT r.id FROM recipient r
    WHERE r.id IN (SELECT recipient FROM chosen) AND r.state = 'failed' AND r.failed_step = 1
    ORDER BY r.id FOR NO KEY UPDATE
), locked AS (
    SELECT m.id FROM message m JOIN person ON person.id = m.recipient
    WHERE m.id IN (SELECT id FROM chosen) AND m.status = 'failed' AND m.sent_at IS NULL
    ORDER BY m.id FOR NO KEY UPDATE OF m
), moved AS (
    UPDATE message m SET status = 'pending', round = m.round + 1, retries = 0, next_at = now(), ended_at = NULL, absent_at = NULL,
        failed_at = NULL, error_class = NULL, error_text = NULL, why = 'a person retried what had failed', moved_by = :by
    FROM locked WHERE m.id = locked.id RETURNING m.recipient
), followed AS (
    UPDATE recipient r SET state = 'queued', failed_step = NULL, why = 'a person retried Message 1', moved_by = :by
    FROM moved WHERE r.id = moved.recipient
), resumed AS (
    UPDATE campaign c SET status = CASE WHEN c.status = 'paused' THEN c.status ELSE 'sending' END, completed_at = NULL,
        final_stats = NULL, planned_end = now(), breaker_since = now(), why = 'a person retried what had failed', moved_by = :by
    FROM running WHERE c.id = running.id AND EXISTS (SELECT FROM moved)
)
SELECT CASE WHEN EXISTS (SELECT FROM running) THEN (SELECT count(*) FROM moved) END;

-- name: still_failed
-- Why those whose Message 1 failed stay so: by error class, or because they opted out meanwhile.
SELECT CASE WHEN c.id IS NULL OR c.opted_out_at IS NOT NULL THEN 'opted_out' ELSE coalesce(m.error_class, 'unknown') END AS reason,
       count(*) AS people
FROM message m LEFT JOIN contact c ON c.id = m.contact
WHERE m.campaign = :campaign AND m.status = 'failed' AND m.step = 1
GROUP BY 1 ORDER BY 1;
