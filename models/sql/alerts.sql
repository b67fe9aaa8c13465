-- Alerts: raised once per kind and subject, updated, resolved; and what of it has still to be told to people.
-- ``news`` is the outbox: it is written with the alert, and cleared when everybody has been told.

-- name: raise_alert$
-- Raised once, then updated; true when it is new. Another text is news again, ten minutes after the last at the earliest.
INSERT INTO alert AS a (kind, subject, text, news, news_due_at) VALUES (:kind, :subject, :text, 'raised', now())
ON CONFLICT (kind, subject) WHERE resolved_at IS NULL
DO UPDATE SET text = excluded.text, times = a.times + 1, updated_at = now(),
    news = CASE WHEN a.text <> excluded.text THEN coalesce(a.news, 'updated') ELSE a.news END,
    news_number = a.news_number + (a.news IS NULL AND a.text <> excluded.text)::int,
    news_due_at = CASE WHEN a.news IS NULL AND a.text <> excluded.text
        THEN greatest(now(), a.told_at + interval '10 minutes') ELSE a.news_due_at END
RETURNING times = 1;

-- name: resolve_alert!
-- Over: people are told, in one message if they had not heard that it began.
UPDATE alert SET resolved_at = now(), news = 'resolved', news_number = news_number + 1, news_due_at = now(),
    news_tries = 0, news_left = NULL, news_error = NULL
WHERE kind = :kind AND subject = :subject AND resolved_at IS NULL;

-- name: settle_alerts
-- Of one kind exactly these are open. What a person put away is not raised again within the hour.
WITH wanted AS (
    SELECT t.subject, t.text FROM unnest(:subjects::text[], :texts::text[]) AS t(subject, text)
    WHERE NOT EXISTS (SELECT FROM alert p WHERE p.kind = :kind AND p.subject = t.subject
                      AND p.put_away_at > now() - interval '1 hour')
    ORDER BY t.subject
), raised AS (
    INSERT INTO alert AS a (kind, subject, text, news, news_due_at)
    SELECT :kind, subject, text, 'raised', now() FROM wanted
    ON CONFLICT (kind, subject) WHERE resolved_at IS NULL
    DO UPDATE SET text = excluded.text, times = a.times + 1, updated_at = now(),
        news = coalesce(a.news, 'updated'), news_number = a.news_number + (a.news IS NULL)::int,
        news_due_at = CASE WHEN a.news IS NULL THEN greatest(now(), a.told_at + interval '10 minutes') ELSE a.news_due_at END
    WHERE a.text <> excluded.text
    RETURNING subject, text, times = 1 AS new
), over AS (
    UPDATE alert SET resolved_at = now(), news = 'resolved', news_number = news_number + 1, news_due_at = now(),
        news_tries = 0, news_left = NULL, news_error = NULL
    WHERE kind = :kind AND resolved_at IS NULL AND subject <> ALL(:subjects::text[])
    RETURNING subject, text
)
SELECT subject, text, 'raised' AS what FROM raised WHERE new
UNION ALL SELECT subject, text, 'over' FROM over;

-- name: alerted_at$
-- When people were last told of this.
SELECT max(updated_at) FROM alert WHERE kind = :kind AND subject = :subject;

-- name: list_alerts
SELECT id, kind, subject, text, times, raised_at, updated_at, resolved_at, news, news_tries, news_error, told_at FROM alert
WHERE (NOT :only_open OR resolved_at IS NULL) AND (:before::uuid IS NULL OR id < :before)
ORDER BY id DESC LIMIT :many;

-- name: open_alert^
SELECT id, kind, subject, text, times, raised_at, updated_at, resolved_at, news, news_tries, news_error, told_at FROM alert
WHERE kind = :kind AND subject = :subject AND resolved_at IS NULL;

-- name: close_alert^
-- A person has seen to it. Null: there is no such alert. Resolved before: as it is.
UPDATE alert SET resolved_at = coalesce(resolved_at, now()),
    put_away_at = CASE WHEN resolved_at IS NULL THEN now() ELSE put_away_at END,
    news = CASE WHEN resolved_at IS NULL THEN 'resolved' ELSE news END,
    news_number = news_number + (resolved_at IS NULL)::int,
    news_due_at = CASE WHEN resolved_at IS NULL THEN now() ELSE news_due_at END,
    news_tries = CASE WHEN resolved_at IS NULL THEN 0 ELSE news_tries END,
    news_left = CASE WHEN resolved_at IS NULL THEN NULL ELSE news_left END
WHERE id = :alert
RETURNING id, kind, subject, text, times, raised_at, updated_at, resolved_at, news, news_tries, news_error, told_at;

-- name: claim_news
-- Take what is due; whoever dies with it in hand leaves it to another two minutes later.
UPDATE alert SET news_due_at = now() + interval '2 minutes', news_tries = news_tries + 1
WHERE id IN (SELECT id FROM alert WHERE news_due_at <= now() ORDER BY news_due_at LIMIT :many FOR UPDATE SKIP LOCKED)
RETURNING id, kind, subject, text, times, raised_at, resolved_at, news, news_number, news_tries, news_left;

-- name: news_told!
UPDATE alert SET news = NULL, news_due_at = NULL, news_tries = 0, news_left = NULL, news_error = NULL, told_at = now()
WHERE id = :alert AND news_number = :number;

-- name: news_failed!
-- Not everybody was reached: those that are left, later.
UPDATE alert SET news_left = :left::text[], news_error = :error, news_due_at = now() + make_interval(secs => :wait)
WHERE id = :alert AND news_number = :number;

-- name: nobody_to_tell!
-- Without an address nothing is kept for one: whoever is named later is not told of last month.
UPDATE alert SET news = NULL, news_due_at = NULL WHERE news_due_at IS NOT NULL;

-- name: clear_alerts
-- Of one kind nothing else is open any more than these subjects.
UPDATE alert SET resolved_at = now(), news = 'resolved', news_number = news_number + 1, news_due_at = now(),
    news_tries = 0, news_left = NULL, news_error = NULL
WHERE kind = :kind AND resolved_at IS NULL AND subject <> ALL(:still::text[])
RETURNING subject, text;
