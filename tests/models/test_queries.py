"""Named SQL: what the parser makes of a file, what it refuses, and that the server understands every statement."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from models.queries import Queries, Query, _without, from_json, json_text, parse, sql

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    Conn = Connection[Record]

FOLDER = Path(__file__).parents[2] / "models" / "sql"
STATEMENTS = [(p.stem, q) for p in sorted(FOLDER.glob("*.sql")) for q in parse(p.read_text()).values()]


@pytest.mark.parametrize(
    ("body", "text", "parameters"),
    [
        ("SELECT 1;", "SELECT 1", ()),
        ("SELECT :b, :a, :b", "SELECT $1, $2, $1", ("b", "a")),
        ("SELECT :a::int", "SELECT $1::int", ("a",)),
        ("SELECT x::text[], :a::uuid[]", "SELECT x::text[], $1::uuid[]", ("a",)),
        ("SELECT ':a'", "SELECT ':a'", ()),
        ("SELECT 'it''s :a', :b", "SELECT 'it''s :a', $1", ("b",)),
        ("SELECT 'a -- b', :a", "SELECT 'a -- b', $1", ("a",)),
        ("-- why :nothing\nSELECT :a -- and :not_this\n, :b", "SELECT $1 \n, $2", ("a", "b")),
        ("SELECT :long_name_2", "SELECT $1", ("long_name_2",)),
        ("SELECT a[1:2]", "SELECT a[1:2]", ()),
        ("SELECT '10:30', now()::time", "SELECT '10:30', now()::time", ()),
        ("SELECT :a, :ab", "SELECT $1, $2", ("a", "ab")),
    ],
)
def test_parameters_are_found_and_nothing_else_is(body: str, text: str, parameters: tuple[str, ...]) -> None:
    query = parse(f"-- name: one\n{body}\n")["one"]
    assert (query.text.strip(), query.parameters) == (text, parameters)


@pytest.mark.parametrize("suffix", ["", "^", "$", "!"])
def test_the_suffix_of_a_name_says_what_comes_back(suffix: str) -> None:
    assert parse(f"-- name: one{suffix}\nSELECT 1")["one"].gives == suffix


def test_a_file_is_cut_at_its_names() -> None:
    found = parse("-- About this file.\n\n-- name: one\n-- Why.\nSELECT 1;\n\n-- name: two^\nSELECT :a;\n")
    assert {name: q.text for name, q in found.items()} == {"one": "SELECT 1", "two": "SELECT $1"}


def test_a_file_without_statements_has_none() -> None:
    assert parse("-- only words, no -- name: here\n") == {}


def test_a_name_used_twice_in_two_files_is_refused(tmp_path: Path) -> None:
    for file in ("a.sql", "b.sql"):
        (tmp_path / file).write_text("-- name: one\nSELECT 1")
    with pytest.raises(ValueError, match=r"b\.sql names one again"):
        Queries(tmp_path)


def test_a_name_used_twice_in_one_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("-- name: one\nSELECT 1;\n-- name: one\nSELECT 2;")
    with pytest.raises(ValueError, match="one"):
        Queries(tmp_path)


def test_no_name_of_ours_is_used_twice() -> None:
    names = [q.name for _, q in STATEMENTS]
    heads = [line for p in FOLDER.glob("*.sql") for line in p.read_text().splitlines() if line.startswith("-- name:")]
    assert len(heads) == len(names) == len(set(names)) > 60


def test_every_statement_says_what_it_is() -> None:
    for path in sorted(FOLDER.glob("*.sql")):
        assert path.read_text().startswith("-- "), f"{path.name} has no line about itself"
        for line in path.read_text().splitlines():
            assert not line.startswith("-- name") or parse(f"{line}\nSELECT 1"), f"{path.name}: {line!r} names nothing"


def test_a_statement_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no statement is named claim_everything"):
        _ = sql.claim_everything


@pytest.mark.parametrize(
    ("values", "named"),
    [({}, r"not \[\]"), ({"campaign": 1, "other": 2}, "'other'"), ({"Campaign": 1}, "'Campaign'")],
)
async def test_parameters_that_are_missing_or_not_wanted_are_a_type_error(
    conn: Conn, values: dict[str, Any], named: str
) -> None:
    with pytest.raises(TypeError, match=r"campaign takes \['campaign'\], .*" + named):
        await sql.campaign(conn, **values)


async def test_each_kind_of_statement_gives_what_its_suffix_says(conn: Conn) -> None:
    for suffix, expected in (("$", 1), ("!", "SELECT 2"), ("", [1, 2]), ("^", 1)):
        found = await parse(f"-- name: q{suffix}\nSELECT * FROM (VALUES (1), (2)) AS v(n) ORDER BY n")["q"](conn)
        plain = [row["n"] for row in found] if suffix == "" else found["n"] if suffix == "^" else found
        assert plain == expected
    for suffix, nothing in (("$", None), ("^", None), ("", [])):
        assert await parse(f"-- name: q{suffix}\nSELECT 1 WHERE false")["q"](conn) == nothing


async def test_the_server_understands_every_statement(conn: Conn) -> None:
    wrong = {}
    for file, query in STATEMENTS:
        try:
            prepared = await conn.prepare(query.text)
        except asyncpg.PostgresError as error:
            wrong[f"{file}.{query.name}"] = str(error)
            continue
        assert len(prepared.get_parameters()) == len(query.parameters), query.name
        if query.gives == "$":
            assert len(prepared.get_attributes()) == 1, f"{query.name} gives one value"
        assert ":" not in re.sub(r"'[^']*'|::", "", query.text), f"{query.name} has a colon that named nothing"
    assert wrong == {}


def test_json_goes_in_and_comes_back_as_text() -> None:
    assert from_json(json_text({"a": [1, None, "é"]})) == {"a": [1, None, "é"]}
    assert from_json(None) is None


def test_an_optional_part_is_left_out_where_its_parameter_is_none() -> None:
    query = parse("-- name: one\nSELECT :a WHERE true [[AND b = :b]] [[AND (c, d) < (:b, :c)]] LIMIT :a")["one"]
    assert query.parameters == ("a", "b", "c")
    assert _variant(query, "b") == ("SELECT $1 WHERE true   LIMIT $1", ("a",))
    assert _variant(query, "c") == ("SELECT $1 WHERE true AND b = $2  LIMIT $1", ("a", "b"))
    assert _variant(query) == ("SELECT $1 WHERE true AND b = $2 AND (c, d) < ($2, $3) LIMIT $1", ("a", "b", "c"))


def _variant(query: Query, *absent: str) -> tuple[str, tuple[str, ...]]:
    return _without(query.source, frozenset(absent))


def test_no_statement_returns_whatever_columns_there_are() -> None:
    """A column more, added by a release under running processes, must change nobody's answer."""
    assert [query.name for _, query in STATEMENTS if "returning *" in query.text.lower()] == []
