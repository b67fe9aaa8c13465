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
-- Whichever is the shorter way leads: the newest contacts, a category's members, those opted out; each has an index by id.
SELECT c.id, c.phone, c.name, c.opted_out_at, c.created_at
FROM contact c [[JOIN contact_category x ON x.contact = c.id AND x.category = :category]]
WHERE c.erased_at IS NULL [[AND c.id < :before]] [[AND x.contact < :before AND x.category = :category]]
  [[AND c.opted_out_at IS NOT NULL AND :stopped::bool]] [[AND c.opted_out_at IS NULL AND :reachable::bool]]
ORDER BY c.id DESC LIMIT :many OFFSET :skip;

-- name: count_hits$
-- How many contacts a search finds, counted up to a limit: words of the name (each may be a beginning), the beginning of
-- the phone, its end. Every way is indexed; a beginning is a range (":" follows "9"), which plans well without its value.
-- Each way stops at the limit by itself: a union would first collect all that each finds.
SELECT count(*) FROM (
    (SELECT id FROM contact WHERE to_tsvector('simple', coalesce(name, '')) @@ to_tsquery('simple', :words) LIMIT :most)
    UNION (SELECT id FROM contact WHERE phone ~>=~ :starts AND phone ~<~ (:starts || ':') LIMIT :most)
    UNION (SELECT id FROM contact WHERE reverse(phone) ~>=~ :ends AND reverse(phone) ~<~ (:ends || ':') LIMIT :most)
    UNION (SELECT id FROM contact
           WHERE reverse(phone) ~>=~ :ends_national AND reverse(phone) ~<~ (:ends_national || ':') LIMIT :most)
    LIMIT :most) x;

-- name: search_contacts
-- Few hits: found by their indexes, put into order, then looked at one by one (OFFSET 0 keeps it so) until the page is full.
WITH hit AS MATERIALIZED (
    SELECT id FROM contact WHERE to_tsvector('simple', coalesce(name, '')) @@ to_tsquery('simple', :words)
    UNION SELECT id FROM contact WHERE phone ~>=~ :starts AND phone ~<~ (:starts || ':')
    UNION SELECT id FROM contact WHERE reverse(phone) ~>=~ :ends AND reverse(phone) ~<~ (:ends || ':')
    UNION SELECT id FROM contact WHERE reverse(phone) ~>=~ :ends_national AND reverse(phone) ~<~ (:ends_national || ':')
)
SELECT c.id, c.phone, c.name, c.opted_out_at, c.created_at
FROM (SELECT id FROM hit [[WHERE id < :before]] ORDER BY id DESC) h, LATERAL (
    SELECT * FROM contact k WHERE k.id = h.id AND k.erased_at IS NULL
      [[AND EXISTS (SELECT FROM contact_category x WHERE x.contact = k.id AND x.category = :category)]]
      [[AND k.opted_out_at IS NOT NULL AND :stopped::bool]] [[AND k.opted_out_at IS NULL AND :reachable::bool]]
    OFFSET 0) c
ORDER BY h.id DESC LIMIT :many OFFSET :skip;

-- name: walk_contacts
-- Many hits: the newest contacts, or members of the category, are looked at one after the other until the page is full.
SELECT c.id, c.phone, c.name, c.opted_out_at, c.created_at
FROM contact c [[JOIN contact_category x ON x.contact = c.id AND x.category = :category]]
WHERE ((c.phone ~>=~ :starts AND c.phone ~<~ (:starts || ':'))
       OR (reverse(c.phone) ~>=~ :ends AND reverse(c.phone) ~<~ (:ends || ':'))
       OR (reverse(c.phone) ~>=~ :ends_national AND reverse(c.phone) ~<~ (:ends_national || ':'))
       OR to_tsvector('simple', coalesce(c.name, '')) @@ to_tsquery('simple', :words))
  AND c.erased_at IS NULL [[AND c.id < :before]] [[AND x.contact < :before AND x.category = :category]]
  [[AND c.opted_out_at IS NOT NULL AND :stopped::bool]] [[AND c.opted_out_at IS NULL AND :reachable::bool]]
