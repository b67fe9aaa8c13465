"""The webhooks registered at the vendor: who gets which events of which device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from local.simulator.ledger import iso
from local.simulator.post import Target

EVENTS = frozenset({
    "message:in:new", "message:out:new", "message:out:sent", "message:out:ack", "message:out:failed", "message:update",
    "message:reaction", "chat:update", "contact:update", "group:update", "status:update", "channel:in",
    "number:session",
})  # fmt: skip
"""Every event that can be subscribed to."""


class Hook(msgspec.Struct, kw_only=True):
    """One registration."""

    id: str
    name: str
    url: str
    events: list[str]
    device: str | None
    created_at: float
    status: str = "active"
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    given_up: int = 0
    """Webhooks given up since the last one that arrived."""

    def resource(self) -> dict[str, Any]:
        """Return it as the API answers with it."""
        return {
            "id": self.id, "name": self.name, "url": self.url, "events": self.events, "device": self.device,
            "status": self.status, "createdAt": iso(self.created_at),
        }  # fmt: skip


class Hooks:
    """All registrations of the account."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self.all: dict[str, Hook] = {}

    def forget(self) -> None:
        """Drop every registration."""
        self.all.clear()

    def add(
        self, *, name: str, url: str, events: list[str], device: str | None, headers: dict[str, str], at: float
    ) -> Hook | None:
        """Register one; None where this address is registered for this device already."""
        if any(hook.url == url and hook.device == device for hook in self.all.values()):
            return None
        hook = Hook(id=self._new_id(), name=name, url=url, events=events, device=device, headers=headers, created_at=at)
        self.all[hook.id] = hook
        return hook

    def targets(self, event: str | None, device: str | None, extra_url: str | None) -> list[Target]:
        """Return where an event of a device goes (None: anywhere), each address once."""
        found: dict[str, Target] = {}
        for hook in self.all.values():
            wanted = event is None or (event in hook.events and hook.device in {None, device})
            if hook.status == "active" and wanted:
                found.setdefault(hook.url, Target(url=hook.url, hook_id=hook.id, headers=hook.headers))
        if extra_url:
            found.setdefault(extra_url, Target(url=extra_url))
        return list(found.values())

    def settled(self, hook_id: str, gave_up: bool, disable_after: int) -> None:
        """Note that a webhook arrived or was given up, and disable a registration that hears nothing."""
        hook = self.all.get(hook_id)
        if hook is None:
            return
        hook.given_up = hook.given_up + 1 if gave_up else 0
        if disable_after and hook.given_up >= disable_after:
            hook.status = "disabled"
