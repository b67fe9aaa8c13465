"""Workbooks for tests, written part by part: as spreadsheets write them, and as nobody should."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape

_BOOK = '<workbook xmlns:r="r"><sheets>{sheets}</sheets></workbook>'
_STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="22"/></cellXfs></styleSheet>'
)


def pack(parts: dict[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive of these parts."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return written.getvalue()


def parts(sheet: str, strings: Sequence[str] = ()) -> dict[str, str | bytes]:
    """Return the parts of a workbook with this sheet."""
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    return {
        "xl/workbook.xml": _BOOK.format(sheets='<sheet name="A" state="hidden" r:id="r2"/><sheet name="B" r:id="r1"/>'),
        "xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="r1" Target="worksheets/sheet7.xml"/>'
        '<Relationship Id="r2" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/styles.xml": _STYLES,
        "xl/sharedStrings.xml": f"<sst>{shared}</sst>",
        "xl/worksheets/sheet1.xml": "<worksheet><sheetData/></worksheet>",
        "xl/worksheets/sheet7.xml": f"<worksheet><sheetData>{sheet}</sheetData></worksheet>",
    }


def table(rows: Sequence[Sequence[str | int | float]]) -> bytes:
    """Return a workbook of these rows: texts shared, numbers as numbers."""
    strings: dict[str, int] = {}
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for place, value in enumerate(row):
            name = f"{chr(65 + place)}{number}"
            if isinstance(value, str):
                cells.append(f'<c r="{name}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>')
            else:
                cells.append(f'<c r="{name}"><v>{value}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    return pack(parts("".join(lines), list(strings)))
