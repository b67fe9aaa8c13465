"""Handing over a file: what is asked, and what each answer says."""

from __future__ import annotations

import pytest

from gateway import File, LookupFailed, Refused, SenderStopped
from tests.gateway.conftest import Open
from tests.gateway.replay import Answered, replaying, shaped

PICTURE = File(filename='a "b"\r\n.jpg', mime="image/jpeg", body=b"\xff\xd8\xff\r\n--x\x00")


@pytest.mark.parametrize("shape", ["file_upload_array_201", "file_upload_object_201"])
async def test_a_file_is_uploaded_whole_and_its_id_kept(open_client: Open, shape: str) -> None:
    server, script = replaying(shaped(shape))
    async with server:
        kept = await open_client(server.url).keep(PICTURE)
    assert kept.file_id == "6a1f0e1a2b3c4d5e6f708192"
    assert kept.until is not None
    (request,) = script.asked
    assert (request.method, request.target) == ("POST", "/v1/files")
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    head, _, rest = request.body.partition(b"\r\n\r\n")
    assert b'name="file"; filename="a _b___.jpg"' in head  # nothing of a name ends the header
    assert rest == PICTURE.body + f"\r\n--{boundary}--\r\n".encode()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"message":"not an image"}', Refused),
        (413, b"{}", Refused),
        (415, b"{}", Refused),
        (401, b"{}", SenderStopped),
        (402, b"{}", SenderStopped),
        (429, b"{}", LookupFailed),
        (500, b"{}", LookupFailed),
        (502, b"<html>", LookupFailed),
        (201, b"[]", LookupFailed),
        (201, b"gone", LookupFailed),
    ],
)
async def test_an_upload_that_fails_says_whether_to_try_again(
    open_client: Open, status: int, body: bytes, error: type[Exception]
) -> None:
    server, _ = replaying(Answered(status, body))
    async with server:
        with pytest.raises(error):
            await open_client(server.url).keep(PICTURE)
