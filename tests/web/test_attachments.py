from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.web.conftest import Makes, problem

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 2_000
SOUND = b"OggS" + b"\x00" * 500


async def _uploaded(api: httpx.AsyncClient, body: bytes, name: str) -> dict[str, Any]:
    answer = await api.post("/api/media", files={"file": (name, body, "application/x-whatever")})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_file_is_kept_whole_and_told_by_its_bytes(api: httpx.AsyncClient) -> None:
    made = await _uploaded(api, PNG, "été.png")
    assert (made["kind"], made["mime"], made["size"], made["filename"]) == ("image", "image/png", len(PNG), "été.png")
    assert made["sha256"] == hashlib.sha256(PNG).hexdigest()
    assert (await api.get(f"/api/media/{made['id']}")).json() == made
    content = await api.get(f"/api/media/{made['id']}/content")
    assert content.content == PNG
    assert content.headers["content-type"] == "image/png"
    assert content.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9t%C3%A9.png"
    assert content.headers["x-content-type-options"] == "nosniff"
    assert (await api.get("/api/media", params={"limit": 1})).json()["items"] == [made]
    assert (await api.delete(f"/api/media/{made['id']}")).status_code == 204
    for method, rest in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        problem(await api.request(method, f"/api/media/{made['id']}{rest}"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (b"MZ\x90\x00", 415, "unsupported_file"),
        (b"\xff\xd8\xff" + bytes(5_300_000), 413, "too_large"),
        (b"%PDF-" + bytes(34_000_000), 413, "too_large"),
    ],
)
async def test_what_cannot_be_sent_is_not_kept(api: httpx.AsyncClient, body: bytes, status: int, code: str) -> None:
    before = (await api.get("/api/media", params={"limit": 1})).json()["items"]
    problem(await api.post("/api/media", files={"file": ("a.jpg", body)}), status, code)
    assert (await api.get("/api/media", params={"limit": 1})).json()["items"] == before


async def test_both_messages_carry_a_file_each(api: httpx.AsyncClient, new_campaign: Makes) -> None:
    picture, sound = await _uploaded(api, PNG, "a.png"), await _uploaded(api, SOUND, "b.ogg")
    made = await new_campaign(message_2="", media_1={"media_id": picture["id"]}, media_2={"media_id": sound["id"]})
    assert made["media_1"] == {"media_id": picture["id"], "filename": "a.png", "kind": "image"}
    assert (made["message_2"], made["media_2"]["kind"]) == ("", "audio")
    shown = (await api.post(f"/api/campaigns/{made['id']}/preview")).json()
    assert [(one["message_1"], one["message_2"]) for one in shown["samples"]] == [("Hello Ana", "")]
    problem(await api.delete(f"/api/media/{picture['id']}"), 409, "in_use")
    await api.patch(f"/api/campaigns/{made['id']}", json={"media_1": None})
    assert (await api.delete(f"/api/media/{picture['id']}")).status_code == 204


async def test_a_file_and_a_text_that_do_not_go_together_are_refused(
    api: httpx.AsyncClient, new_campaign: Makes
) -> None:
    picture, sound = await _uploaded(api, PNG, "a.png"), await _uploaded(api, SOUND, "b.ogg")
    path = f"/api/campaigns/{(await new_campaign())['id']}"
    image, audio = {"media_id": picture["id"]}, {"media_id": sound["id"]}
    for change, code in (
        ({"media_1": audio}, "audio_has_no_caption"),
        ({"media_1": {"url": "https://example.org/a.mp3"}}, "audio_has_no_caption"),
        ({"media_1": image, "message_1": "x" * 1025}, "caption_too_long"),
        ({"media_1": image, "message_1": ""}, "bad_template"),
        ({"message_1": ""}, "bad_template"),
        ({"media_2": image}, "media_without_message"),
        ({"media_1": {"media_id": str(uuid4())}}, "unknown_media"),
        ({"media_1": {}}, "bad_media"),
        ({"media_1": image | {"url": "https://example.org/a.png"}}, "bad_media"),
    ):
        problem(await api.patch(path, json=change), 422, code)
    # What was written before is judged again with what changes: a longer text below the same picture.
    assert (await api.patch(path, json={"media_1": image})).status_code == 200
    problem(await api.patch(path, json={"message_1": "x" * 1025}), 422, "caption_too_long")
