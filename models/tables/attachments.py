"""Files that messages carry."""

from __future__ import annotations

from piccolo.columns import UUID, Bytea, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.constraints import Check
from piccolo.table import Table
from uuid_utils.compat import uuid7


class Attachment(Table):
    """One uploaded file, whole: nothing on a disk matters. The gateway gets a copy when a campaign needs it."""

    id = UUID(primary_key=True, default=uuid7)
    filename = Text()
    kind = Text(help_text="image, video, audio or document")
    mime = Text()
    size = Integer()
    sha256 = Text()
    body = Bytea()
    gateway_file = Text(null=True, default=None, help_text="the id of the gateway's copy")
    gateway_until = Timestamptz(null=True, default=None, help_text="when the gateway forgets it; null: never, or none")
    created_at = Timestamptz(default=TimestamptzNow())
    known_kind = Check("kind in ('image', 'video', 'audio', 'document')")
