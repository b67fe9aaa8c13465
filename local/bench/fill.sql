-- A year of work in a dozen statements, run in this order. Triggers and indexes are off meanwhile.

-- name: contacts!
-- Numbers with more digits than a number of the reserved range has: they can belong to nobody.
INSERT INTO contact (id, phone, identity, name, attributes, created_at)
SELECT uuid7(), '+3319900' || lpad(n::text, 7, '0'), '+3319900' || lpad(n::text, 7, '0'),
       (ARRAY['Awa', 'Ana', 'Bela', 'Chen', 'Dora', 'Emil', 'Fatou', 'Gil'])[1 + n % 8] || ' ' || substr(md5(n::text), 1, 7),
       jsonb_build_object('city', 'City ' || n % 500), now() - interval '1 year'
FROM generate_series(1, :contacts::int) AS g(n);

-- name: categories!
INSERT INTO category (name) SELECT 'Category ' || n FROM generate_series(1, :categories::int) AS g(n);

-- name: members!
INSERT INTO contact_category (id, contact, category)
SELECT uuid7(), c.id, k.id
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM contact) c
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM category) k ON k.n = 1 + c.n % :categories::int;

-- name: campaigns!
-- One a day up to now; the last four are still open.
INSERT INTO campaign (id, name, sender, message_1, message_2, status, why, moved_by, window_seconds, safety_seconds, launched_at,
                      created_at, planned_end, paused_at, holds, completed_at, final_stats)
SELECT uuid7(), 'Campaign ' || n, (SELECT id FROM sender ORDER BY id LIMIT 1), 'Hello {{name}}', 'Thanks {{name}}', status,
       'bench', 'bench', 86400, 172800, at, at, at + interval '2 hours',
       CASE WHEN status = 'paused' THEN now() END, CASE WHEN status = 'paused' THEN 'all' END,
       CASE WHEN status = 'completed' THEN at + interval '1 day' END,
       CASE WHEN status = 'completed' THEN '{"as": "stored"}'::jsonb END
FROM (SELECT n, now() - make_interval(days => :campaigns::int - n) - interval '3 hours' AS at,
             CASE WHEN :campaigns::int - n < 2 THEN 'waiting' WHEN :campaigns::int - n < 4 THEN 'paused' ELSE 'completed' END AS status
      FROM generate_series(1, :campaigns::int) AS g(n) ORDER BY n) s;

-- name: audiences!
INSERT INTO campaign_category (campaign, category)
SELECT c.id, k.id
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM campaign) c
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS n FROM category) k ON k.n = 1 + c.n % :categories::int;

-- name: recipients!
INSERT INTO recipient (id, campaign, contact, identity, state, why, moved_by, failed_step, window_ends_at, replied_at)
SELECT uuid7(), k.id, c.id, c.identity, s.state, 'bench', 'bench', CASE WHEN s.state = 'failed' THEN 1 END,
       k.launched_at + interval '1 day', CASE WHEN s.state IN ('followed_up', 'late_reply') THEN k.launched_at + interval '1 hour' END
FROM (SELECT id, launched_at, status, row_number() OVER (ORDER BY id) AS n FROM campaign) k
CROSS JOIN generate_series(1, :recipients::int) AS g(n)
JOIN (SELECT id, identity, row_number() OVER (ORDER BY id) AS n FROM contact) c
  ON c.n = 1 + (g.n + k.n * :recipients::int) % :contacts::int
CROSS JOIN LATERAL (
    SELECT CASE WHEN g.n % 20 = 0 THEN 'failed' WHEN g.n % 20 IN (1, 2) THEN 'followed_up' WHEN g.n % 20 = 3 THEN 'late_reply'
                WHEN g.n % 20 = 4 AND k.status <> 'completed' THEN 'awaiting_reply' ELSE 'no_interaction' END AS state) s
ORDER BY k.id, g.n;

-- name: messages!
INSERT INTO message (id, recipient, campaign, contact, sender, step, phone, text, status, why, moved_by, attempt, promised_at,
                     process, gateway_id, whatsapp_message_id, sent_at, delivered_at, read_at, failed_at, error_class, error_text,
                     accept_ms, created_at)
