-- New drafts made from old campaigns.

-- name: copy_campaign$
-- The same texts, audience and pace, as a draft of its own; nothing of what became of the first. Null: there is none.
WITH made AS (
    INSERT INTO campaign (name, sender, message_1, message_2, media_1, media_2, pacing, quiet_hours, excluded_categories,
                          contacted_within_days, spread_over_days, answer_automatic, why, moved_by)
    SELECT :name, sender, message_1, message_2, media_1, media_2, pacing, quiet_hours, excluded_categories,
           contacted_within_days, spread_over_days, answer_automatic, :why, :by
    FROM campaign WHERE id = :campaign
    RETURNING id
), reached AS (
    INSERT INTO campaign_category (campaign, category)
    SELECT made.id, k.category FROM made, campaign_category k WHERE k.campaign = :campaign AND :with_audience
)
SELECT id FROM made;

-- name: gather_not_reached$
-- A new category of those whose Message 1 is known not to have arrived: failed, or cancelled before it left. Who is in
-- doubt or opted out is none of them. Returns how many there are.
WITH lost AS (
    SELECT r.contact FROM recipient r JOIN contact c ON c.id = r.contact AND c.opted_out_at IS NULL
    WHERE r.campaign = :campaign AND (r.state = 'cancelled' OR (r.state = 'failed' AND r.failed_step = 1))
), gathered AS (
    INSERT INTO category (id, name) SELECT :category::uuid, :name::text WHERE EXISTS (SELECT FROM lost)
), members AS (
    INSERT INTO contact_category (contact, category) SELECT contact, :category::uuid FROM lost
), audience AS (
    INSERT INTO campaign_category (campaign, category) SELECT :draft::uuid, :category::uuid WHERE EXISTS (SELECT FROM lost)
)
SELECT count(*) FROM lost;
