from __future__ import annotations

import random
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import spreadsheet, workbook
from rules.rows import BadFile, BadRow, Row, read
from rules.spreadsheet import rows
from rules.workbook import BadSheet
from tests.rules import workbooks

PEOPLE = workbooks.table([["Téléphone", "Nom", "Ville"], ["+33199001234", "Ana", "Lyon"], [33199001235, "Bob", 7]])


def test_a_workbook_reads_as_the_same_table_in_csv_does() -> None:
    assert list(read(PEOPLE)) == [
        Row(line=2, phone="+33199001234", name="Ana", attributes={"Ville": "Lyon"}),
        Row(line=3, phone="33199001235", name="Bob", attributes={"Ville": "7"}),
    ]


def test_cells_are_read_as_a_person_sees_them() -> None:
    sheet = (
        '<row r="3"><c r="B3" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r><rPh><t>no</t></rPh></is></c>'
        '<c r="D3" s="1"><v>46346</v></c><c r="E3" s="2"><v>46346.25</v></c><c t="b"><v>1</v></c>'
        '<c t="str"><f>A1</f><v>formula</v></c><c><v>3.3199001234E+10</v></c><c><v>0.30000000000000004</v></c>'
        '<c t="s"><v>0</v></c><c t="s"><v>99</v></c></row><row><c><v>1</v></c></row>'
    )
    assert list(rows(workbooks.pack(workbooks.parts(sheet, ["a & b_x000D_"])))) == [
        (
            3,
            [
                "",
                "inline",
                "",
                "2026-11-20",
                "2026-11-20 06:00:00",
                "true",
                "formula",
                "33199001234",
                "0.3",
                "a & b\r",
                "",
            ],
        ),
        (4, ["1"]),
    ]


def test_prefixed_names_and_absolute_targets_are_read() -> None:
    made = workbooks.parts("") | {
        "xl/_rels/workbook.xml.rels": '<a:Relationships><a:Relationship Id="r1" Target="/xl/worksheets/sheet7.xml"/>'
        "</a:Relationships>",
        "xl/worksheets/sheet7.xml": '<x:worksheet><x:row r="1"><x:c r="A1"><x:v>5</x:v></x:c></x:row></x:worksheet>',
    }
    assert list(rows(workbooks.pack(made))) == [(1, ["5"])]


def test_a_nul_and_half_a_character_harm_nobody() -> None:
    sheet = workbooks.table([["phone", "name"], ["+33199001234", "a_x0000_b"], ["+33199001235", "_xD800_"]])
    bad, good = list(read(sheet))
    assert isinstance(bad, BadRow)
    assert "NUL" in bad.reason
    assert isinstance(good, Row)
    assert (good.name or "").encode() == b"_xD800_"


def test_a_huge_cell_is_one_bad_row() -> None:
    sheet = workbooks.table([["phone", "name"], ["+33199001234", "x" * 10_000_000], ["+33199001235", "Bob"]])
    bad, good = list(read(sheet))
    assert isinstance(bad, BadRow)
    assert isinstance(good, Row)


HOSTILE: dict[str, tuple[dict[str, str | bytes], str]] = {
    "a sheet that never ends": ({"xl/worksheets/sheet7.xml": b"<worksheet>" + b" " * 30_000_000}, "split the file"),
    "texts that never end": ({"xl/sharedStrings.xml": b"<sst>" + b"<si/>" * 400_000}, "split the file"),
    "a tag that never ends": ({"xl/worksheets/sheet7.xml": b"<worksheet a='" + b"a" * 8_000_000}, "never ends"),
    "endless nesting": ({"xl/worksheets/sheet7.xml": b"<a>" * 200_000}, "nested deeper"),
    "a billion laughs": (
        {"xl/workbook.xml": '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><workbook>&c;</workbook>'},
        "document type",
    ),
    "half a character": (
        {"xl/worksheets/sheet7.xml": "<worksheet><row><c><v>&#xD800;</v></c></row></worksheet>"},
        "damaged",
    ),
    "no end": ({"xl/worksheets/sheet7.xml": "<worksheet><row>"}, "damaged"),
    "no XML": ({"xl/workbook.xml": b"\x00\x01\x02"}, "damaged"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_workbook_is_refused_in_little_memory(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spreadsheet, "MOST_SHEET", 20_000_000)
    monkeypatch.setattr(workbook, "MOST_STRINGS", 1_000_000)
    parts, says = HOSTILE[what]
    body = workbooks.pack(workbooks.parts("") | parts)
    assert len(body) < 300_000
    del parts
    tracemalloc.start()
    with pytest.raises(BadSheet, match=says):
        list(rows(body))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 15_000_000


def test_an_archive_that_is_no_workbook_is_refused_with_the_remedy() -> None:
    with pytest.raises(BadSheet, match=r"save it as \.xlsx or CSV"):
        list(rows(workbooks.pack({"hello.txt": "hello"})))
    with pytest.raises(BadFile, match="no column is named phone"):
        list(read(workbooks.table([["name"], ["Ana"]])))


def test_an_archive_with_a_huge_directory_is_refused_unread() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 40_000_000, 0, 0)
    with pytest.raises(BadSheet, match="more parts"):
        list(rows(PEOPLE[:-22] + end))
    with pytest.raises(BadSheet, match="cut off"):
        list(rows(PEOPLE[:100]))


def test_an_unusual_way_of_packing_is_refused() -> None:
    with pytest.raises(BadSheet, match="packed as no spreadsheet"):
        list(rows(workbooks.pack(workbooks.parts(""), method=zipfile.ZIP_LZMA)))


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_a_damaged_workbook_is_rows_or_refused_and_nothing_else(seed: int, many: int) -> None:
    dice = random.Random(seed)
    broken = bytearray(PEOPLE)
    for _ in range(many):
        broken[dice.randrange(4, len(broken))] = dice.randrange(256)
    try:
        for row in read(bytes(broken)):
            assert isinstance(row, (Row, BadRow))
    except BadFile as refused:
        assert str(refused)


@given(st.text(st.characters(exclude_characters="\x00"), max_size=200))
def test_any_xml_in_a_sheet_is_rows_or_refused(text: str) -> None:
    body = workbooks.pack(workbooks.parts("") | {"xl/worksheets/sheet7.xml": text.encode("utf-8", "replace")})
    try:
        list(rows(body))
    except BadSheet as refused:
        assert str(refused)


def test_the_library_s_own_errors_are_told_as_ours() -> None:
    damaged = bytearray(workbooks.pack(workbooks.parts("<row><c><v>1</v></c></row>" * 500)))
    damaged[60:120] = zlib.compress(b"x" * 100)[:10].ljust(60, b"\xff")
    with pytest.raises(BadSheet):
        list(rows(bytes(damaged)))
