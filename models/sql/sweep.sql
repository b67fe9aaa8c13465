-- What time alone decides: silence, safety time, completion.

-- name: campaigns_to_sweep
SELECT c.id, c.name, c.sender, c.status, c.window_seconds, s.device_id,
       c.status = 'completed' OR c.status IN ('sending', 'waiting') AND now() > greatest(
           c.launched_at + make_interval(secs => c.safety_seconds),
           coalesce(c.planned_end, c.launched_at) + make_interval(secs => greatest(c.safety_seconds, c.window_seconds))
       ) + make_interval(secs => c.paused_seconds) AS past_safety
FROM campaign c JOIN sender s ON s.id = c.sender
WHERE c.status IN ('sending', 'waiting', 'paused')
   -- A late acknowledgement opens a window again, a proof of absence leaves something to be sent: also after the end.
   OR (c.status IN ('cancelled', 'completed') AND (
       EXISTS (SELECT FROM message m WHERE m.campaign = c.id AND m.status = 'pending' AND m.step = 1)
       OR EXISTS (SELECT FROM message m WHERE m.campaign = c.id AND m.status = 'pending' AND m.step = 2)
       OR EXISTS (SELECT FROM recipient r WHERE r.campaign = c.id AND r.state = 'awaiting_reply')))
ORDER BY c.id;

-- name: windows_ended$
-- Whether there is anybody to mark.
SELECT EXISTS (SELECT FROM recipient WHERE campaign = :campaign AND state = 'awaiting_reply' AND window_ends_at < :until);

-- name: mark_silent
-- One bounded step of one campaign, in the order of the windows. A row somebody else holds is left to the next sweep.
WITH due AS (
    SELECT id FROM recipient
    WHERE campaign = :campaign AND state = 'awaiting_reply' AND window_ends_at < :until
    ORDER BY id LIMIT :many FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE recipient r SET state = 'no_interaction', why = 'silent for the whole window', moved_by = 'sweeper'
FROM due WHERE r.id = due.id
RETURNING r.id, r.contact, r.window_ends_at;

-- name: pending_messages
-- What has not been promised yet, both steps, in bounded steps.
(SELECT id, attempt FROM message WHERE campaign = :campaign AND status = 'pending' AND step = 1 ORDER BY next_at, id LIMIT :many)
UNION ALL
(SELECT id, attempt FROM message WHERE campaign = :campaign AND status = 'pending' AND step = 2 LIMIT :many)
LIMIT :many;

-- name: nobody_open$
-- Whether every recipient of a campaign is final (the completing statement asks again).
SELECT NOT EXISTS (SELECT FROM recipient r WHERE r.campaign = :campaign
        AND (r.state IN ('queued', 'awaiting_reply') OR (r.state = 'unconfirmed' AND NOT :past_safety)))
   AND NOT EXISTS (SELECT FROM recipient r JOIN message m ON m.recipient = r.id AND m.step = 2
        WHERE r.campaign = :campaign AND r.state = 'replied'
          AND (m.status IN ('pending', 'sending') OR (m.status = 'unconfirmed' AND NOT :past_safety)));
