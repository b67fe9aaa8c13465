-- The bookkeeping: triggers that see every change of a status, whoever makes it.
--
-- In the very statement that moves rows they (1) refuse a move that is not in allowed_move (the law of
-- rules/status.py), (2) write one event per move, (3) bring the counters up to date. They run once per
-- statement, over the old and new versions that really were replaced, so the counters cannot drift from
-- the rows, and they run last, so the counters are the last lock taken. Applied by every release.

CREATE OR REPLACE FUNCTION refuse_unlawful(subject text, old text, new text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a % may not move from % to %', subject, old, new
        USING ERRCODE = 'check_violation', CONSTRAINT = 'allowed_move';
END $$;

-- A counter row per (campaign, slot): writers of one campaign queue only with those of their own slot.
CREATE OR REPLACE FUNCTION counter_slot() RETURNS smallint
LANGUAGE sql STABLE AS $$ SELECT (pg_backend_pid() % 16)::smallint $$;

CREATE OR REPLACE FUNCTION keep_books_of_new_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaign_stats AS s (campaign, slot, total, pending)
    SELECT campaign, counter_slot(), count(*), count(*) FROM added WHERE step = 1 GROUP BY campaign ORDER BY campaign
    ON CONFLICT (campaign, slot) DO UPDATE SET total = s.total + excluded.total, pending = s.pending + excluded.pending;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION opened_a_conversation(opens boolean, status text, error_class text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT opens IS TRUE AND status NOT IN ('pending', 'cancelled')
        AND NOT (status = 'failed' AND error_class IN ('never_left', 'expired'))
$$;

CREATE OR REPLACE FUNCTION keep_books_of_messages() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
    SELECT o.status AS old, n.status AS new INTO bad
    FROM before o JOIN after n USING (id)
    WHERE o.status <> n.status AND NOT EXISTS (
        SELECT FROM allowed_move a WHERE a.subject = 'message' AND a.old = o.status AND a.new = n.status);
    IF FOUND THEN PERFORM refuse_unlawful('message', bad.old, bad.new); END IF;

    INSERT INTO event (subject, subject_id, campaign, old, new, why, moved_by, at)
    SELECT 'message', n.id, n.campaign, o.status, n.status, n.why, n.moved_by, clock_timestamp()
    FROM before o JOIN after n USING (id) WHERE o.status <> n.status ORDER BY n.id;
    IF NOT FOUND THEN RETURN NULL; END IF;

    -- New conversations of a number's day, counted apart: promised and not given back. In the claim's order: day, then batch.
    UPDATE quota_day q SET opened = q.opened + d.many
    FROM (SELECT sender, day, sum(many)::int AS many
          FROM (SELECT n.sender, n.quota_day AS day, 1 AS many FROM before o JOIN after n USING (id)
                WHERE o.status <> n.status AND opened_a_conversation(n.opens, n.status, n.error_class)
                UNION ALL
                SELECT o.sender, o.quota_day, -1 FROM before o JOIN after n USING (id)
                WHERE o.status <> n.status AND opened_a_conversation(o.opens, o.status, o.error_class)) x
          GROUP BY sender, day HAVING sum(many) <> 0 ORDER BY sender, day) d
    WHERE q.sender = d.sender AND q.day = d.day;

    -- Before the counters, as in the claim, which counts its attempts first; several batches in the order of their ids.
    PERFORM FROM batch WHERE id IN (
        SELECT n.batch FROM before o JOIN after n USING (id) WHERE o.status <> n.status AND n.batch IS NOT NULL)
    ORDER BY id FOR NO KEY UPDATE;
    UPDATE batch b SET sent = b.sent + d.sent, failed = b.failed + d.failed
    FROM (SELECT n.batch,
              sum((n.status IN ('sent', 'delivered', 'read'))::int - (o.status IN ('sent', 'delivered', 'read'))::int) AS sent,
              sum((n.status = 'failed')::int - (o.status = 'failed')::int) AS failed
          FROM before o JOIN after n USING (id)
          WHERE o.status <> n.status AND n.batch IS NOT NULL GROUP BY n.batch ORDER BY n.batch) d
    WHERE b.id = d.batch AND (d.sent <> 0 OR d.failed <> 0);

    INSERT INTO campaign_stats AS s (campaign, slot, pending, unconfirmed, sent, delivered, read, send_failed,
                                     cancelled, message_2_sent, message_2_failed)
    SELECT n.campaign, counter_slot(),
        sum((n.step = 1 AND n.status IN ('pending', 'sending'))::int - (o.step = 1 AND o.status IN ('pending', 'sending'))::int),
        sum((n.step = 1 AND n.status = 'unconfirmed')::int - (o.step = 1 AND o.status = 'unconfirmed')::int),
        sum((n.step = 1 AND n.status IN ('sent', 'delivered', 'read'))::int - (o.step = 1 AND o.status IN ('sent', 'delivered', 'read'))::int),
        sum((n.step = 1 AND n.status IN ('delivered', 'read'))::int - (o.step = 1 AND o.status IN ('delivered', 'read'))::int),
        sum((n.step = 1 AND n.status = 'read')::int - (o.step = 1 AND o.status = 'read')::int),
        sum((n.step = 1 AND n.status = 'failed')::int - (o.step = 1 AND o.status = 'failed')::int),
        sum((n.step = 1 AND n.status = 'cancelled')::int - (o.step = 1 AND o.status = 'cancelled')::int),
        sum((n.step = 2 AND n.status IN ('sent', 'delivered', 'read'))::int - (o.step = 2 AND o.status IN ('sent', 'delivered', 'read'))::int),
        sum((n.step = 2 AND n.status = 'failed')::int - (o.step = 2 AND o.status = 'failed')::int)
    FROM before o JOIN after n USING (id) WHERE o.status <> n.status GROUP BY n.campaign ORDER BY n.campaign
    ON CONFLICT (campaign, slot) DO UPDATE SET
        pending = s.pending + excluded.pending, unconfirmed = s.unconfirmed + excluded.unconfirmed,
        sent = s.sent + excluded.sent, delivered = s.delivered + excluded.delivered, read = s.read + excluded.read,
        send_failed = s.send_failed + excluded.send_failed, cancelled = s.cancelled + excluded.cancelled,
        message_2_sent = s.message_2_sent + excluded.message_2_sent,
        message_2_failed = s.message_2_failed + excluded.message_2_failed;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keep_books_of_recipients() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
    SELECT o.state AS old, n.state AS new INTO bad
    FROM before o JOIN after n USING (id)
    WHERE o.state <> n.state AND NOT EXISTS (
        SELECT FROM allowed_move a WHERE a.subject = 'recipient' AND a.old = o.state AND a.new = n.state);
    IF FOUND THEN PERFORM refuse_unlawful('recipient', bad.old, bad.new); END IF;

    INSERT INTO event (subject, subject_id, campaign, old, new, why, moved_by, at)
    SELECT 'recipient', n.id, n.campaign, o.state, n.state, n.why, n.moved_by, clock_timestamp()
    FROM before o JOIN after n USING (id) WHERE o.state <> n.state ORDER BY n.id;
    IF NOT FOUND THEN RETURN NULL; END IF;

    INSERT INTO campaign_stats AS s (campaign, slot, replied, late_replies, no_interaction, opted_out)
    SELECT n.campaign, counter_slot(),
        sum((n.replied_at IS NOT NULL)::int - (o.replied_at IS NOT NULL)::int),
        sum((n.state = 'late_reply')::int - (o.state = 'late_reply')::int),
        sum((n.state = 'no_interaction')::int - (o.state = 'no_interaction')::int),
        sum((n.state = 'opted_out')::int - (o.state = 'opted_out')::int)
    FROM before o JOIN after n USING (id) WHERE o.state <> n.state GROUP BY n.campaign ORDER BY n.campaign
    ON CONFLICT (campaign, slot) DO UPDATE SET
        replied = s.replied + excluded.replied, late_replies = s.late_replies + excluded.late_replies,
        no_interaction = s.no_interaction + excluded.no_interaction, opted_out = s.opted_out + excluded.opted_out;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keep_books_of_campaigns() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.status = NEW.status THEN RETURN NULL; END IF;
        IF NOT EXISTS (SELECT FROM allowed_move a WHERE a.subject = 'campaign' AND a.old = OLD.status AND a.new = NEW.status) THEN
            PERFORM refuse_unlawful('campaign', OLD.status, NEW.status);
        END IF;
    END IF;
    INSERT INTO event (subject, subject_id, campaign, old, new, why, moved_by, at)
    VALUES ('campaign', NEW.id, NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.status END, NEW.status, NEW.why, NEW.moved_by,
            clock_timestamp());
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keep_books_of_senders() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> NEW.state THEN
        INSERT INTO event (subject, subject_id, old, new, why, moved_by, at)
        VALUES ('sender', NEW.id, OLD.state, NEW.state, NEW.why, NEW.moved_by, clock_timestamp());
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER books_of_new_messages AFTER INSERT ON message
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_books_of_new_messages();
CREATE OR REPLACE TRIGGER books_of_messages AFTER UPDATE ON message
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION keep_books_of_messages();
CREATE OR REPLACE TRIGGER books_of_recipients AFTER UPDATE ON recipient
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION keep_books_of_recipients();
CREATE OR REPLACE TRIGGER books_of_campaigns AFTER INSERT OR UPDATE ON campaign
    FOR EACH ROW EXECUTE FUNCTION keep_books_of_campaigns();
CREATE OR REPLACE TRIGGER books_of_senders AFTER UPDATE ON sender
    FOR EACH ROW EXECUTE FUNCTION keep_books_of_senders();
