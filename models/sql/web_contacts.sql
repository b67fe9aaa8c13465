-- Contacts and categories, as the API shows and changes them. Lists go by key, newest first.

-- name: add_contact$
-- Null where the person is known already, under this or another spelling of the number.
INSERT INTO contact (phone, identity, name, attributes, consent_source)
SELECT :phone, :identity, :name, :attributes::jsonb, :consent_source
WHERE NOT EXISTS (SELECT FROM contact WHERE identity = :identity)
ON CONFLICT (phone) DO NOTHING RETURNING id;

-- name: contact_of_person$
SELECT id FROM contact WHERE phone = :phone OR identity = :identity ORDER BY (phone = :phone) DESC, id LIMIT 1;

-- name: read_contact^
SELECT c.id, c.phone, c.identity, c.lid, c.name, c.attributes, c.opted_out_at, c.consent_source, c.created_at, c.updated_at,
       ARRAY(SELECT category FROM contact_category WHERE contact = c.id ORDER BY category) AS category_ids
FROM contact c WHERE c.id = :contact AND c.erased_at IS NULL;

-- name: change_contact!
UPDATE contact SET name = :name, attributes = :attributes::jsonb, consent_source = :consent_source, updated_at = now()
WHERE id = :contact;

-- name: list_contacts
SELECT c.id, c.phone, c.name, c.opted_out_at, c.created_at FROM contact c
WHERE (:before::uuid IS NULL OR c.id < :before) AND c.erased_at IS NULL
  AND (:category::uuid IS NULL OR EXISTS (SELECT FROM contact_category x WHERE x.contact = c.id AND x.category = :category))
  AND (:opted_out::bool IS NULL OR (c.opted_out_at IS NOT NULL) = :opted_out)
ORDER BY c.id DESC LIMIT :many;

-- name: search_contacts
-- By words of the name (each may be a beginning), or by the beginning of the phone: both are indexed.
SELECT c.id, c.phone, c.name, c.opted_out_at, c.created_at FROM contact c
WHERE c.id IN (
        SELECT id FROM contact WHERE to_tsvector('simple', coalesce(name, '')) @@ to_tsquery('simple', :words)
        UNION SELECT id FROM contact WHERE phone LIKE :phone)
  AND (:before::uuid IS NULL OR c.id < :before)
  AND (:category::uuid IS NULL OR EXISTS (SELECT FROM contact_category x WHERE x.contact = c.id AND x.category = :category))
  AND (:opted_out::bool IS NULL OR (c.opted_out_at IS NOT NULL) = :opted_out)
ORDER BY c.id DESC LIMIT :many;

-- name: missing_categories
-- Which of these do not exist.
SELECT g.id FROM unnest(:categories::uuid[]) AS g(id) WHERE NOT EXISTS (SELECT FROM category c WHERE c.id = g.id);

-- name: put_into_categories!
INSERT INTO contact_category (contact, category)
SELECT :contact, g.id FROM unnest(:categories::uuid[]) AS g(id) ORDER BY g.id ON CONFLICT (contact, category) DO NOTHING;

-- name: list_categories
-- With their counts, in one statement.
SELECT c.id, c.name, c.created_at, coalesce(n.contact_count, 0) AS contact_count
FROM category c
LEFT JOIN (SELECT category, count(*) AS contact_count FROM contact_category GROUP BY category) n ON n.category = c.id
WHERE (:before::uuid IS NULL OR c.id < :before) ORDER BY c.id DESC LIMIT :many;

-- name: read_category^
SELECT c.id, c.name, c.created_at, (SELECT count(*) FROM contact_category x WHERE x.category = c.id) AS contact_count
FROM category c WHERE c.id = :category;

-- name: add_category$
-- Null where the name is taken.
INSERT INTO category (name) VALUES (:name) ON CONFLICT (name) DO NOTHING RETURNING id;

-- name: category_of_name$
SELECT id FROM category WHERE name = :name;

-- name: rename_category$
UPDATE category SET name = :name WHERE id = :category RETURNING id;

-- name: delete_category$
-- Not while a campaign that is still to be launched, or being launched, is sent to it.
DELETE FROM category c WHERE c.id = :category
  AND NOT EXISTS (SELECT FROM campaign_category k JOIN campaign m ON m.id = k.campaign
                  WHERE k.category = c.id AND m.status IN ('draft', 'scheduled', 'launching'))
RETURNING c.id;

-- name: add_members$
-- Returns how many were not in it yet; unknown contacts are passed over.
WITH added AS (
    INSERT INTO contact_category (contact, category)
    SELECT c.id, :category FROM contact c WHERE c.id = ANY(:contacts::uuid[]) AND c.erased_at IS NULL ORDER BY c.id
    ON CONFLICT (contact, category) DO NOTHING RETURNING 1
) SELECT count(*) FROM added;

-- name: remove_members$
WITH gone AS (
    DELETE FROM contact_category WHERE category = :category AND contact = ANY(:contacts::uuid[]) RETURNING 1
) SELECT count(*) FROM gone;

-- name: unknown_contacts
SELECT g.id FROM unnest(:contacts::uuid[]) AS g(id) WHERE NOT EXISTS (SELECT FROM contact c WHERE c.id = g.id AND c.erased_at IS NULL) LIMIT 10;
