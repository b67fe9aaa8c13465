"""Contacts, their categories, and files of them."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Unique
from piccolo.table import Table
from uuid_utils.compat import uuid7


class Contact(Table):
    """One person. ``identity`` is the key all spellings of the number share; two contacts may collide on it."""

    id = UUID(primary_key=True, default=uuid7)
    phone = Text(unique=True, help_text="E.164")
    identity = Text()
    wa_id = Text(null=True, default=None, help_text="digits, as the gateway returned them")
    lid = Text(null=True, default=None, help_text="the hidden id of people whose number WhatsApp does not show")
    name = Text(null=True, default=None)
    attributes = JSONB(default="{}")
    opted_out_at = Timestamptz(null=True, default=None)
    consent_source = Text(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())


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
    errors = JSONB(default="[]", help_text="[{line, column, value, reason}], the first 1,000")
    created_at = Timestamptz(default=TimestamptzNow())
    started_at = Timestamptz(null=True, default=None)
    finished_at = Timestamptz(null=True, default=None)
