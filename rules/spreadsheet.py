"""Rows of an .xlsx workbook: its first visible sheet, streamed, in bounded memory, whatever the file contains."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from xml.parsers import expat

from rules.workbook import Attributes, BadSheet, Book, parse, plain, unpack

MAGIC: Final = b"PK\x03\x04"

MOST_SHEET: Final = 512 * 1024 * 1024
"""Bytes of the sheet, unpacked."""
MOST_COLUMNS: Final = 1_000
"""Cells of a row that are looked at; further ones are left out."""
MOST_CELL: Final = 40_000
"""Characters of a cell that are kept; a spreadsheet holds 32,767."""


def rows(body: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number, cells) of the first visible sheet; a number is written plain, a date as in ISO 8601.

    Raises BadSheet at any row.
    """
    try:
        with unpack(body) as archive:
            yield from _sheet(archive, Book(archive))
    except BadSheet:
        raise
    except expat.ExpatError as error:
        raise BadSheet(f"the workbook is damaged ({error}): save it again as .xlsx") from None
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError) as error:
        # RuntimeError: an archive with a password, or packed as nobody packs.
        raise BadSheet(
            f"the workbook cannot be unpacked ({error}): save it again as .xlsx, without a password"
        ) from None


def _sheet(archive: zipfile.ZipFile, book: Book) -> Iterator[tuple[int, list[str]]]:
    done: list[tuple[int, list[str]]] = []
    cells: list[str] = []
    pieces: list[str] = []
    columns: dict[str, int] = {}
    row = column = kept = 0
    kind = style = ""
    wanted = spoken = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal row, column, kept, kind, style, wanted, spoken, cells
        if name == "c":
            reference = attributes.get("r", "").rstrip("0123456789")
            if reference:
                if reference not in columns and len(columns) < MOST_COLUMNS:
                    columns[reference] = _column(reference)
                column = columns.get(reference, MOST_COLUMNS)
            kind, style = attributes.get("t", "n"), attributes.get("s", "")
            pieces.clear()
            kept = 0
        elif name in ("v", "t"):
            wanted = not spoken
        elif name == "rPh":  # how to pronounce it
            spoken = True
        elif name == "row":
            number = attributes.get("r", "")
            row = int(number) if number.isdecimal() and len(number) < 9 else row + 1
            column, cells = 0, []

    def end(name: str) -> None:
        nonlocal column, wanted, spoken
        wanted = False
        if name == "c":
            if pieces and column < MOST_COLUMNS:
                cells.extend([""] * (column - len(cells)))
                if column == len(cells):
                    cells.append("")
                cells[column] = _value("".join(pieces), kind, style, book)
            column += 1
        elif name == "rPh":
            spoken = False
        elif name == "row" and cells:
            done.append((row, cells))

    def text(piece: str) -> None:
        nonlocal kept
        if wanted and kept < MOST_CELL:
            kept += len(piece)
            pieces.append(piece)

    for _ in parse(archive, book.sheet, MOST_SHEET, start, end, text):
        yield from done
        done.clear()


def _column(letters: str) -> int:
    """Return the place of a column from 0.

    >>> _column("A"), _column("Z"), _column("AB")
    (0, 25, 27)
    """
    if not letters.isascii() or not letters.isalpha() or len(letters) > 3:
        return MOST_COLUMNS
    place = 0
    for letter in letters.upper():
        place = place * 26 + ord(letter) - 64
    return place - 1


def _value(raw: str, kind: str, style: str, book: Book) -> str:
    """Write a cell as a person reads it."""
    if kind == "s":
        place = int(raw) if raw.isdecimal() and len(raw) < 9 else len(book.texts)
        return book.texts[place] if place < len(book.texts) else ""
    if kind == "b":
        return "true" if raw.strip() == "1" else "false"
    if kind != "n":
        return plain(raw)
    return _date(raw, book.epoch) if style in book.dates else _number(raw)


def _number(raw: str) -> str:
    """Write a number without exponent or the noise of binary fractions.

    >>> _number("3.3199001234E+10"), _number("0.30000000000000004"), _number("12")
    ('33199001234', '0.3', '12')
    """
    if raw.isdecimal():
        return raw
    try:
        value = float(raw)
    except ValueError:
        return raw.strip()
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return format(value, ".15g")


def _date(raw: str, epoch: datetime) -> str:
    """Write a day number as a date, with its time if it has one.

    >>> _date("46346", datetime(1899, 12, 30)), _date("46346.5", datetime(1899, 12, 30))
    ('2026-11-20', '2026-11-20 12:00:00')
    """
    try:
        days = float(raw)
        moment = epoch + timedelta(seconds=round(days * 86_400))
    except (ValueError, OverflowError):
        return raw.strip()
    if days < 1:
        return moment.strftime("%H:%M:%S")
    return moment.date().isoformat() if days.is_integer() else moment.isoformat(" ")
