"""Webhooks that never come: the endpoint is down, or the gateway has disabled it. What was said is read back."""

from __future__ import annotations

from tests.crash.judge import assert_right, lines_of
from tests.crash.stage import Ground, scene
from tests.crash.story import Campaign
from tests.crash.system import System
from tests.simulator_process import until

EVERYBODY = ("web", "worker", "replies", "scheduler")
SECOND = "And now the second one of campaign 0"


@scene(seconds=25)
async def test_a_reply_missed_while_the_endpoint_was_down_is_fetched_and_answered(ground: Ground) -> None:
    """The gateway gives up after one attempt, while the web process is dead."""
    async with ground.system(start=EVERYBODY) as system:
        campaign = await system.books.launched(4, message_2=SECOND)
        await system.books.all_left(campaign)
        system.simulator.behave(webhook_attempts=1)
        system.only("web").kill()
        for phone in campaign.phones[:2]:
            system.simulator.say(phone)
        await until(lambda: _given_up(system, 2), seconds=30, what="the gateway to give the webhooks up")
        await _answered(system, campaign, 2, fetched=True)
        # On recovery the next one comes by its webhook, and nothing that was fetched counts twice.
        await system.known(*await system.bring_back())
        system.simulator.say(campaign.phones[2])
        await _answered(system, campaign, 3, fetched=False)
        await assert_right(system, campaign)


@scene(seconds=20)
async def test_replies_missed_while_the_webhook_was_disabled_are_fetched_marked_and_answered(ground: Ground) -> None:
    async with ground.system(start=EVERYBODY) as system:
        campaign = await system.books.launched(4, message_2=SECOND)
        await system.books.all_left(campaign)
        (hook,) = system.simulator.call("GET", "/v1/webhooks").json()
        assert system.simulator.call("PATCH", f"/v1/webhooks/{hook['id']}", json={"status": "disabled"}).is_success
        for phone in campaign.phones[:3]:
            system.simulator.say(phone)
        await _answered(system, campaign, 3, fetched=True)
        assert await system.books.value("SELECT count(*) FROM inbox WHERE from_person AND NOT fetched") == 0
        whys = await system.books.rows("SELECT DISTINCT kind FROM inbox WHERE fetched")
        assert [row["kind"] for row in whys] == ["message:in:new"]
        await assert_right(system, campaign)


async def _answered(system: System, campaign: Campaign, many: int, *, fetched: bool) -> None:
    """The first so many people have Message 2, once each, and the last of them was heard in this way."""
    people = campaign.phones[:many]
    await until(lambda: all(len(lines_of(system, p)) == 2 for p in people), seconds=60, what="every Message 2")
    await system.quiet()
    assert [len(lines_of(system, phone)) for phone in campaign.phones] == [2] * many + [1] * (4 - many)
    heard = await system.books.rows(
        "SELECT i.fetched, i.outcome FROM inbox i WHERE i.from_person ORDER BY i.received_at, i.id"
    )
    assert [row["outcome"] for row in heard] == ["follow_up"] * many
    assert heard[-1]["fetched"] is fetched


def _given_up(system: System, many: int) -> bool:
    hooks = system.simulator.webhooks("message:in:new")
    return len([line for line in hooks if line["deliveries"]]) >= many
