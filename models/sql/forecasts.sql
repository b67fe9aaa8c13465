-- The forecast that was told last, and why it moved since.

-- name: forecast_told^
SELECT inputs, moved, moved_at FROM campaign_forecast WHERE campaign = :campaign;

-- name: tell_forecast!
INSERT INTO campaign_forecast AS f (campaign, inputs, moved, moved_at)
VALUES (:campaign, :inputs::jsonb, :moved, CASE WHEN :moved = '' THEN NULL ELSE now() END)
ON CONFLICT (campaign) DO UPDATE SET inputs = excluded.inputs, told_at = now(), moved = excluded.moved,
    moved_at = excluded.moved_at;
