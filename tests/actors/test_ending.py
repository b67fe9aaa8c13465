from __future__ import annotations

import asyncio

from actors import ending


async def test_a_task_that_swallows_a_cancellation_ends_all_the_same() -> None:
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                swallowed += 1
                if swallowed > 1:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await asyncio.wait_for(ending.end([task]), 30)
    assert task.cancelled() and swallowed == 2


async def test_what_a_task_raises_at_its_end_is_its_own_and_none_is_no_error() -> None:
    async def breaks() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("at the end")

    task = asyncio.create_task(breaks())
    await asyncio.sleep(0)
    await ending.end([task])
    await ending.end([])
    assert isinstance(task.exception(), ValueError)