ORDER BY c.id DESC LIMIT :many OFFSET :skip;

-- name: export_contacts
-- By key: a long export holds no snapshot open.
SELECT c.id, c.phone, c.name, c.attributes, c.consent_source, CASE WHEN c.opted_out_at IS NULL THEN 'no' ELSE 'yes' END AS opted_out,
       (SELECT string_agg(g.name, '|' ORDER BY g.name) FROM contact_category x JOIN category g ON g.id = x.category
        WHERE x.contact = c.id) AS category
FROM contact c [[JOIN contact_category x ON x.contact = c.id AND x.category = :category]]
WHERE c.id > :after AND c.erased_at IS NULL [[AND x.contact > :after AND x.category = :category]]
  [[AND c.opted_out_at IS NOT NULL AND :stopped::bool]] [[AND c.opted_out_at IS NULL AND :reachable::bool]]
ORDER BY c.id LIMIT :many;

-- name: attribute_names
SELECT DISTINCT jsonb_object_keys(attributes) AS name FROM contact ORDER BY 1 LIMIT 500;

-- name: contact_stats^
-- Each from the smallest index that has it.
SELECT n.total, n.total - o.opted_out AS reachable, o.opted_out
FROM (SELECT (SELECT count(*) FROM contact) - (SELECT count(*) FROM contact WHERE erased_at IS NOT NULL) AS total) n,
     (SELECT count(*) AS opted_out FROM contact WHERE opted_out_at IS NOT NULL AND erased_at IS NULL) o;

-- name: lock_people
-- These contacts and every other spelling of the same people, locked in order.
SELECT c.id, c.phone, c.identity, c.wa_id, c.lid FROM contact c
WHERE c.id IN (
    SELECT same.id FROM contact c JOIN contact same ON same.identity = c.identity
    WHERE c.id = ANY(:contacts::uuid[]) AND c.erased_at IS NULL
    UNION SELECT same.id FROM contact c JOIN contact same ON same.lid = c.lid
    WHERE c.id = ANY(:contacts::uuid[]) AND c.erased_at IS NULL)
ORDER BY c.id FOR NO KEY UPDATE;

-- name: count_reachable$
SELECT count(*) FROM contact WHERE id = ANY(:contacts::uuid[]) AND opted_out_at IS NULL;

-- name: opt_in_all$
WITH changed AS (
    UPDATE contact SET opted_out_at = NULL, updated_at = now() WHERE id = ANY(:contacts::uuid[]) AND opted_out_at IS NOT NULL
    AND erased_at IS NULL RETURNING 1
) SELECT count(*) FROM changed;

-- name: set_attributes$
-- Lays these over what is there; returns how many were changed by it.
WITH locked AS (
    SELECT id FROM contact WHERE id = ANY(:contacts::uuid[]) AND erased_at IS NULL ORDER BY id FOR NO KEY UPDATE
), changed AS (
    UPDATE contact c SET attributes = c.attributes || :attributes::jsonb, updated_at = now() FROM locked l
    WHERE c.id = l.id AND NOT c.attributes @> :attributes::jsonb RETURNING 1
) SELECT count(*) FROM changed;

-- name: missing_categories
-- Which of these do not exist.
SELECT g.id FROM unnest(:categories::uuid[]) AS g(id) WHERE NOT EXISTS (SELECT FROM category c WHERE c.id = g.id);

-- name: put_into_categories!
INSERT INTO contact_category (contact, category)
SELECT :contact, g.id FROM unnest(:categories::uuid[]) AS g(id) ORDER BY g.id ON CONFLICT (contact, category) DO NOTHING;

-- name: category_page
SELECT id FROM category [[WHERE id < :before]] ORDER BY id DESC LIMIT :many;

-- name: categories_of
-- With their counts, in one statement.
SELECT c.id, c.name, c.created_at, n.contact_count
FROM category c, LATERAL (SELECT count(*) AS contact_count FROM contact_category x WHERE x.category = c.id) n
WHERE c.id = ANY(:ids::uuid[]);

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
