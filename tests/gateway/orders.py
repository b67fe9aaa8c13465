"""What the tests of the gateway send, and how they are configured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import settings
from gateway import Order

DEVICE = "6a1f0c2d9b3e4f5a6b7c8d9e"
PHONE = "+33199000123"
REFERENCE = "018f3c5e-7d2a-7b3c-9d4e-5f6071829304"
TOKEN = "a-long-token-of-ours"
SIGNING_KEY = "whsec_of_the_vendor"


def settings_for(base_url: str, **more: str) -> settings.Settings:
    """Settings as a process would read them."""
    return settings.load({
        "DATABASE_URL": "postgresql://nowhere", "REDIS_URL": "redis://nowhere", "SECRET_KEY": "s" * 32,
        "BOOTSTRAP_API_KEY": "b" * 24, "WASSENGER_API_KEY": "the-key", "WASSENGER_WEBHOOK_SECRET": TOKEN,
        "WASSENGER_BASE_URL": base_url, "WASSENGER_DEVICE_ID": DEVICE, **more,
    })  # fmt: skip


def order(**more: Any) -> Order:
    """A Message 1 for somebody in a film."""
    given: dict[str, Any] = {
        "device_id": DEVICE, "phone": PHONE, "text": "Bonjour Awa", "reference": REFERENCE,
        "not_after": datetime.now(UTC) + timedelta(seconds=12),
    }  # fmt: skip
    return Order(**{**given, **more})
