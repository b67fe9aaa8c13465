from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.delimited import encoding_of
from rules.rows import BadFile, BadRow, Row, _bare, read

TEXT = "Téléphone,Nom,Ville\n+33199001234,Chloé,Nîmes\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_delimiter_and_line_end_reads_the_same(codec: str, delimiter: str, end: str) -> None:
    body = TEXT.replace(",", delimiter).replace("\n", end).encode(codec)
    assert list(read(body)) == [Row(line=2, phone="+33199001234", name="Chloé", attributes={"Ville": "Nîmes"})]


def test_the_euro_sign_of_a_spreadsheet_is_read() -> None:
    assert encoding_of("phone,prix\n1,5 €\n".encode("cp1252")) == "cp1252"
    (row,) = read("phone,prix\n1,5 €\n".encode("cp1252"))
    assert isinstance(row, Row)
    assert row.attributes == {"prix": "5 €"}


@pytest.mark.parametrize(
    "title",
    [
        "phone",
        "Phone Number",
        "TEL.",
        "Téléphone",
        "n° de téléphone",
        "Numéro",
        "Portable",
        "mobile",
        "WhatsApp",
        "GSM",
    ],
)
def test_the_phone_column_has_many_names(title: str) -> None:
    (row,) = read(f"x;{title}\n1;2\n".encode())
    assert isinstance(row, Row)
    assert row.phone == "2"


def test_the_delimiter_is_the_one_that_shows_a_phone() -> None:
    (row,) = read(b'"a,b,c,d";phone\n1;2\n')
    assert isinstance(row, Row)
    assert (row.phone, row.attributes) == ("2", {"a,b,c,d": "1"})


def test_a_spreadsheets_own_hint_and_empty_lines_are_passed_over() -> None:
    rows = list(read(b"sep=;\nphone;name\n\n;;\n1;Ana\n\n2;Bob\n"))
    assert [(row.line, row.name) for row in rows if isinstance(row, Row)] == [(5, "Ana"), (7, "Bob")]


def test_a_row_over_several_lines_is_named_by_its_first(  # the number that an editor shows
) -> None:
    rows = list(read(b'phone,name\n1,"a\nb\nc"\n2,x,y\n'))
    assert [row.line for row in rows] == [2, 5]
    assert isinstance(rows[1], BadRow)


def test_categories_are_split_once_each_and_a_short_row_says_nothing_of_the_rest() -> None:
    rows = list(read(b"phone,category,opted_out,name\n1, a | b||a ,Non,Ana\n2\n"))
    assert rows == [
        Row(line=2, phone="1", categories=("a", "b"), opted_out=False, name="Ana"),
        Row(line=3, phone="2"),
    ]


def test_a_nul_and_a_category_beyond_measure_are_refused() -> None:
    rows = list(read(f"phone,name,category\n1,A\0na,\n2,,{'x' * 201}\n".encode()))
    assert [row.column for row in rows if isinstance(row, BadRow)] == ["name", "category"]


@pytest.mark.parametrize(
    "body", [b"", b"\n", b"name\nAna\n", b'"phone\n1\n', b"phone,tel\n1,2\n", b"phone,city,city\n1,2,3\n"]
)
def test_a_first_line_that_does_not_do_is_refused_with_the_reason(body: bytes) -> None:
    with pytest.raises(BadFile) as refused:
        list(read(body))
    assert str(refused.value)


@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_a_bad_file_and_nothing_else(body: bytes) -> None:
    for prefix in (b"", b"phone,name\n"):
        try:
            for row in read(prefix + body):
                assert row.line >= 2
        except BadFile as refused:
            assert str(refused)


_CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)


@given(st.lists(st.tuples(_CELLS, _CELLS), max_size=20), st.sampled_from([",", ";", "\t"]))
def test_what_a_spreadsheet_writes_is_what_we_read(people: list[tuple[str, str]], delimiter: str) -> None:
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter)
    writer.writerow(["phone", "name"])
    for number, (name, city) in enumerate(people):
        writer.writerow([f"{number}", name + city])
    rows = list(read(written.getvalue().encode()))
    assert [(row.phone, row.name or "") for row in rows if isinstance(row, Row)] == [
        (str(number), _bare((name + city).strip())) for number, (name, city) in enumerate(people)
    ]
