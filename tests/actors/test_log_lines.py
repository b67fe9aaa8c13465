"""A line about a message says whose it is: campaign, contact, message and batch, and no full phone number."""

from __future__ import annotations

from structlog.testing import capture_logs

from tests.actors.world import World


async def test_a_message_that_was_sent_is_logged_with_its_campaign_contact_message_and_batch(world: World) -> None:
    campaign = await world.launch(1)
    with capture_logs() as lines:
        await world.send_all(campaign)
    row = await world.row("SELECT * FROM message WHERE campaign = $1", campaign)
    [line] = [line for line in lines if line["event"] == "message sent"]
    said = {name: line[name] for name in ("campaign", "contact", "message", "batch")}
    assert said == {
        "campaign": str(campaign),
        "contact": str(row["contact"]),
        "message": str(row["id"]),
        "batch": str(row["batch"]),
    }
    assert row["phone"] not in str(line) and line["phone"].endswith(row["phone"][-2:])
