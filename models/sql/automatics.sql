-- Replies that are no person's: what tells them from a person's.

-- name: same_text_contacts$
-- Other people who wrote the same within the last day.
SELECT count(DISTINCT contact) FROM interaction
WHERE fingerprint = :fingerprint AND received_at > :since AND contact <> :contact;

-- name: texts_to
-- What a contact got from us, the newest first.
SELECT text FROM message WHERE contact = :contact AND promised_at IS NOT NULL ORDER BY promised_at DESC LIMIT 20;

-- name: mark_interaction!
UPDATE interaction SET fingerprint = :fingerprint, automatic = :automatic WHERE inbox = :inbox;
