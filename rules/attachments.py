"""What may be attached to a message: told by its first bytes, never by what its name or its sender says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["image", "video", "audio", "document"]

MIB: Final = 1_048_576
LARGEST: Final[dict[Kind, int]] = {"image": 5 * MIB, "video": 16 * MIB, "audio": 16 * MIB, "document": 32 * MIB}
"""Bytes. Images, videos and sound: WhatsApp's own limits. Documents may have 100 MB there; here they pass through the
database, and a campaign whose people wait for more than this is better served by a link."""
LONGEST_CAPTION: Final = 1024
"""Characters WhatsApp shows below a picture, a video or a document."""

_OFFICE: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_SIGNATURES: Final[tuple[tuple[bytes, Kind, str], ...]] = (
    (b"\xff\xd8\xff", "image", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image", "image/png"),
    (b"OggS", "audio", "audio/ogg"),
    (b"ID3", "audio", "audio/mpeg"),
    (b"\xff\xfb", "audio", "audio/mpeg"),
    (b"\xff\xf3", "audio", "audio/mpeg"),
    (b"\xff\xf1", "audio", "audio/aac"),
    (b"\xff\xf9", "audio", "audio/aac"),
    (b"#!AMR", "audio", "audio/amr"),
    (b"%PDF-", "document", "application/pdf"),
)
_BY_NAME: Final[dict[str, Kind]] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "webp"), "image"),
    **dict.fromkeys(("mp4", "3gp"), "video"),
    **dict.fromkeys(("ogg", "opus", "mp3", "m4a", "aac", "amr"), "audio"),
    **dict.fromkeys(("pdf", "docx", "xlsx", "pptx", "txt", "csv"), "document"),
}


class BadAttachment(ValueError):
    """It cannot be attached; the text says why and what can. ``code`` is stable."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(reason)


@dataclass(frozen=True)
class FileType:
    """What a file is."""

    kind: Kind
    mime: str


def examine(body: bytes, filename: str) -> FileType:
    """Say what a file is; raises BadAttachment where it is nothing we send, empty, or too large for its kind.

    >>> examine(b"%PDF-1.7 ...", "menu.pdf")
    FileType(kind='document', mime='application/pdf')
    >>> examine(b"MZ\\x90", "menu.pdf")
    Traceback (most recent call last):
    rules.attachments.BadAttachment: menu.pdf is none of the files that can be sent: jpg, png, webp, mp4, 3gp, ...
    """
    if not body:
        raise BadAttachment("empty_file", f"{filename} is empty")
    found = _told_by(body, filename)
    if found is None:
        raise BadAttachment(
            "unsupported_file",
            f"{filename} is none of the files that can be sent: jpg, png, webp, mp4, 3gp, ogg, mp3, m4a, aac, amr, "
            "pdf, docx, xlsx, pptx, txt, csv",
        )
    if len(body) > LARGEST[found.kind]:
        most = LARGEST[found.kind] // MIB
        raise BadAttachment("too_large", f"{filename} has {len(body) / MIB:.1f} MiB: {found.kind}s may have {most} MiB")
    return found


def kind_by_name(filename: str) -> Kind | None:
    """Guess the kind of a file that only the gateway will see, by the end of its name; None: it says nothing.

    >>> kind_by_name("https://example.org/a.JPG?size=2"), kind_by_name("https://example.org/latest")
    ('image', None)
    """
    path = filename.partition("?")[0].partition("#")[0]
    return _BY_NAME.get(path.rpartition("/")[2].rpartition(".")[2].lower())


def check_caption(kind: Kind | None, text: str) -> None:
    """Refuse a text that cannot go with such a file: sound carries none, the others a short one."""
    if kind == "audio" and text.strip():
        raise BadAttachment("audio_has_no_caption", "a sound cannot carry a text: leave the text empty")
    if kind is not None and len(text) > LONGEST_CAPTION:
        reason = f"the text below an attachment may have {LONGEST_CAPTION} characters, this one has {len(text)}"
        raise BadAttachment("caption_too_long", reason)


def _told_by(body: bytes, filename: str) -> FileType | None:
    for signature, kind, mime in _SIGNATURES:
        if body.startswith(signature):
            return FileType(kind, mime)
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return FileType("image", "image/webp")
    if body[4:8] == b"ftyp":
        return _iso_media(body[8:12])
    extension = filename.rpartition(".")[2].lower()
    if body.startswith(b"PK\x03\x04") and extension in _OFFICE and b"[Content_Types].xml" in body:
        return FileType("document", _OFFICE[extension])
    if extension in ("txt", "csv") and _is_text(body):
        return FileType("document", "text/csv" if extension == "csv" else "text/plain")
    return None


def _iso_media(brand: bytes) -> FileType | None:
    if brand.startswith(b"M4A"):
        return FileType("audio", "audio/mp4")
    if brand.startswith(b"3gp"):
        return FileType("video", "video/3gpp")
    if brand in (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash", b"MSNV"):
        return FileType("video", "video/mp4")
    return None


def _is_text(body: bytes) -> bool:
    try:
        return "\x00" not in body.decode()
    except UnicodeDecodeError:
        return False
