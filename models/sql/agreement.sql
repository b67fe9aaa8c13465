-- Does the database remember everything the gateway was given? After a fail-over or a restore it may not.

-- name: remembered_since$
-- Everything a sender was given before this moment is known here (less a margin for clocks and stragglers).
-- By what was promised here, never by what was heard: an acknowledgement of something forgotten is newer than the gap.
SELECT coalesce((SELECT promised_at FROM message WHERE sender = s.id AND sent_at IS NOT NULL AND attempt > 0
                 ORDER BY sent_at DESC LIMIT 1), s.created_at) - interval '10 minutes'
FROM sender s WHERE s.id = :sender;

-- name: remembered
-- What we know of these references.
SELECT id, status, round FROM message WHERE id = ANY(:ids::uuid[]);

-- name: adopt_rounds!
-- The gateway holds a later round than this database remembers: whoever sends next must not take it for its own.
UPDATE message m SET round = g.round FROM unnest(:ids::uuid[], :rounds::int[]) AS g(id, round)
WHERE m.id = g.id AND m.round < g.round;

-- name: charge_forgotten!
-- What left and was forgotten counts on the local day it left, as its promise did that was forgotten with it.
WITH left_then AS (
    SELECT m.id, m.sender, (m.sent_at AT TIME ZONE s.time_zone)::date AS day
    FROM message m JOIN sender s ON s.id = m.sender WHERE m.id = ANY(:ids::uuid[])
), noted AS (
    UPDATE message m SET quota_day = l.day FROM left_then l WHERE m.id = l.id
)
INSERT INTO quota_day AS q (sender, day, used) SELECT sender, day, count(*) FROM left_then GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (sender, day) DO UPDATE SET used = q.used + excluded.used;

-- name: without_message_2
-- Whom a Message 2 nobody here knows may have been for: a person's Message 1 that left and has none, the latest first.
SELECT r.id AS recipient, k.message_2
FROM recipient r JOIN contact c ON c.id = r.contact
    JOIN message m ON m.recipient = r.id AND m.step = 1 JOIN campaign k ON k.id = r.campaign AND k.message_2 IS NOT NULL
WHERE c.identity = :identity AND m.sender = :sender AND m.status IN ('sent', 'delivered', 'read')
  AND NOT EXISTS (SELECT FROM message x WHERE x.recipient = r.id AND x.step = 2)
ORDER BY m.sent_at DESC;

-- name: forgotten_message_2$
-- A reference nobody here knows, given to somebody whose Message 1 is answered or waits for an answer, with a text that
-- its Message 2 may have: that one, whose row was lost. The row is made again, so that there will be no second one.
WITH person AS (
    SELECT id, campaign, contact, state FROM recipient WHERE id = :recipient
), replied AS (
    UPDATE recipient r SET state = 'replied', replied_at = coalesce(r.replied_at, :at), moved_by = 'agreement',
        why = 'the gateway holds a Message 2 that this database had lost'
    FROM person WHERE r.id = person.id AND person.state IN ('awaiting_reply', 'no_interaction', 'late_reply')
)
INSERT INTO message (id, recipient, campaign, contact, sender, step, phone, text, why, moved_by)
SELECT :id, person.id, person.campaign, person.contact, :sender, 2, :phone,
       coalesce(:text::text, '(text lost with the database)'),
       'the gateway holds it, this database had lost it', 'agreement'
FROM person
ON CONFLICT DO NOTHING RETURNING id;
