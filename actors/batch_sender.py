"""The batch sender: one sender's lane, batch by batch."""

from __future__ import annotations

from uuid import UUID

import dramatiq

from actors.lane import Lane
from actors.middleware import sender_mutex
from actors.process import Process, this


@dramatiq.actor(queue_name="sending", max_retries=0, mutex="sender")
async def send_batch(sender_id: str) -> None:
    """Start the lane of a sender in this process. The mutex middleware has taken its lease for us.

    The lane is a task on the loop: this returns at once and no thread waits for it.

    If it dies: the lease ends within 10 s, the scheduler wakes the lane elsewhere, the open batch is resumed at
    its first unsent message, and what was promised is looked up by the retrier.
    """
    process, sender = this(), UUID(sender_id)
    lane = Lane(process, sender_mutex.claim(sender))
    process.lanes.add(sender)
    process.start(_until_it_ends(process, sender, lane), f"lane {sender}")


async def _until_it_ends(process: Process, sender: UUID, lane: Lane) -> None:
    try:
        await lane.run()
    finally:
        process.lanes.discard(sender)
