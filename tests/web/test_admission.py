"""A live stream ends when whoever watches may not come in any more."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.web.accounts import logged_in, new_key, new_person, with_key
from tests.web.conftest import Makes
from tests.web.serving import ServerEvent, Web, watching
from tests.web.test_streams import publish


async def test_a_stream_ends_with_its_key_or_log_in(web: Web, new_campaign: Makes) -> None:
    campaign = (await new_campaign())["id"]
    person = await new_person(web, "viewer")
    path = f"/api/campaigns/{campaign}/events"
    async with web.client() as admin, logged_in(web, person) as browser:
        key = await new_key(admin, "viewer")
        async with with_key(web, key["key"]) as program, watching(program, path) as one, watching(browser, path) as two:
            await anext(one)
            await anext(two)
            await admin.delete(f"/api/keys/{key['id']}")
            await admin.patch(f"/api/users/{person.id}", json={"disabled": True})
            frames = asyncio.create_task(keep_publishing(web.env["REDIS_URL"], campaign))
            try:
                await asyncio.gather(to_the_end(one), to_the_end(two))
            finally:
                frames.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await frames


async def keep_publishing(redis_url: str, campaign: str) -> None:
    while True:
        await publish(redis_url, campaign, sent=1)
        await asyncio.sleep(0.5)


async def to_the_end(events: AsyncIterator[ServerEvent]) -> None:
    async for _ in events:
        pass
