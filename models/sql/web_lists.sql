-- Recipients, messages and interactions, as the API lists them: by key, bounded.

-- name: list_recipients
SELECT r.id, r.contact AS contact_id, c.phone, c.name, r.state, r.why AS reason, r.failed_step, r.window_ends_at, r.replied_at
FROM recipient r LEFT JOIN contact c ON c.id = r.contact
WHERE r.campaign = :campaign [[AND r.state = :state]] [[AND r.id > :after]]
ORDER BY r.id LIMIT :many;

-- name: read_recipient^
SELECT r.id, r.contact AS contact_id, c.phone, c.name, r.state, r.why AS reason, r.failed_step, r.window_ends_at, r.replied_at,
       r.campaign AS campaign_id
FROM recipient r LEFT JOIN contact c ON c.id = r.contact WHERE r.id = :recipient;

-- name: messages_of_recipient
SELECT m.id, m.campaign AS campaign_id, m.recipient AS recipient_id, m.contact AS contact_id, 'message_' || m.step AS message_type,
       CASE WHEN m.step = 1 AND r.state = 'no_interaction' THEN r.state ELSE m.status END AS status, m.text AS content,
       m.whatsapp_message_id, m.sent_at, m.delivered_at, m.read_at, m.error_text AS error_message, m.retries AS retry_count
FROM message m JOIN recipient r ON r.id = m.recipient WHERE m.recipient = :recipient ORDER BY m.step;

-- name: interactions_of_recipient
SELECT id, contact AS contact_id, campaign AS campaign_id, recipient AS recipient_id, type, body, whatsapp_message_id, quoted_id,
       at, received_at, in_window, outcome, why AS reason, automatic
FROM interaction WHERE recipient = :recipient ORDER BY id LIMIT 500;

-- name: events_of_recipient
-- Of the person, and of both messages. As one array: an OR over a subquery read every event there is.
SELECT subject, subject_id, old, new, why AS reason, moved_by, at FROM event
WHERE subject_id = ANY(ARRAY(SELECT :recipient::uuid UNION ALL SELECT id FROM message WHERE recipient = :recipient))
ORDER BY id LIMIT 1000;

-- name: list_messages
-- Silent people's Message 1 is shown as no_interaction. :ids, where given, has been chosen already.
SELECT m.id, m.campaign AS campaign_id, m.recipient AS recipient_id, m.contact AS contact_id, 'message_' || m.step AS message_type,
       CASE WHEN m.step = 1 AND r.state = 'no_interaction' THEN r.state ELSE m.status END AS status, m.text AS content,
       m.whatsapp_message_id, m.sent_at, m.delivered_at, m.read_at, m.error_text AS error_message, m.retries AS retry_count
FROM message m JOIN recipient r ON r.id = m.recipient
WHERE true [[AND m.id = ANY(:ids::uuid[])]] [[AND m.id < :before]] [[AND m.campaign = :campaign]] [[AND m.step = :step]]
  [[AND m.status = :status AND NOT (m.step = 1 AND r.state = 'no_interaction')]]
ORDER BY m.id DESC LIMIT :many;

-- name: rare_messages
-- Of a status that few messages have at a time. They may all lie at the far end of a million, and the planner, which
-- believes them to be everywhere, would walk there along the key: a range and a second column leave it only their own index.
SELECT m.id FROM message m
WHERE m.status >= :status AND m.status <= :status AND m.status IN ('pending', 'sending', 'unconfirmed', 'failed', 'cancelled')
  [[AND (m.status, m.id) < (:status, :before::uuid)]] [[AND m.campaign = :campaign]] [[AND m.step = :step]]
ORDER BY m.status DESC, m.id DESC LIMIT :many;

-- name: silent_messages
-- Message 1 of those who stayed silent, by their recipient's key; the same way.
SELECT m.id FROM (
    SELECT r.id FROM recipient r
    WHERE r.state >= 'no_interaction' AND r.state <= 'no_interaction'
      [[AND (r.state, r.id) < ('no_interaction', (SELECT recipient FROM message WHERE id = :before))]] [[AND r.campaign = :campaign]]
    ORDER BY r.state DESC, r.id DESC LIMIT :many) s
JOIN message m ON m.recipient = s.id AND m.step = 1;

-- name: message_stats^
-- All in one statement, from the exact counters: a sum of 16 rows per campaign, however many messages there are.
SELECT coalesce(sum(total), 0)::bigint AS total, coalesce(sum(pending), 0)::bigint AS pending,
       coalesce(sum(unconfirmed), 0)::bigint AS unconfirmed, coalesce(sum(sent), 0)::bigint AS sent,
       coalesce(sum(delivered), 0)::bigint AS delivered, coalesce(sum(read), 0)::bigint AS read,
       coalesce(sum(send_failed), 0)::bigint AS send_failed, coalesce(sum(cancelled), 0)::bigint AS cancelled,
       coalesce(sum(replied), 0)::bigint AS interactions, coalesce(sum(message_2_sent), 0)::bigint AS message_2_sent,
       coalesce(sum(message_2_failed), 0)::bigint AS message_2_failed, coalesce(sum(late_replies), 0)::bigint AS late_replies,
       coalesce(sum(no_interaction), 0)::bigint AS no_interaction, coalesce(sum(opted_out), 0)::bigint AS opted_out,
       coalesce(sum(send_failed) + sum(no_interaction), 0)::bigint AS failed_count
FROM campaign_stats WHERE :campaign::uuid IS NULL OR campaign = :campaign;

-- name: list_interactions
-- :floor is a key that nothing of that time can lie before: the list need not be read to its beginning.
SELECT i.id, i.contact AS contact_id, c.phone, c.name, i.campaign AS campaign_id, i.recipient AS recipient_id, i.type, i.body,
       i.whatsapp_message_id, i.quoted_id, i.at, i.received_at, i.in_window, i.outcome, i.why AS reason, i.automatic
FROM interaction i LEFT JOIN contact c ON c.id = i.contact
WHERE true [[AND i.id < :before]] [[AND i.campaign = :campaign]] [[AND i.type = :type]] [[AND i.contact = :contact]]
  [[AND i.at >= :since]] [[AND i.id >= :floor]] [[AND i.in_window = :in_window]] [[AND i.outcome = :outcome]]
ORDER BY i.id DESC LIMIT :many;
