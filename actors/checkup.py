"""Is a number ready for a campaign, as its gateway sees it: key, session, plan, webhook? And the webhook mended.

Looked at by ``bin/relance doctor`` and by the dashboard. Nothing here changes anything but the webhook, when asked to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import settings
from gateway import Gateway, LookupFailed, SenderStopped, Webhook, open_gateway

NEEDED_EVENTS = frozenset({
    "message:in:new", "message:out:sent", "message:out:ack", "message:out:failed", "message:reaction",
    "message:update", "number:session",
})  # fmt: skip
"""Events without which something is not noticed."""
PATH = "/webhooks/wassenger"
_MEND = "bin/relance doctor --fix"


@dataclass(frozen=True)
class Finding:
    """One line. ``ok`` None: cannot be told, and nothing is wrong because of it. ``code`` names it for programs."""

    ok: bool | None
    name: str
    text: str
    remedy: str = ""
    code: str = ""


async def of_number(device_id: str, *, fix: bool = False) -> list[Finding]:
    """Look at one number through a connection of its own; with ``fix`` also register its webhook."""
    s = settings.get()
    gateway = open_gateway()
    try:
        accepted, visible = await key(gateway, s)
        if not accepted.ok:
            return [accepted]
        found = [finding async for finding in number(gateway, device_id, visible)]
        return [accepted, *found, await webhook(gateway, device_id, s, fix=fix)]
    finally:
        await gateway.close()


async def key(gateway: Gateway, s: settings.Settings) -> tuple[Finding, list[str]]:
    """Say whether the gateway takes our key, and which devices it shows."""
    try:
        visible = [device.device_id for device in await gateway.devices()]
    except SenderStopped as error:
        remedy = "set WASSENGER_API_KEY to a valid key of the account (Wassenger: API keys)"
        return Finding(False, "gateway key", f"refused: {error.detail}", remedy, "key_refused"), []
    except LookupFailed as error:
        remedy = f"check WASSENGER_BASE_URL ({s.wassenger_base_url}) and the network"
        return Finding(False, "gateway", f"does not answer: {error.detail}", remedy, "gateway_silent"), []
    many = f"{len(visible)} {'number' if len(visible) == 1 else 'numbers'}"
    return Finding(True, "gateway key", f"accepted, it sees {many}", code="key_accepted"), visible


async def number(gateway: Gateway, device_id: str, visible: Sequence[str]) -> AsyncIterator[Finding]:
    """Judge the session of one number, and its plan."""
    name = f"number …{device_id[-6:]}"
    try:
        device = await gateway.device(device_id)
    except (SenderStopped, LookupFailed) as error:
        others = f"the key sees {', '.join(visible)}" if visible else "the key sees no number"
        remedy = f"check WASSENGER_DEVICE_ID; {others}"
        yield Finding(False, name, f"unknown to the gateway: {error.detail}", remedy, "number_unknown")
        return
    if device.state == "ready":
        yield Finding(True, name, "online", code="number_online")
    else:
        remedy = "until then nothing can be sent from it"
        yield Finding(False, name, f"{device.state}: {device.reason}", remedy, f"number_{device.state}")
    plan = f"plan …{device_id[-6:]}"
    if device.allows_replies is False:
        remedy = "take a plan with inbound messages (Wassenger: Platform), or Message 2 can never be sent"
        yield Finding(False, plan, "sends only: replies never reach us", remedy, "plan_without_replies")
    elif device.allows_replies:
        yield Finding(True, plan, "brings replies", code="plan_with_replies")
    else:
        yield Finding(None, plan, "the gateway does not say whether it brings replies", code="plan_unknown")


async def webhook(gateway: Gateway, device_id: str, s: settings.Settings, *, fix: bool) -> Finding:
    """Judge the webhook of one number; with ``fix`` register, complete and enable it first."""
    name = f"webhook …{device_id[-6:]}"
    if not s.public_url:
        remedy = "set it to the address the gateway reaches us under"
        return Finding(False, name, "PUBLIC_URL is not set", remedy, "no_public_url")
    try:
        if fix:
            await gateway.register_webhook(device_id, webhook_url(s))
        return _judge(name, await gateway.webhooks(), device_id, s, fixed=fix)
    except (LookupFailed, SenderStopped) as error:
        remedy = "try again, or look at the gateway's pages"
        return Finding(False, name, f"cannot be examined: {error.detail}", remedy, "webhook_unseen")


def webhook_url(s: settings.Settings) -> str:
    """Return the address that the gateway calls, the token in it."""
    return f"{s.public_url.rstrip('/')}{PATH}?{urlencode({'token': s.wassenger_webhook_secret})}"


def _judge(name: str, listed: Sequence[Webhook], device_id: str, s: settings.Settings, *, fixed: bool) -> Finding:
    wanted = webhook_url(s)
    of_device = [hook for hook in listed if hook.device_id in (None, device_id)]
    ours = next((hook for hook in of_device if hook.url == wanted), None)
    if ours is None:
        return _not_registered(name, of_device, wanted.partition("?")[0])
    if not ours.enabled:
        return Finding(False, name, "registered, and disabled by the gateway", f"{_MEND} enables it", "webhook_off")
    if missing := sorted(NEEDED_EVENTS - set(ours.events)):
        text = f"registered without {', '.join(missing)}"
        return Finding(False, name, text, f"{_MEND} completes it", "webhook_incomplete")
    text = f"{'registered now' if fixed else 'registered'}, enabled, complete"
    return Finding(True, name, text, code="webhook_complete")


def _not_registered(name: str, of_device: Sequence[Webhook], address: str) -> Finding:
    remedy = f"{_MEND} registers it"
    if any(hook.url.partition("?")[0] == address for hook in of_device):
        text = "registered with another token than WASSENGER_WEBHOOK_SECRET"
        return Finding(False, name, text, remedy, "webhook_other_token")
    others = f"; {len(of_device)} lead elsewhere" if of_device else ""
    return Finding(False, name, f"not registered for {address}{others}", remedy, "webhook_missing")
