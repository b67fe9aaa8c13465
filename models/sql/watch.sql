-- What the scheduler looks at, every second: work that nobody does.

-- name: lead$
-- The one leader: a lease by the clock; a frozen leader loses it.
INSERT INTO leader AS l (name, owner, until) VALUES ('scheduler', :owner, now() + make_interval(secs => :seconds))
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE l.owner = excluded.owner OR l.until < now()
RETURNING true;

-- name: stop_leading!
DELETE FROM leader WHERE name = 'scheduler' AND owner = :owner;

-- name: idle_lanes
-- Senders with a running campaign, something to do by now, and no owner.
SELECT s.id FROM sender s
WHERE s.state IN ('ready', 'degraded') AND (s.lease_until IS NULL OR s.lease_until < now()) AND s.not_before <= now()
  AND EXISTS (SELECT FROM campaign c WHERE c.sender = s.id AND c.status = 'sending')
LIMIT :many;

-- name: due_message_2
SELECT m.id FROM message m JOIN campaign c ON c.id = m.campaign JOIN sender s ON s.id = m.sender
    JOIN contact k ON k.id = m.contact AND k.opted_out_at IS NULL
WHERE m.status = 'pending' AND m.step = 2 AND m.next_at <= now() - make_interval(secs => :older_than)
  AND c.status <> 'cancelled' AND NOT (c.status = 'paused' AND c.holds = 'all') AND s.state IN ('ready', 'degraded')
ORDER BY m.next_at LIMIT :many;

-- name: senders_in_doubt
-- Promises that nobody is keeping: their process ended the call, or died, or the time for any call is over.
SELECT DISTINCT m.sender FROM message m
WHERE m.status = 'sending' AND (m.ended_at IS NOT NULL OR m.promised_at < now() - make_interval(secs => :older_than)
    OR NOT EXISTS (SELECT FROM heartbeat h WHERE h.process = m.process AND h.beat_at > now() - interval '3 seconds'))
LIMIT :many;

-- name: senders_unconfirmed
-- Doubts that were shown to people: a later proof may still settle them.
SELECT DISTINCT m.sender FROM message m WHERE m.status = 'unconfirmed' LIMIT :many;

-- name: senders_to_examine
-- Offline, or sending: the webhook that tells how their device is may be lost.
SELECT s.id FROM sender s
WHERE s.state = 'offline' OR (s.state IN ('ready', 'degraded') AND EXISTS (
    SELECT FROM campaign c WHERE c.sender = s.id AND c.status = 'sending'))
LIMIT :many;

-- name: senders_at_work
-- Numbers that are sending, or were just now.
SELECT s.id FROM sender s
WHERE EXISTS (SELECT FROM campaign c WHERE c.sender = s.id AND c.status = 'sending') LIMIT :many;

-- name: senders_to_hear
-- Senders that somebody may be answering.
SELECT DISTINCT sender AS id FROM campaign WHERE status IN ('sending', 'waiting', 'paused') LIMIT :many;

-- name: unfinished_launches
SELECT id FROM campaign WHERE status = 'launching' LIMIT :many;

-- name: due_campaigns
SELECT id FROM campaign WHERE status = 'scheduled' AND scheduled_at <= now() LIMIT :many;

-- name: unfinished_imports
SELECT id FROM import WHERE state IN ('pending', 'running') LIMIT :many;

-- name: active_campaigns
SELECT id FROM campaign WHERE status = ANY(:statuses::text[]) ORDER BY id LIMIT :many;

-- name: beat!
-- On the connection that holds the process's lock: its server is the one that knows whether the process lives.
INSERT INTO heartbeat (process, kind, host, pid, server) VALUES (:process, :kind, :host, :pid, server_run())
ON CONFLICT (process) DO UPDATE SET beat_at = now();

-- name: ended!
-- It stops in good order: nobody misses it.
UPDATE heartbeat SET ended_at = now(), beat_at = now() WHERE process = :process;
