from __future__ import annotations

import json
from uuid import UUID

from actors.eraser import erase_traces
from models import erasure, pool
from models.queries import sql
from rules.phone import identity
from tests.actors.people import inbound, phones
from tests.actors.world import World, run


async def erase(world: World, phone: str) -> UUID:
    """Erase a person as the web process does; returns the stop entry."""
    async with pool.transaction() as conn:
        people = await sql.lock_contacts(conn, identity=identity(phone), lid=None)
        (entry,) = await erasure.erase(conn, people, by="test")
    return entry


async def ack(world: World, phone: str, *, digested: bool = True) -> UUID:
    """Store a webhook that mentions a phone."""
    made: UUID = await world.value(
        "INSERT INTO inbox (event_key, kind, from_person, fetched, body, digested_at, outcome)"
        " VALUES (gen_random_uuid()::text, 'message:out:ack', false, false, $1, CASE WHEN $2 THEN now() END, 'done')"
        " RETURNING id",
        json.dumps({"toNumber": phone}).encode(),
        digested,
    )
    return made


async def age(world: World, entry: UUID) -> None:
    await world.execute("UPDATE stop_entry SET made_at = made_at - interval '2 minutes' WHERE id = $1", entry)


async def test_stored_webhooks_that_mention_an_erased_person_are_emptied(world: World) -> None:
    gone, stays = phones(2)
    await world.contacts([gone, stays])
    mentions, other = await ack(world, gone), await ack(world, stays)
    entry = await erase(world, gone)
    await run(erase_traces, entry)
    assert (await world.inbox(mentions))["body"] == b""
    assert stays.encode() in (await world.inbox(other))["body"]


async def test_the_number_is_forgotten_when_nothing_can_bring_it_back(world: World) -> None:
    (phone,) = phones(1)
    await world.contacts([phone])
    entry = await erase(world, phone)
    await run(erase_traces, entry)
    trace = "SELECT trace FROM stop_entry WHERE id = $1"
    assert await world.value(trace, entry) is not None, "what was under way may still be written"
    await age(world, entry)
    undigested = await ack(world, phone, digested=False)
    await run(erase_traces, entry)
    assert await world.value(trace, entry) is not None, "a webhook that mentions it waits to be digested"
    await world.execute("UPDATE inbox SET digested_at = now() WHERE id = $1", undigested)
    await run(erase_traces, entry)
    assert await world.value(trace, entry) is None
    assert (await world.inbox(undigested))["body"] == b""
    await run(erase_traces, entry)  # a late wake-up finds nothing to do


async def test_who_is_added_by_what_had_read_them_before_is_erased_again(world: World) -> None:
    (phone,) = phones(1)
    await world.contacts([phone])
    entry = await erase(world, phone)
    await world.contacts([phone])
    await run(erase_traces, entry)
    assert await world.value("SELECT count(*) FROM contact WHERE phone = $1", phone) == 0


async def test_a_webhook_of_an_erased_person_is_not_kept(world: World) -> None:
    (phone,) = phones(1)
    campaign = await world.reached([phone])
    await erase(world, phone)
    row = await world.hear(inbound("in_new_text", phone))
    assert (row["outcome"], row["body"]) == ("unmatched", b"")
    assert "erased" in row["why"]
    assert await world.statuses(campaign, step=2) == {}