SELECT uuid7(), r.id, r.campaign, r.contact, k.sender, t.step, r.identity,
       'Hello, here is what we wrote to you about the opening on Saturday: ' || md5(r.id::text), s.status,
       'accepted by the gateway', 'bench', 1, s.at, k.sender, left(md5(s.id), 24), '3EB0' || upper(left(md5(s.id || 'w'), 16)),
       CASE WHEN s.status <> 'failed' THEN s.at END,
       CASE WHEN s.status IN ('delivered', 'read') THEN s.at + interval '2 s' END,
       CASE WHEN s.status = 'read' THEN s.at + interval '90 s' END,
       CASE WHEN s.status = 'failed' THEN s.at END, CASE WHEN s.status = 'failed' THEN 'refused' END,
       CASE WHEN s.status = 'failed' THEN 'no such number' END, 120, k.launched_at
FROM recipient r JOIN campaign k ON k.id = r.campaign CROSS JOIN generate_series(1, 2) AS t(step)
CROSS JOIN LATERAL (
    SELECT r.id::text || t.step AS id,
           k.launched_at + make_interval(secs => ('x' || right(r.id::text, 4))::bit(16)::int / 10.0) AS at,
           CASE WHEN r.state = 'failed' THEN 'failed' WHEN right(r.id::text, 1) < '2' THEN 'sent'
                WHEN right(r.id::text, 1) < '8' THEN 'delivered' ELSE 'read' END AS status) s
WHERE t.step = 1 OR r.state = 'followed_up'
ORDER BY r.id, t.step;

-- name: events!
INSERT INTO event (subject, subject_id, campaign, old, new, why, moved_by, at)
SELECT 'message', id, campaign, 'sending', 'sent', 'accepted by the gateway', 'recorder', sent_at
FROM message WHERE sent_at IS NOT NULL;

-- name: interactions!
INSERT INTO interaction (id, inbox, contact, sender, campaign, recipient, type, body, whatsapp_message_id, at, received_at,
                         in_window, outcome, why)
SELECT uuid7(), gen_random_uuid(), r.contact, k.sender, r.campaign, r.id,
       CASE WHEN right(r.id::text, 1) < '4' THEN 'voice' ELSE 'text' END, 'Yes, please', left(md5(r.id::text), 20),
       r.replied_at, r.replied_at, r.state <> 'late_reply', 'follow_up', 'the latest Message 1'
FROM recipient r JOIN campaign k ON k.id = r.campaign WHERE r.replied_at IS NOT NULL ORDER BY r.id;

-- name: batches!
INSERT INTO batch (id, campaign, sender, number, size, base_delay, delay, pause, gaps, error_rate, adjustment, attempted, sent,
                   started_at, finished_at, finished_why)
SELECT uuid7(), k.id, k.sender, n, 75, 5, 5, 30, '{5}', 0, 'the usual', 75, 75, k.launched_at, k.launched_at, 'full'
FROM campaign k CROSS JOIN generate_series(1, 60) AS g(n) ORDER BY k.id, n;

-- name: minutes!
INSERT INTO campaign_minute (campaign, minute, sent, delivered, read, send_failed, replied, message_2_sent)
SELECT k.id, date_trunc('minute', k.launched_at) + make_interval(mins => n), n * 12, n * 10, n * 5, n, n, n
FROM campaign k CROSS JOIN generate_series(1, 120) AS g(n) ORDER BY k.id, n;

-- name: message_counters!
INSERT INTO campaign_stats (campaign, slot, total, sent, delivered, read, send_failed, message_2_sent)
SELECT campaign, 0, count(*) FILTER (WHERE step = 1), count(*) FILTER (WHERE step = 1 AND status <> 'failed'),
       count(*) FILTER (WHERE step = 1 AND status IN ('delivered', 'read')), count(*) FILTER (WHERE step = 1 AND status = 'read'),
       count(*) FILTER (WHERE step = 1 AND status = 'failed'), count(*) FILTER (WHERE step = 2 AND status <> 'failed')
FROM message GROUP BY campaign;

-- name: recipient_counters!
INSERT INTO campaign_stats (campaign, slot, replied, late_replies, no_interaction)
SELECT campaign, 1, count(*) FILTER (WHERE replied_at IS NOT NULL), count(*) FILTER (WHERE state = 'late_reply'),
       count(*) FILTER (WHERE state = 'no_interaction')
FROM recipient GROUP BY campaign;

-- name: other_slots!
INSERT INTO campaign_stats (campaign, slot) SELECT k.id, n FROM campaign k CROSS JOIN generate_series(2, 15) AS g(n);
