"""What is asked: every list and every detail a dashboard shows, and what a person writes."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from local.bench.wire import Server

OWN_FIGURES = ("preview", "stream")
"""Promised apart from the others."""


@dataclass(frozen=True)
class Known:
    """Ids of what is there, as text; deep ones lie in the middle of their tables."""

    sender: str
    categories: list[str]
    campaigns: list[str]
    waiting: list[str]
    contacts: list[str]
    recipients: list[str]
    messages: list[str]
    interactions: list[str]


async def known(database_url: str) -> Known:
    """Read a sample of ids."""
    conn = await asyncpg.connect(database_url)
    try:

        async def ids(query: str) -> list[str]:
            return [str(row[0]) for row in await conn.fetch(query)]

        return Known(
            sender=str(await conn.fetchval("SELECT id FROM sender ORDER BY id LIMIT 1")),
            categories=await ids("SELECT id FROM category ORDER BY id"),
            campaigns=await ids("SELECT id FROM campaign WHERE status = 'completed' ORDER BY id"),
            waiting=await ids("SELECT id FROM campaign WHERE status IN ('waiting', 'paused') ORDER BY id"),
            **{
                f"{table}s": await ids(f'SELECT id FROM "{table}" ORDER BY md5(id::text) LIMIT 300')  # noqa: S608
                for table in ("contact", "recipient", "message", "interaction")
            },
        )
    finally:
        await conn.close()


def reads(known: Known, dice: random.Random) -> list[tuple[str, str]]:
    """Return one of each: (name, path)."""
    pick = dice.choice
    campaign, waiting, digits = pick(known.campaigns), pick(known.waiting), dice.randrange(1000, 9999)
    return [
        ("contacts", "/api/contacts?limit=50"),
        ("contacts, deep", f"/api/contacts?limit=50&cursor={pick(known.contacts)}"),
        ("contacts by name", f"/api/contacts?q={pick(['Awa', 'Chen', 'Fatou'])}"),
        ("contacts by phone", f"/api/contacts?q=%2B3319900000{digits}"),
        ("contacts of a category", f"/api/contacts?category_id={pick(known.categories)}"),
        ("contact", f"/api/contacts/{pick(known.contacts)}"),
        ("categories", "/api/categories"),
        ("category", f"/api/categories/{pick(known.categories)}"),
        ("senders", "/api/senders"),
        ("campaigns", "/api/campaigns?limit=50"),
        ("campaigns, deep", f"/api/campaigns?cursor={campaign}"),
        ("campaigns by status", "/api/campaigns?status=waiting"),
        ("campaign", f"/api/campaigns/{campaign}"),
        ("progress", f"/api/campaigns/{waiting}/progress"),
        ("progress, completed", f"/api/campaigns/{campaign}/progress"),
        ("batches", f"/api/campaigns/{campaign}/batches"),
        ("series", f"/api/campaigns/{campaign}/series"),
        ("report", f"/api/campaigns/{campaign}/report"),
        ("report so far", f"/api/campaigns/{waiting}/report"),
        ("recipients", f"/api/campaigns/{campaign}/recipients"),
        ("recipients by state", f"/api/campaigns/{campaign}/recipients?state=failed"),
        ("recipients by a rare state", f"/api/campaigns/{campaign}/recipients?state=unconfirmed"),
        ("recipient", f"/api/recipients/{pick(known.recipients)}"),
        ("messages", "/api/messages"),
        ("messages, deep", f"/api/messages?cursor={pick(known.messages)}"),
        ("messages of a campaign", f"/api/messages?campaign_id={campaign}&message_type=message_2"),
        ("messages by status", f"/api/messages?status={pick(['failed', 'read', 'no_interaction'])}"),
        ("messages by a rare status", f"/api/messages?status={pick(['pending', 'unconfirmed', 'cancelled'])}"),
        ("messages of a campaign by status", f"/api/messages?campaign_id={campaign}&status=failed"),
        ("message statistics", "/api/messages/stats"),
        ("interactions", "/api/interactions"),
        ("interactions, deep", f"/api/interactions?cursor={pick(known.interactions)}"),
        ("interactions of a campaign", f"/api/interactions?campaign_id={campaign}"),
        ("interactions by a rare type", "/api/interactions?type=poll"),
        ("interactions since", "/api/interactions?since=2030-01-01T00:00:00Z"),
        ("config", "/api/config"),
        ("monitoring", "/api/monitoring"),
        ("stream of everything", "/api/events"),
    ]


def writes(known: Known, dice: random.Random, number: int) -> list[tuple[str, str, str, object]]:
    """Return one of each: (name, method, path, body)."""
    contact, category, campaign = (
        dice.choice(known.contacts),
        dice.choice(known.categories),
        dice.choice(known.campaigns),
    )
    draft = {
        "name": f"Bench {number}", "category_ids": [category], "message_1": "Hello {{name}}", "sender_id": known.sender
    }  # fmt: skip
    return [
        ("POST contact", "POST", "/api/contacts", {"phone": f"+120255501{number % 100:02d}", "name": "Bench"}),
        ("PATCH contact", "PATCH", f"/api/contacts/{contact}", {"name": f"Bench {number}"}),
        ("POST category", "POST", "/api/categories", {"name": f"Bench {number}"}),
        ("PATCH category", "PATCH", f"/api/categories/{category}", {"name": f"Category of {number}"}),
        ("PUT category contacts", "PUT", f"/api/categories/{category}/contacts", {"contact_ids": [contact]}),
        ("POST campaign", "POST", "/api/campaigns", draft),
        ("POST campaign/duplicate", "POST", f"/api/campaigns/{campaign}/duplicate", None),
        ("PATCH sender", "PATCH", f"/api/senders/{known.sender}", {"name": f"Bench {number}"}),
        ("POST preview", "POST", f"/api/campaigns/{campaign}/preview", None),
    ]


def read_requests(server: Server, known: Known, many: int, seed: int) -> list[tuple[str, bytes]]:
    """Return so many, mixed."""
    dice, made = random.Random(seed), list[tuple[str, bytes]]()
    while len(made) < many:
        once = [(name, server.request("GET", path)) for name, path in reads(known, dice)]
        dice.shuffle(once)
        made += once
    return made[:many]


def write_requests(server: Server, known: Known, many: int, seed: int) -> list[tuple[str, bytes]]:
    """Return so many, mixed."""
    dice, made = random.Random(seed), list[tuple[str, bytes]]()
    while len(made) < many:
        once = [
            (name, server.request(method, path, b"" if body is None else json.dumps(body).encode()))
            for name, method, path, body in writes(known, dice, len(made))
        ]
        dice.shuffle(once)
        made += once
    return made[:many]


def webhooks(server: Server, secret: str, device: str, many: int, run: str) -> list[bytes]:
    """Return so many different acknowledgements, each as large as a real one."""
    chat = {
        "id": "33199000123@c.us", "type": "chat", "status": "active", "waStatus": "active",
        "stats": {"notes": 0, "localMessages": 1, "inboundMessages": 0, "outboundMessages": 1}, "labels": [],
        "contact": {"wid": "33199000123@c.us", "name": "Awa", "phone": "+33199000123", "metadata": [],
                    "notes": "x" * 400},
        "owner": {"agent": None},
    }  # fmt: skip
    body = {
        "id": "", "object": "message", "event": "message:out:ack", "created": 1_790_000_000,
        "device": {"id": device, "phone": "+33199000001", "alias": "Bench", "plan": "io-professional"},
        "data": {
            "id": "", "type": "text", "flow": "outbound", "status": "active", "ack": "delivered",
            "from": "33199000001@c.us", "to": "33199000123@c.us", "date": "2026-09-20T09:00:00.000Z",
            "timestamp": 1_790_000_000, "body": "Hello", "chat": chat,
            "meta": {"isGroup": False, "source": "api", "notifyName": "Awa"},
        },
    }  # fmt: skip
    text = json.dumps(body)
    path = f"/webhooks/wassenger?token={secret}"
    made = []
    for number in range(many):
        name = f"3EB0{run}{number:012X}"
        made.append(server.request("POST", path, text.replace('"id": ""', f'"id": "{name}"').encode()))
    return made
