-- A file of contacts: stored with its upload, digested batch by batch, dropped when done.

-- name: add_import$
INSERT INTO import (filename, body, category, region, dry_run)
VALUES (:filename, :body, :category, :region, :dry_run) RETURNING id;

-- name: read_import^
-- With the first rejected rows; the others are in the CSV.
SELECT i.id, i.filename, i.state, i.why, i.dry_run, i.rows, i.created, i.updated, i.unchanged, i.rejected, i.created_at, i.finished_at,
       (SELECT coalesce(jsonb_agg(to_jsonb(e)), '[]') FROM (
            SELECT line, title AS column, value, reason FROM rejected_row WHERE upload = i.id ORDER BY id LIMIT 1000) e) AS errors
FROM import i WHERE i.id = :id;

-- name: list_imports
SELECT id, filename, state, why, dry_run, rows, created, updated, unchanged, rejected, created_at, finished_at
FROM import WHERE :before::uuid IS NULL OR id < :before ORDER BY id DESC LIMIT :many;

-- name: rejected_rows
SELECT id, line, title AS column, value, reason FROM rejected_row WHERE upload = :upload AND id > :after ORDER BY id LIMIT :many;

-- name: start_import^
-- Pending or (after a crash) running: go on behind the rows that are counted.
UPDATE import SET state = 'running', started_at = coalesce(started_at, now())
WHERE id = :id AND state IN ('pending', 'running')
RETURNING body, category, region, dry_run, rows;

-- name: lock_import$
-- One digester at a time goes on from the row where the last one stopped. Null: somebody else did, or it is over.
SELECT rows FROM import WHERE id = :id AND state = 'running' AND rows = :rows FOR UPDATE;

-- name: count_import!
UPDATE import SET rows = rows + :rows, created = created + :created, updated = updated + :updated,
    unchanged = unchanged + :unchanged, rejected = rejected + :rejected
WHERE id = :id;

-- name: add_rejected_rows!
INSERT INTO rejected_row (upload, line, title, value, reason)
SELECT :upload, line, title, value, reason
FROM unnest(:lines::int[], :titles::text[], :values::text[], :reasons::text[]) AS g(line, title, value, reason);

-- name: finish_import$
UPDATE import SET state = :state, why = :why, body = NULL, finished_at = now()
WHERE id = :id AND state IN ('pending', 'running') RETURNING id;

-- name: import_categories
-- The categories of these names; those that do not exist are made.
WITH made AS (
    INSERT INTO category (name) SELECT DISTINCT n FROM unnest(:names::text[]) AS g(n) ORDER BY n
    ON CONFLICT (name) DO NOTHING RETURNING id, name
)
SELECT id, name FROM made UNION SELECT id, name FROM category WHERE name = ANY(:names::text[]);

-- name: import_contacts
-- One batch: a contact is made, or what its row says is laid over it; an empty cell says nothing. A person is known under
-- any spelling of the number; of several contacts that are one person the one with this very phone, else the oldest.
WITH given AS (
    SELECT * FROM unnest(:phones::text[], :identities::text[], :names::text[], :attributes::jsonb[], :consents::text[])
        AS g(phone, identity, name, attributes, consent_source)
), same AS (
    SELECT DISTINCT ON (g.identity) g.identity, c.id FROM given g JOIN contact c USING (identity)
    ORDER BY g.identity, (c.phone = g.phone) DESC, c.id
), known AS (
    SELECT c.id, same.identity FROM contact c JOIN same USING (id) WHERE c.erased_at IS NULL ORDER BY c.id FOR NO KEY UPDATE OF c
), changed AS (
    UPDATE contact c SET name = coalesce(g.name, c.name), attributes = c.attributes || g.attributes,
        consent_source = coalesce(g.consent_source, c.consent_source), updated_at = now()
    FROM given g JOIN known k USING (identity)
    WHERE c.id = k.id AND (g.name IS DISTINCT FROM c.name AND g.name IS NOT NULL OR NOT c.attributes @> g.attributes
        OR g.consent_source IS DISTINCT FROM c.consent_source AND g.consent_source IS NOT NULL)
    RETURNING c.id
), made AS (
    INSERT INTO contact (phone, identity, name, attributes, consent_source)
    SELECT phone, identity, name, attributes, consent_source FROM given
    WHERE identity NOT IN (SELECT identity FROM known) ORDER BY phone
    ON CONFLICT (phone) DO NOTHING RETURNING id, identity
)
SELECT id, identity, 'created' AS what FROM made
UNION ALL SELECT k.id, k.identity, CASE WHEN k.id IN (SELECT id FROM changed) THEN 'updated' ELSE 'unchanged' END FROM known k;

-- name: import_memberships
-- Returns the contacts that got into a category they were not in.
INSERT INTO contact_category (contact, category)
SELECT contact, category FROM unnest(:contacts::uuid[], :categories::uuid[]) AS g(contact, category)
ORDER BY contact, category
ON CONFLICT (contact, category) DO NOTHING RETURNING contact;

-- name: not_opted_out
SELECT id FROM contact WHERE identity = ANY(:identities::text[]) AND opted_out_at IS NULL ORDER BY id FOR NO KEY UPDATE;
