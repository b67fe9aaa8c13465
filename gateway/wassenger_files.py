"""Files: handed over once, carried by any number of messages."""

from __future__ import annotations

import re
import secrets
from typing import Final

from gateway import File, GatewayError, KeptFile, LookupFailed, Refused, SenderStopped, Unknown, Unreachable
from gateway import wassenger_answers as answers
from gateway.transport import Answer
from gateway.wassenger_api import LIST_LIMIT, Api
from gateway.wassenger_wire import decode, moment, rows, text

UPLOAD_SECONDS: Final = 60.0
"""Deadline of one upload. Nobody waits for it but the launch of its campaign."""


async def keep(api: Api, file: File) -> KeptFile:
    """Upload one file. See ``Gateway.keep``."""
    boundary = secrets.token_hex(16)
    try:
        answer = await api.call(
            "POST",
            "/files",
            body=_form(file, boundary),
            limit=LIST_LIMIT,
            kind=f"multipart/form-data; boundary={boundary}",
            deadline=UPLOAD_SECONDS,
        )
    except (Unreachable, Unknown) as error:
        raise LookupFailed(error.detail, code=error.code) from error
    if answer.status not in (200, 201) or answer.is_page or answer.body is None:
        raise _refusal(answer)
    try:
        told = decode(answer.body)
    except (ValueError, RecursionError):
        raise LookupFailed(f"HTTP {answer.status} with a body that is not JSON") from None
    for row in rows(told):
        if (file_id := text(row, "id")) is not None:
            return KeptFile(file_id=file_id, until=moment(row, "expiresAt"))
    raise LookupFailed(f"HTTP {answer.status} without the id of the file")


def _form(file: File, boundary: str) -> bytes:
    """Write the multipart body: one part, named as the vendor's own clients name it."""
    name = re.sub(r"[^\w .()-]", "_", file.filename, flags=re.ASCII) or "file"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {file.mime}\r\n\r\n"
    )
    return b"".join((head.encode(), file.body, f"\r\n--{boundary}--\r\n".encode()))


def _refusal(answer: Answer) -> GatewayError:
    """Say what a refused upload means: a file it will never take, a key it does not like, or nothing certain."""
    told = answers.described(answer)
    if answer.is_page:
        return LookupFailed(told)
    if answer.status in (401, 402, 403):
        return SenderStopped(told)
    return Refused(told) if answer.status in (400, 413, 415, 422) else LookupFailed(told)
