"""The certain end of background tasks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.5


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until they have ended; what they raised is theirs.

    Once is not enough: a cancellation that meets a client's own time-out may be swallowed by it, and a loop that goes
    on then would hold a shutdown up for ever.
    """
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        ended, going = await asyncio.wait(going, timeout=AGAIN_SECONDS)
        await asyncio.gather(*ended, return_exceptions=True)
