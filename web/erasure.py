"""One person's data: all of it as a document, and none of it any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get
from litestar.params import FromPath
from litestar.response import Stream

from actors.wake import wake
from models import erasure, forgetting, pool
from models.queries import from_json, sql
from web.auth import who
from web.contacts import found

if TYPE_CHECKING:
    from asyncpg import Record

STEP = 500
"""Rows read by one statement."""


@delete("/{contact_id:uuid}")
async def erase(contact_id: FromPath[UUID]) -> None:
    """Erase a person, under every spelling of the number. It cannot be undone.

    Phone, name, attributes, texts and replies go; what is pending is cancelled; every count stays. A keyed hash of
    the number keeps this person from being added, imported or written to again.
    """
    async with pool.transaction() as conn:
        row = await found(conn, contact_id)
        people = await sql.lock_contacts(conn, identity=row["identity"], lid=row["lid"])
        entries = await erasure.erase(conn, people, by=who())
    await forgetting.contacts_changed(None)
    await forgetting.messages_moved()
    for entry in entries:
        wake("erase_traces", entry)


@get("/{contact_id:uuid}/export")
async def export(contact_id: FromPath[UUID]) -> Response[Any]:
    """Return everything known about one person, under every spelling of the number, as a JSON document to keep."""
    async with pool.connection() as conn:
        row = await found(conn, contact_id)
        spellings = await sql.contacts_of_person(conn, identity=row["identity"], lid=row["lid"])
    return Stream(
        _document(spellings),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="contact-{contact_id}.json"'},
    )


router = Router("/contacts", route_handlers=[erase, export], tags=["contacts"])


async def _document(spellings: list[Record]) -> AsyncIterator[bytes]:
    """Write the document piece by piece: somebody may have answered very often."""
    contacts = [dict(row) | {"attributes": from_json(row["attributes"])} for row in spellings]
    ids = [row["id"] for row in spellings]
    yield b'{"contacts":' + msgspec.json.encode(contacts)
    for name, following in (("messages", sql.messages_of_contact), ("interactions", sql.interactions_of_contact)):
        yield b',"%s":[' % name.encode()
        after, first = UUID(int=0), True
        while True:
            async with pool.connection() as conn:
                rows = await following(conn, contacts=ids, after=after, many=STEP)
            for row in rows:
                yield (b"" if first else b",") + msgspec.json.encode(dict(row))
                first = False
            if len(rows) < STEP:
                break
            after = rows[-1]["id"]
        yield b"]"
    yield b"}"
