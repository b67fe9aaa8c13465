from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from gateway.wassenger import Wassenger
from tests.gateway.orders import TOKEN

Open = Callable[..., Wassenger]


@pytest.fixture
async def open_client() -> AsyncIterator[Open]:
    """Opens clients with a deadline of half a second, and closes them."""
    opened: list[Wassenger] = []

    def opens(base_url: str, **more: Any) -> Wassenger:
        given: dict[str, Any] = {"api_key": "the-key", "webhook_secret": TOKEN, "timeout": 0.5, **more}
        opened.append(Wassenger(base_url=base_url, **given))
        return opened[-1]

    yield opens
    for client in opened:
        await client.close()
