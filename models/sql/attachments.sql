-- Files that messages carry, and the gateway's copies of them.

-- name: add_attachment^
INSERT INTO attachment (filename, kind, mime, size, sha256, body)
VALUES (:filename, :kind, :mime, :size, :sha256, :body)
RETURNING id, filename, kind, mime, size, sha256, created_at;

-- name: list_attachments
SELECT id, filename, kind, mime, size, sha256, created_at FROM attachment
WHERE true [[AND id < :before]] ORDER BY id DESC LIMIT :many;

-- name: read_attachment^
SELECT id, filename, kind, mime, size, sha256, created_at FROM attachment WHERE id = :attachment;

-- name: attachment_body^
SELECT filename, mime, body FROM attachment WHERE id = :attachment;

-- name: campaigns_with$
-- How many campaigns that may still send carry this file.
SELECT count(*) FROM campaign
WHERE status NOT IN ('completed', 'cancelled')
  AND (media_1 ->> 'media_id' = :attachment::uuid::text OR media_2 ->> 'media_id' = :attachment::uuid::text);

-- name: delete_attachment$
DELETE FROM attachment WHERE id = :attachment RETURNING id;

-- name: attachments_of
-- What a campaign carries, and whether the gateway's copy lasts: whoever answers late must still get it.
SELECT a.id, a.gateway_file, a.filename, s.step,
       a.gateway_file IS NOT NULL AND coalesce(a.gateway_until > now() + make_interval(days => :days), true) AS lasts
FROM campaign c
CROSS JOIN LATERAL (VALUES (1, c.media_1), (2, c.media_2)) AS s(step, media)
JOIN attachment a ON a.id = (s.media ->> 'media_id')::uuid
WHERE c.id = :campaign ORDER BY s.step;

-- name: note_kept!
UPDATE attachment SET gateway_file = :file, gateway_until = :until WHERE id = :attachment;

-- name: carry_file!
-- Before the launch makes its rows: every message of this campaign names the gateway's copy.
UPDATE campaign SET
    media_1 = CASE WHEN media_1 ->> 'media_id' = :attachment::uuid::text
        THEN media_1 || jsonb_build_object('file_id', :file::text) ELSE media_1 END,
    media_2 = CASE WHEN media_2 ->> 'media_id' = :attachment::uuid::text
        THEN media_2 || jsonb_build_object('file_id', :file::text) ELSE media_2 END
WHERE id = :campaign;
