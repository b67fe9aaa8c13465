"""Contacts, their categories, and files of them."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigSerial, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Unique
from piccolo.table import Table
from uuid_utils.compat import uuid7


class Contact(Table):
    """One person. ``identity`` is the key all spellings of the number share; two contacts may collide on it.

    Of a person who was erased the row remains, empty and opted out, so that nothing that still names it can be sent.
    """

    id = UUID(primary_key=True, default=uuid7)
    phone = Text(unique=True, null=True, default=None, help_text="E.164; null once erased")
    identity = Text()
    wa_id = Text(null=True, default=None, help_text="digits, as the gateway returned them")
    lid = Text(null=True, default=None, help_text="the hidden id of people whose number WhatsApp does not show")
    name = Text(null=True, default=None)
    attributes = JSONB(default="{}")
    opted_out_at = Timestamptz(null=True, default=None)
    consent_source = Text(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
    erased_at = Timestamptz(null=True, default=None)


class StopEntry(Table):
    """A person who was erased, known only by a keyed hash: enough to refuse them, not to find them."""

    id = UUID(primary_key=True, default=uuid7)
    hash = Text(unique=True, help_text="models.stops.digest of the identity, or of the hidden id")
    made_at = Timestamptz(default=TimestamptzNow())
    trace = Text(null=True, default=None, help_text="digits still to be removed from stored webhooks; null: done")


class Category(Table):
    """A named group of contacts."""

    id = UUID(primary_key=True, default=uuid7)
    name = Text(unique=True)
    created_at = Timestamptz(default=TimestamptzNow())


class ContactCategory(Table):
    """Which contact is in which category."""

    id = UUID(primary_key=True, default=uuid7)
    contact = ForeignKey(Contact, null=False, on_delete=OnDelete.cascade)
    category = ForeignKey(Category, null=False, on_delete=OnDelete.cascade)
    contact_category_once = Unique([contact, category])


class Import(Table):
    """One uploaded file of contacts, and what became of its rows. The file is dropped when done."""

    id = UUID(primary_key=True, default=uuid7)
    filename = Text()
    body = Bytea(null=True, default=None)
    category = UUID(null=True, default=None)
    region = Text(null=True, default=None)
    dry_run = Boolean(default=False)
    state = Text(default="pending", help_text="pending, running, completed, failed")
    why = Text(default="")
    rows = Integer(default=0)
    created = Integer(default=0)
    updated = Integer(default=0)
    unchanged = Integer(default=0)
    rejected = Integer(default=0)
    errors = JSONB(default="[]", help_text="not written any more: see RejectedRow")
    created_at = Timestamptz(default=TimestamptzNow())
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)


class RejectedRow(Table):
    """One row of an imported file that could not be used, and why. Phones are masked."""

    id = BigSerial(primary_key=True)
    upload = UUID(default=None, help_text="the import")
    line = Integer()
    title = Text(null=True, default=None, help_text="of the column, where one cell is at fault")
    value = Text(null=True, default=None)
    reason = Text()
