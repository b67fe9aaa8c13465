from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.attachments import LARGEST, LONGEST_CAPTION, MIB, BadAttachment, check_caption, examine, kind_by_name

ZIP = b"PK\x03\x04" + b"\x00" * 26 + b"[Content_Types].xml"


@pytest.mark.parametrize(
    ("body", "name", "kind", "mime"),
    [
        (b"\xff\xd8\xff\xe0rest", "a.txt", "image", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\nrest", "a.png", "image", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPrest", "a.webp", "image", "image/webp"),
        (b"\x00\x00\x00\x20ftypisomrest", "a.mp4", "video", "video/mp4"),
        (b"\x00\x00\x00\x20ftyp3gp5rest", "a.3gp", "video", "video/3gpp"),
        (b"\x00\x00\x00\x20ftypM4A rest", "a.m4a", "audio", "audio/mp4"),
        (b"OggSrest", "a.ogg", "audio", "audio/ogg"),
        (b"ID3rest", "a.mp3", "audio", "audio/mpeg"),
        (b"%PDF-1.7", "menu.pdf", "document", "application/pdf"),
        (ZIP, "a.docx", "document", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("Été;1".encode(), "a.csv", "document", "text/csv"),
    ],
)
def test_a_file_is_told_by_its_bytes(body: bytes, name: str, kind: str, mime: str) -> None:
    found = examine(body, name)
    assert (found.kind, found.mime) == (kind, mime)


@pytest.mark.parametrize(
    ("body", "name", "code"),
    [
        (b"", "a.png", "empty_file"),
        (b"MZ\x90\x00", "menu.pdf", "unsupported_file"),
        (b"<html>", "a.jpg", "unsupported_file"),
        (ZIP, "a.zip", "unsupported_file"),
        (b"PK\x03\x04virus", "a.docx", "unsupported_file"),
        (b"a\x00b", "a.txt", "unsupported_file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "a.wav", "unsupported_file"),
        (b"\xff\xd8\xff" + b"\x00" * 5 * MIB, "a.jpg", "too_large"),
    ],
)
def test_what_whatsapp_would_not_take_is_refused_with_its_reason(body: bytes, name: str, code: str) -> None:
    with pytest.raises(BadAttachment) as refused:
        examine(body, name)
    assert refused.value.code == code
    assert name in str(refused.value)


@given(st.binary(max_size=200), st.text(max_size=20))
def test_whatever_comes_is_judged_and_never_breaks(body: bytes, name: str) -> None:
    try:
        assert examine(body, name).kind in LARGEST
    except BadAttachment as error:
        assert error.code in ("empty_file", "unsupported_file")


def test_a_sound_carries_no_text_and_the_others_a_short_one() -> None:
    check_caption("audio", "  ")
    check_caption("image", "x" * LONGEST_CAPTION)
    check_caption(None, "x" * 4000)
    with pytest.raises(BadAttachment, match="cannot carry a text"):
        check_caption("audio", "Hello")
    with pytest.raises(BadAttachment, match="1024"):
        check_caption("document", "x" * (LONGEST_CAPTION + 1))


def test_an_address_says_by_its_end_what_it_is() -> None:
    assert kind_by_name("https://example.org/a.mp3#t=1") == "audio"
    assert kind_by_name("https://example.org/") is None
