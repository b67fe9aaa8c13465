"""Files that messages carry."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar.datastructures import UploadFile
from msgspec import Struct


class NewAttachment(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One file, as a multipart form."""

    file: UploadFile


class Attachment(Struct, kw_only=True):
    """An uploaded file; ``kind`` (image, video, audio, document) and ``mime`` are told by its own bytes."""

    id: UUID
    filename: str
    kind: str
    mime: str
    size: int
    sha256: str
    created_at: datetime
