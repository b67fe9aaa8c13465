-- Senders, as the API shows and changes them. Their states move in campaigns.sql only.

-- name: list_senders
SELECT s.*, now() AS now FROM sender s ORDER BY s.id LIMIT 200;

-- name: sender_page
SELECT s.*, now() AS now FROM sender s [[WHERE s.id > :after]] ORDER BY s.id LIMIT :many;

-- name: senders_in
SELECT id FROM sender WHERE state = ANY(:states::text[]) ORDER BY id;

-- name: read_sender^
SELECT s.*, now() AS now FROM sender s WHERE s.id = :sender;

-- name: add_sender$
-- Null where the device is known already.
INSERT INTO sender (gateway, device_id, name, phone, time_zone, daily_limit, pacing)
VALUES (:gateway, :device_id, :name, :phone, :time_zone, :daily_limit, :pacing::jsonb)
ON CONFLICT (gateway, device_id) DO NOTHING RETURNING id;

-- name: change_sender!
UPDATE sender SET name = :name, phone = :phone, time_zone = :time_zone, daily_limit = :daily_limit, pacing = :pacing::jsonb,
    first_used_at = :first_used_at, mature = :mature
WHERE id = :sender;

-- name: settings_set
SELECT key, value FROM setting;

-- name: change_setting!
INSERT INTO setting (key, value, changed_by) VALUES (:key, :value::jsonb, :by)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = now(), changed_by = excluded.changed_by;

-- name: unset_setting!
DELETE FROM setting WHERE key = :key;
