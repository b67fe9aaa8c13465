-- People who may log in, their sessions, API keys, and what they did.

-- name: session_principal^
-- Who a session belongs to, with the role of this very moment; none once it is over or its person may not come in.
SELECT s.token_hash, s.created_at + make_interval(secs => :longest) AS ends_at, now() - s.seen_at > interval '1 minute' AS stale,
       u.id AS user_id, u.email, u.role
FROM web_session s JOIN app_user u ON u.id = s.user
WHERE s.token_hash = :token AND u.disabled_at IS NULL
  AND s.seen_at > now() - make_interval(secs => :idle) AND s.created_at > now() - make_interval(secs => :longest);

-- name: touch_session!
UPDATE web_session SET seen_at = now() WHERE token_hash = :token;

-- name: add_session!
-- What is over goes at the same time: nobody else tidies up.
WITH over AS (
    DELETE FROM web_session WHERE seen_at <= now() - make_interval(secs => :idle)
        OR created_at <= now() - make_interval(secs => :longest)
), seen AS (
    UPDATE app_user SET last_login_at = now() WHERE id = :user
)
INSERT INTO web_session (token_hash, "user", created_at, seen_at, address) VALUES (:token, :user, now(), now(), :address);

-- name: end_session!
DELETE FROM web_session WHERE token_hash = :token;

-- name: end_sessions!
DELETE FROM web_session WHERE "user" = :user;

-- name: key_principal^
-- Who a key is, with the lesser of its role and its owner's; none once it is over or its owner may not come in.
SELECT k.id, k.name, k.key_hash, k.role, k.areas, k.owner, u.role AS owner_role,
       coalesce(now() - k.used_at > interval '1 minute', true) AS stale
FROM api_key k LEFT JOIN app_user u ON u.id = k.owner
WHERE k.key_hash = :hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
  AND (k.owner IS NULL OR u.disabled_at IS NULL);

-- name: touch_key!
UPDATE api_key SET used_at = now() WHERE id = :key;

-- name: user_of_email^
SELECT id, email, role, password_hash, disabled_at FROM app_user WHERE email = :email;

-- name: password_of_user$
SELECT password_hash FROM app_user WHERE id = :user;

-- name: add_user$
INSERT INTO app_user (id, email, name, role, password_hash, created_at)
VALUES (uuid7(), :email, :name, :role, :password_hash, now()) ON CONFLICT (email) DO NOTHING RETURNING id;

-- name: add_first_user$
-- Nobody may log in yet: this one may. Whoever was made before is never changed by a release.
INSERT INTO app_user (id, email, name, role, password_hash, created_at)
SELECT uuid7(), :email, '', 'admin', :password_hash, now() WHERE NOT EXISTS (SELECT 1 FROM app_user)
ON CONFLICT (email) DO NOTHING RETURNING id;

-- name: any_user$
SELECT EXISTS (SELECT 1 FROM app_user);

-- name: read_user^
SELECT id, email, name, role, disabled_at, created_at, last_login_at FROM app_user WHERE id = :user;

-- name: list_users
SELECT id, email, name, role, disabled_at, created_at, last_login_at FROM app_user
WHERE :before::uuid IS NULL OR id < :before ORDER BY id DESC LIMIT :many;

-- name: lock_admins
-- Every admin who may come in, locked in one order: two of them cannot remove each other.
SELECT id FROM app_user WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id FOR UPDATE;

-- name: lock_user^
SELECT id, email, name, role, disabled_at FROM app_user WHERE id = :user FOR UPDATE;

-- name: change_user!
UPDATE app_user SET name = :name, role = :role,
    disabled_at = CASE WHEN :disabled THEN coalesce(disabled_at, now()) END WHERE id = :user;

-- name: change_password!
UPDATE app_user SET password_hash = :password_hash WHERE id = :user;

-- name: delete_user$
DELETE FROM app_user WHERE id = :user RETURNING id;

-- name: add_key^
INSERT INTO api_key (id, name, prefix, key_hash, role, areas, owner, created_by, created_at, expires_at)
VALUES (uuid7(), :name, :prefix, :hash, :role, :areas, :owner, :by, now(), now() + make_interval(days => :days::int))
RETURNING id, name, prefix, role, areas, owner AS owner_id, created_by, created_at, expires_at, revoked_at, used_at AS last_used_at;

-- name: list_keys
SELECT id, name, prefix, role, areas, owner AS owner_id, created_by, created_at, expires_at, revoked_at, used_at AS last_used_at
FROM api_key
WHERE (:before::uuid IS NULL OR id < :before) AND (:owner::uuid IS NULL OR owner = :owner) ORDER BY id DESC LIMIT :many;

-- name: revoke_key$
UPDATE api_key SET revoked_at = coalesce(revoked_at, now())
WHERE id = :key AND (:owner::uuid IS NULL OR owner = :owner) RETURNING id;

-- name: revoke_keys_of!
UPDATE api_key SET revoked_at = now() WHERE owner = :owner AND revoked_at IS NULL;

-- name: add_audit$
INSERT INTO audit (id, at, actor, actor_kind, actor_id, role, action, path, status, detail, address, request_id)
VALUES (uuid7(), now(), :actor, :kind, :actor_id, :role, :action, :path, :status, :detail::jsonb, :address, :request_id)
RETURNING id;

-- name: end_audit!
UPDATE audit SET status = :status, detail = :detail::jsonb WHERE id = :id;

-- name: list_audit
SELECT id, at, actor, actor_kind, actor_id, role, action, path, status, detail, address, request_id FROM audit
WHERE (:before::uuid IS NULL OR id < :before) AND (:actor::text IS NULL OR actor = :actor)
  AND (:action::text IS NULL OR starts_with(action, :action)) AND (:since::timestamptz IS NULL OR at >= :since)
ORDER BY id DESC LIMIT :many;

-- name: take_attempt$
-- One attempt out of an allowance of :burst that comes back one every :every seconds (GCRA). Returns the seconds to wait;
-- null: taken. One row per key, one statement: as many processes as there are share one allowance.
WITH taken AS (
    INSERT INTO login_throttle AS t (key, free_at) VALUES (:key, now() + make_interval(secs => :every))
    ON CONFLICT (key) DO UPDATE SET free_at = greatest(t.free_at, now()) + make_interval(secs => :every)
    WHERE greatest(t.free_at, now()) + make_interval(secs => :every) <= now() + make_interval(secs => :every * :burst)
    RETURNING key
)
SELECT CASE WHEN NOT EXISTS (SELECT 1 FROM taken) THEN
    coalesce((SELECT extract(epoch FROM free_at - now())::float - :every * (:burst - 1) FROM login_throttle WHERE key = :key), 1)
END;

-- name: give_back_attempt!
-- It was no failure after all.
UPDATE login_throttle SET free_at = free_at - make_interval(secs => :every) WHERE key = :key;

-- name: forget_attempts!
DELETE FROM login_throttle WHERE key = :key;

-- name: forget_old_attempts!
DELETE FROM login_throttle WHERE key IN (
    SELECT key FROM login_throttle WHERE free_at < now() - interval '1 hour' LIMIT 1000 FOR UPDATE SKIP LOCKED);
