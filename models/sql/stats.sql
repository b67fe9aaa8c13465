-- Time series.

-- name: store_minute!
-- The counters as they stand now, under this minute: any number of times, the last one counts.
INSERT INTO campaign_minute (campaign, minute, sent, delivered, read, send_failed, replied, message_2_sent)
VALUES (:campaign, :minute, :sent, :delivered, :read, :send_failed, :replied, :message_2_sent)
ON CONFLICT (campaign, minute) DO UPDATE SET sent = excluded.sent, delivered = excluded.delivered, read = excluded.read,
    send_failed = excluded.send_failed, replied = excluded.replied, message_2_sent = excluded.message_2_sent;
