-- What the retrier works on: promises whose outcome nobody recorded.

-- name: doubtful
-- Oldest first, those already shown to people last. alive: the promising process still holds its advisory lock (a frozen one does, a dead one cannot).
-- reborn: the lock was taken on another run of PostgreSQL (restarted, promoted, restored), so that its absence proves nothing.
SELECT m.id, m.attempt, m.round, m.step, m.status, m.campaign, m.contact, m.phone, m.promised_at, m.ended_at, m.absent_at, m.retries,
       extract(epoch FROM now() - m.promised_at)::float8 AS age,
       extract(epoch FROM now() - m.absent_at)::float8 AS absent_for,
       process_lives(m.process) AS alive,
       NOT EXISTS (SELECT FROM heartbeat h WHERE h.process = m.process AND h.server = server_run()) AS reborn
FROM message m
WHERE m.sender = :sender AND m.status IN ('sending', 'unconfirmed')
  AND (m.status = 'unconfirmed' OR m.ended_at IS NOT NULL OR m.promised_at < now() - make_interval(secs => :older_than)
       OR NOT EXISTS (SELECT FROM heartbeat h WHERE h.process = m.process AND h.beat_at > now() - interval '3 seconds')
       OR EXISTS (SELECT FROM inbox i WHERE i.parked_for = m.id AND i.digested_at IS NULL))
ORDER BY (m.status = 'unconfirmed'), m.promised_at LIMIT :many;

-- name: hold_process_lock!
-- Held by a direct connection for as long as the process lives.
SELECT pg_advisory_lock(hashtextextended(:process::text, 0)) AS held;

-- name: process_lives$
-- Whether the server behind this connection knows that this process lives.
SELECT process_lives(:process);

-- name: later_accepted^
-- The control: the latest message this device is known to have taken after a promise.
SELECT id, round FROM message
WHERE sender = :sender AND sent_at > :than AND status IN ('sent', 'delivered', 'read') AND gateway_id IS NOT NULL
ORDER BY sent_at DESC LIMIT 1;
