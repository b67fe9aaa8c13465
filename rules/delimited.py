"""Rows of a CSV file: its encoding, its delimiter, its cells, in bounded memory."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Final

MOST_LINE: Final = 1_048_576
"""Characters of one line."""


class BadCsv(ValueError):
    """The file cannot be read as CSV; the text says why and what to do."""


def encoding_of(body: bytes) -> str:
    """Return the codec that reads a file: by its mark, else by the zeros of UTF-16, else UTF-8 if it is, else Latin-1.

    >>> encoding_of(b"\\xef\\xbb\\xbfphone"), encoding_of("phone".encode("utf-16-le")), encoding_of("Chlo\\u00e9".encode("latin-1"))
    ('utf-8-sig', 'utf-16-le', 'cp1252')
    """  # noqa: E501 - a doctest is one line
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = body[:2000]
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if head[0::2].count(0) > len(head) // 4:
        return "utf-16-be"
    for codec in ("utf-8", "cp1252"):  # what spreadsheets call Latin-1 is Windows-1252, with its € and œ
        if _readable(body, codec):
            return codec
    return "latin-1"


def rows(body: bytes, promising: Callable[[str], bool]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells); a row may span lines. Raises BadCsv, at any row.

    ``promising`` says of a title that it is the one that must be there: it tells the delimiter.
    """
    text = io.TextIOWrapper(io.BytesIO(body), encoding=encoding_of(body), newline="")
    last = 0
    try:
        lines = _lines(text)
        first = next(lines, "")
        offset = 1
        if re.fullmatch(r'"?sep=.?"?\s*', first, re.IGNORECASE):  # a spreadsheet's own hint
            first, offset = next(lines, ""), 2
        delimiter = _delimiter(first, promising)
        yield offset, _titles(first, delimiter)
        cells = csv.reader(lines, delimiter=delimiter, strict=True)
        for row in cells:
            line, last = last + 1 + offset, cells.line_num  # a row begins behind the last one
            yield line, row
    except csv.Error as error:
        raise BadCsv(f"the row behind line {last + offset} is not CSV ({error}): check its quotes") from None
    except UnicodeError as error:
        raise BadCsv(f"the file cannot be read ({error}): save it as CSV in UTF-8") from None


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield line by line; one that never ends must not fill the memory."""
    while line := text.readline(MOST_LINE):
        if len(line) == MOST_LINE:
            raise BadCsv(f"a line has more than {MOST_LINE:,} characters: check its line ends and quotes")
        yield line


def _titles(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.strip("\r\n")], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise BadCsv(f"the first line is not CSV ({error}): it must name the columns, one of them phone") from None


def _delimiter(first: str, promising: Callable[[str], bool]) -> str:
    """Return what separates the columns of the first line: by the promising one, else the commonest sign."""
    bare = re.sub(r'"[^"]*"?', lambda quoted: quoted[0].translate({ord(c): "·" for c in ",;\t"}), first)
    signs = sorted(",;\t", key=bare.count, reverse=True)
    shown = [sign for sign in signs if any(promising(cell) for cell in bare.split(sign))]
    return (shown or signs)[0]


def _readable(body: bytes, codec: str) -> bool:
    """Whether a codec reads all of it, a piece at a time."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        for start in range(0, len(body), 65_536):
            decoder.decode(body[start : start + 65_536])
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True
