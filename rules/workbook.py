"""What an .xlsx workbook is made of: an archive of XML parts, opened with distrust.

Archive and XML can both be made to swell to any size, so every part is read piece by piece and counted: what passes
a limit is refused with the limit.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from xml.parsers import expat

MOST_STRINGS: Final = 96 * 1024 * 1024
"""Bytes of its texts, unpacked."""
MOST_PART: Final = 8 * 1024 * 1024
"""Bytes of a small part, unpacked."""
MOST_TOKEN: Final = 1024 * 1024
"""Bytes of one tag."""
MOST_DEPTH: Final = 64
MOST_TEXTS: Final = 2_000_000
MOST_DIRECTORY: Final = 1024 * 1024
_CHUNK: Final = 65_536

_END = struct.Struct("<4s4H2LH")
_DATES: Final = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
"""Number formats of dates and times that every spreadsheet knows without naming them."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

Attributes = dict[str, str]


class BadSheet(ValueError):
    """The workbook cannot be read; the text says why and what to do."""


def unpack(body: bytes) -> zipfile.ZipFile:
    """Open the archive. Raises BadSheet, or what the library raises for one that is damaged."""
    _refuse_a_huge_directory(body)
    return zipfile.ZipFile(io.BytesIO(body))


def _refuse_a_huge_directory(body: bytes) -> None:
    """The library reads an archive's whole directory at once: a hostile one would fill the memory."""
    at = body.rfind(b"PK\x05\x06", max(0, len(body) - 65_557))
    if at < 0 or at + _END.size > len(body):
        raise BadSheet("the workbook is cut off: upload it again")
    _, _, _, _, _, size, _, _ = _END.unpack_from(body, at)
    if size > MOST_DIRECTORY or body[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise BadSheet("the workbook has more parts than any spreadsheet makes: save it again as .xlsx")


def parse(
    archive: zipfile.ZipFile,
    part: str,
    most: int,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Parse one part piece by piece; yields after each piece. Names come without their prefix."""
    if archive.NameToInfo[part].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadSheet("the workbook is packed as no spreadsheet does: save it again as .xlsx")
    parser = expat.ParserCreate()
    parser.buffer_text = True
    names: dict[str, str] = {}
    depth = 0

    def local(name: str) -> str:
        return names.setdefault(name, name.rpartition(":")[2]) if len(names) < 1_000 else name.rpartition(":")[2]

    def opened(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_DEPTH:
            raise BadSheet("the workbook is nested deeper than any spreadsheet makes it: save it again as .xlsx")
        start(local(name), attributes)

    def closed(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end is not None:
            end(local(name))

    def refused(*_: object) -> None:
        raise BadSheet("the workbook declares a document type, which no spreadsheet does: save it again as .xlsx")

    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    parser.StartDoctypeDeclHandler = refused
    parser.CharacterDataHandler = text
    given = 0
    with archive.open(part) as stream:
        while piece := stream.read(_CHUNK):
            given += len(piece)
            if given > most:
                raise BadSheet(f"{part} unpacks to more than {most // 1_048_576} MiB: split the file")
            parser.Parse(piece, False)
            if given - parser.CurrentByteIndex > MOST_TOKEN:
                raise BadSheet(f"a tag of {part} never ends: save it again as .xlsx")
            yield
    parser.Parse(b"", True)
    yield


def _read(archive: zipfile.ZipFile, part: str, start: Callable[[str, Attributes], None]) -> None:
    """Read the tags of a small part, if it is there."""
    if part in archive.NameToInfo:
        for _ in parse(archive, part, MOST_PART, start):
            pass


class Book:
    """What a sheet's cells refer to: texts, date formats, the day the calendar begins."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.epoch = datetime(1899, 12, 30)
        self.sheet = self._find(archive)
        self.dates = self._styles(archive)
        self.texts = self._texts(archive)

    def _find(self, archive: zipfile.ZipFile) -> str:
        """Return the part of the first visible sheet."""
        sheets: list[tuple[bool, str]] = []
        targets: dict[str, str] = {}

        def workbook(name: str, attributes: Attributes) -> None:
            if name == "sheet":
                relation = next((v for k, v in attributes.items() if k.rpartition(":")[2] == "id"), "")
                sheets.append((attributes.get("state", "visible") != "visible", relation))
            elif name == "workbookPr" and attributes.get("date1904", "0") in ("1", "true"):
                self.epoch = datetime(1904, 1, 1)

        def relations(name: str, attributes: Attributes) -> None:
            if name == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        _read(archive, "xl/workbook.xml", workbook)
        _read(archive, "xl/_rels/workbook.xml.rels", relations)
        for _, relation in sorted(sheets, key=lambda sheet: sheet[0]):
            target = targets.get(relation, "")
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if "worksheets/" in part and part in archive.NameToInfo:
                return part
        if "xl/worksheets/sheet1.xml" in archive.NameToInfo:
            return "xl/worksheets/sheet1.xml"
        raise BadSheet("this is no .xlsx workbook: save it as .xlsx or CSV and send that")

    def _styles(self, archive: zipfile.ZipFile) -> frozenset[str]:
        """Return which styles show a number as a date."""
        custom: set[str] = set()
        dates: set[str] = set()
        inside, count = False, 0

        def style(name: str, attributes: Attributes) -> None:
            nonlocal inside, count
            if name == "numFmt":
                shown = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", attributes.get("formatCode", ""))
                if re.search("[ymdhs]", shown, re.IGNORECASE) and not re.search("general", shown, re.IGNORECASE):
                    custom.add(attributes.get("numFmtId", ""))
            elif name == "cellXfs":
                inside = True
            elif name in ("cellStyles", "dxfs", "tableStyles"):
                inside = False
            elif name == "xf" and inside:
                number = attributes.get("numFmtId", "0")
                if number in custom or (number.isdecimal() and int(number[:9]) in _DATES):
                    dates.add(str(count))
                count += 1

        _read(archive, "xl/styles.xml", style)
        return frozenset(dates)

    def _texts(self, archive: zipfile.ZipFile) -> list[str]:
        """Return the texts that cells share."""
        found: list[str] = []
        part = "xl/sharedStrings.xml"
        if part not in archive.NameToInfo:
            return found
        pieces: list[str] = []
        wanted = spoken = False

        def start(name: str, _: Attributes) -> None:
            nonlocal wanted, spoken
            if name == "si":
                pieces.clear()
            elif name == "rPh":  # how to pronounce it
                spoken = True
            wanted = name == "t" and not spoken

        def end(name: str) -> None:
            nonlocal wanted, spoken
            wanted = False
            if name == "rPh":
                spoken = False
            elif name == "si":
                if len(found) >= MOST_TEXTS:
                    raise BadSheet(f"the workbook has more than {MOST_TEXTS:,} different texts: split the file")
                found.append(plain("".join(pieces)))

        def text(piece: str) -> None:
            if wanted:
                pieces.append(piece)

        for _ in parse(archive, part, MOST_STRINGS, start, end, text):
            pass
        return found


def plain(text: str) -> str:
    """Undo how a workbook writes characters that XML has no place for; half of a pair stays as it is written.

    >>> plain("a_x000D_b"), plain("_xD800_")
    ('a\\rb', '_xD800_')
    """
    if "_x" not in text:
        return text
    return _ESCAPED.sub(lambda found: found[0] if 0xD800 <= (code := int(found[1], 16)) <= 0xDFFF else chr(code), text)
