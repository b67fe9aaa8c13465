"""The files of a campaign reach the gateway before its messages do, once."""

from __future__ import annotations

from uuid import UUID

from actors import launcher
from tests.actors.conftest import Opens
from tests.actors.people import phones
from tests.actors.world import World, run
from tests.simulator_process import until

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 100


async def _kept(world: World) -> UUID:
    """Keep a picture, as POST /api/media does."""
    found: UUID = await world.value(
        "INSERT INTO attachment (filename, kind, mime, size, sha256, body)"
        " VALUES ('a.png', 'image', 'image/png', $2, 'x', $1) RETURNING id",
        PNG,
        len(PNG),
    )
    return found


def _carried(attachment: UUID) -> dict[str, str]:
    return {"media_id": str(attachment), "filename": "a.png", "kind": "image"}


async def test_an_uploaded_file_is_handed_over_once_and_every_message_names_it(world: World) -> None:
    attachment = await _kept(world)
    campaign = await world.launch(2, media_1=_carried(attachment))
    other = await world.launch(1, media_1=_carried(attachment))
    file = await world.value("SELECT gateway_file FROM attachment WHERE id = $1", attachment)
    assert file is not None
    await world.send_all(campaign)
    await world.send_all(other)
    assert [line["options"]["media"] for line in world.sent()] == [{"file": file, "filename": "a.png"}] * 3


async def test_message_2_carries_its_file_too(world: World) -> None:
    attachment = await _kept(world)
    campaign = await world.launch(1, media_2=_carried(attachment))
    media = await world.value("SELECT media_2 ->> 'file_id' FROM campaign WHERE id = $1", campaign)
    assert media == await world.value("SELECT gateway_file FROM attachment WHERE id = $1", attachment)


async def test_a_copy_that_the_gateway_will_soon_forget_is_made_anew(world: World) -> None:
    attachment = await _kept(world)
    await world.execute(
        "UPDATE attachment SET gateway_file = 'old', gateway_until = now() + interval '6 days' WHERE id = $1",
        attachment,
    )
    campaign = await world.launch(1, media_1=_carried(attachment))
    assert await world.value("SELECT media_1 ->> 'file_id' FROM campaign WHERE id = $1", campaign) not in (None, "old")


async def test_a_launch_waits_for_a_gateway_that_does_not_take_its_file(opens: Opens) -> None:
    world = await opens()
    attachment = await _kept(world)
    world.simulator.behave(key_revoked=True)
    campaign = await world.draft(world.sender, phones(1), media_1=_carried(attachment))
    await world.start_launch(campaign)
    await run(launcher.launch_campaign, campaign)
    assert (await world.status(campaign), await world.alerts()) == ("launching", {"attachment"})
    assert await world.value("SELECT count(*) FROM message WHERE campaign = $1", campaign) == 0
    world.simulator.behave(key_revoked=False)

    async def launched() -> bool:
        await run(launcher.launch_campaign, campaign)
        return await world.status(campaign) == "sending"

    assert await until(launched, what="the launch")
    assert await world.alerts() == set()
