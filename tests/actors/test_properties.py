"""Property 6, over the real gateway client, database and simulator: a message is accepted once, whoever sends it."""

from __future__ import annotations

import asyncio
import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.interactions import handle_interaction
from actors.message_2 import send_message_2
from tests.actors.people import inbound, phones
from tests.actors.test_interactions import message_2s
from tests.actors.world import World, run

_number = itertools.count()


async def test_6_idempotency_a_message_sent_k_times_at_once_is_accepted_once(world: World) -> None:
    loop = asyncio.get_running_loop()

    async def once(handlers: int, senders: int) -> None:
        """One reply, digested and answered by so many at once."""
        [phone] = phones(1, 100 + next(_number))
        campaign = await world.reached([phone])
        inbox = await world.store(inbound("in_new_text", phone))
        await asyncio.gather(*(run(handle_interaction, inbox) for _ in range(handlers)))
        answer = await world.value("SELECT id FROM message WHERE campaign = $1 AND step = 2", campaign)
        await world.settled()
        # As if nobody had recorded it, a process awake again and others sending: only one promise can be made.
        await asyncio.gather(*(run(send_message_2, answer) for _ in range(senders)))
        await world.settled()
        assert message_2s(world).count(phone) == 1
        assert [line["reference"] for line in world.sent() if line["phone"] == phone] == [str(answer)]

    @settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(handlers=st.integers(1, 8), senders=st.integers(1, 8))
    def holds(handlers: int, senders: int) -> None:
        asyncio.run_coroutine_threadsafe(once(handlers, senders), loop).result(60)

    await asyncio.to_thread(holds)
