from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Record

from actors import importer, process
from actors.importer import import_contacts
from models import erasure, pool
from models.queries import sql
from tests.actors.conftest import Opens
from tests.actors.people import phones
from tests.actors.world import World, run
from tests.rules import workbooks


async def upload(world: World, body: bytes | str, **columns: Any) -> UUID:
    """Store a file as the web process does."""
    raw = body.encode() if isinstance(body, str) else body
    given = {"filename": "people.csv", "category": None, "region": None, "dry_run": False} | columns
    async with pool.connection() as conn:
        made: UUID = await sql.add_import(conn, body=raw, **given)
    return made


async def digest(world: World, body: bytes | str, **columns: Any) -> Record:
    """Store a file, digest it, return its row."""
    made = await upload(world, body, **columns)
    await run(import_contacts, made)
    return await finished(world, made)


async def finished(world: World, made: UUID) -> Record:
    """Return the row of an import, its rejected rows with it."""
    return await world.row(
        "SELECT i.*, (SELECT coalesce(json_agg(json_build_object('line', line, 'column', title, 'value', value,"
        " 'reason', reason) ORDER BY id), '[]') FROM rejected_row WHERE upload = i.id)::text AS bad"
        " FROM import i WHERE id = $1",
        made,
    )


def rejected(row: Record) -> list[dict[str, Any]]:
    """Return the rejected rows of ``finished``."""
    found: list[dict[str, Any]] = json.loads(row["bad"])
    return found


def figures(row: Record) -> tuple[str, int, int, int, int, int]:
    """Return state, rows, created, updated, unchanged, rejected."""
    return row["state"], row["rows"], row["created"], row["updated"], row["unchanged"], row["rejected"]


async def contact(world: World, phone: str) -> Record:
    return await world.row(
        "SELECT c.*, ARRAY(SELECT k.name FROM contact_category x JOIN category k ON k.id = x.category"
        " WHERE x.contact = c.id ORDER BY k.name) AS categories FROM contact c WHERE phone = $1",
        phone,
    )


async def test_a_file_becomes_contacts_and_is_dropped(world: World) -> None:
    done = await digest(
        world,
        "Téléphone;Nom;Catégorie;Désinscrit;Consentement;Ville\n"
        "01 99 00 00 01;Ana;Clients|Lyon;;salon;Lyon\n"
        "+33199000002;Bob;Clients;oui;;\n",
        region="FR",
    )
    assert figures(done) == ("completed", 2, 2, 0, 0, 0)
    assert (done["body"], rejected(done), done["finished_at"] is None) == (None, [], False)
    ana, bob = await contact(world, "+33199000001"), await contact(world, "+33199000002")
    assert (ana["name"], ana["identity"], ana["consent_source"]) == ("Ana", "33199000001", "salon")
    assert (ana["categories"], json.loads(ana["attributes"])) == (["Clients", "Lyon"], {"Ville": "Lyon"})
    assert (ana["opted_out_at"], bob["opted_out_at"] is None, json.loads(bob["attributes"])) == (None, False, {})


async def test_the_same_file_again_changes_nothing(world: World) -> None:
    body = "phone,name,category,opted_out,city\n" + "".join(f"{p},Ana,All,no,Lyon\n" for p in phones(30))
    body += f"{phones(1)[0]},Zoé,All,yes,Paris\n"
    assert figures(await digest(world, body)) == ("completed", 31, 30, 0, 0, 1)
    before = await world.rows("SELECT * FROM contact ORDER BY id")
    assert figures(await digest(world, body)) == ("completed", 31, 0, 0, 30, 1)
    assert await world.rows("SELECT * FROM contact ORDER BY id") == before


async def test_the_last_of_several_rows_with_one_phone_wins_and_the_others_are_named(world: World) -> None:
    done = await digest(world, "phone,name\n+33199000001,First\n+33199000002,Other\n0033 199000001,Last\n")
    assert figures(done) == ("completed", 3, 2, 0, 0, 1)
    assert (await contact(world, "+33199000001"))["name"] == "Last"
    (error,) = rejected(done)
    assert (error["line"], error["column"]) == (2, "phone")
    assert "line 4" in error["reason"]
    assert "199000001" not in error["value"]


async def test_a_bad_row_is_reported_with_its_line_and_reason_and_the_others_come_in(world: World) -> None:
    done = await digest(
        world,
        'phone,name,opted_out\n+33199000001,"two\nlines",\n+33639980000,Ana,\n,Ana,\n+33199000002,Ana,perhaps\n'
        f"+33199000003,{'x' * 201},\n+33199000004,Ana,,extra\n12,Ana,\n",
    )
    assert figures(done) == ("completed", 7, 1, 0, 0, 6)
    errors = {error["line"]: error for error in rejected(done)}
    assert sorted(errors) == [4, 5, 6, 7, 8, 9]
    assert errors[4]["value"] == "+33•••••••00"
    assert "numbering plan" in errors[4]["reason"]
    assert "empty" in errors[5]["reason"]
    assert (errors[6]["column"], errors[6]["value"]) == ("opted_out", "perhaps")
    assert "at most 200" in errors[7]["reason"]
    assert "4 cells" in errors[8]["reason"]
    assert errors[9]["value"] == "•••"


async def test_every_rejected_row_is_kept_with_its_reason(world: World) -> None:
    done = await digest(world, "phone\n" + "nonsense\n" * 2_500)
    assert figures(done) == ("completed", 2_500, 0, 0, 0, 2_500)
    errors = rejected(done)
    assert (len(errors), errors[-1]["line"]) == (2_500, 2_501)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("name,city\nAna,Lyon\n", "no column is named phone"),
        ("+33199000001,Ana\n", "no column is named phone"),
        ("phone,Mobile\n1,2\n", "two columns mean phone"),
        ('phone,name\n+33199000001,Ana\n+33199000002,"never closed\n', "not CSV"),
        (b"\xff\xfephone\n\x00\xd8", "cannot be read"),
    ],
)
async def test_a_file_that_cannot_be_read_fails_whole_and_says_why(world: World, body: bytes | str, says: str) -> None:
    done = await digest(world, body)
    assert (done["state"], done["body"], done["rows"]) == ("failed", None, 0)
    assert says in done["why"]
    assert await world.value("SELECT count(*) FROM contact") == 0


async def test_what_an_empty_cell_leaves_out_stays_as_it_was(world: World) -> None:
    await digest(world, "phone,name,consent_source,city,plan\n+33199000001,Ana,fair,Lyon,gold\n")
    done = await digest(world, "phone,name,consent_source,city\n+33199000001,,,Paris\n")
    assert figures(done) == ("completed", 1, 0, 1, 0, 0)
    ana = await contact(world, "+33199000001")
    assert (ana["name"], ana["consent_source"]) == ("Ana", "fair")
    assert json.loads(ana["attributes"]) == {"city": "Paris", "plan": "gold"}


async def test_an_opt_out_in_a_file_stops_what_is_pending_and_a_no_opts_nobody_in(world: World) -> None:
    (phone,) = phones(1)
    campaign = await world.launch([phone])
    done = await digest(world, f"phone,opted_out\n{phone},oui\n")
    assert figures(done) == ("completed", 1, 0, 1, 0, 0)
    assert await world.states(campaign) == {"opted_out": 1}
    assert await world.statuses(campaign) == {"cancelled": 1}
    await digest(world, f"phone,opted_out\n{phone},non\n")
    assert (await contact(world, phone))["opted_out_at"] is not None


async def test_a_dry_run_says_what_would_happen_and_does_nothing(world: World) -> None:
    await digest(world, "phone,name\n+33199000001,Ana\n+33199000002,Bob\n")
    before = await world.rows("SELECT * FROM contact ORDER BY id")
    body = "phone,name,category,opted_out\n+33199000001,Ana,,\n+33199000002,Zoé,,\n+33199000003,New,Fresh,yes\nx,,,\n"
    done = await digest(world, body, dry_run=True)
    assert figures(done) == ("completed", 4, 1, 1, 1, 1)
    assert await world.rows("SELECT * FROM contact ORDER BY id") == before
    assert await world.value("SELECT count(*) FROM category") == 0


async def test_a_category_of_the_upload_takes_everyone_in(world: World) -> None:
    category = await world.contacts([])
    await digest(world, "phone\n+33199000001\n", category=category)
    done = await digest(world, "phone\n+33199000001\n+33199000002\n", category=category)
    assert figures(done) == ("completed", 2, 1, 0, 1, 0)
    assert await world.value("SELECT count(*) FROM contact_category WHERE category = $1", category) == 2


async def test_a_run_that_was_cut_off_goes_on_behind_what_it_wrote(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await upload(world, "phone,name\n" + "".join(f"{p},Ana\n" for p in phones(2_500)) + "bad,\n")
    written: list[tuple[Any, ...]] = []
    write = importer._write

    async def dies_at_the_third(*arguments: Any) -> bool:
        if len(written) == 2:
            raise ConnectionResetError("killed")
        written.append(arguments)
        return await write(*arguments)

    monkeypatch.setattr(importer, "_write", dies_at_the_third)
    await run(import_contacts, made)
    row = await world.row("SELECT * FROM import WHERE id = $1", made)
    assert figures(row) == ("running", 2_000, 2_000, 0, 0, 0)
    monkeypatch.undo()
    await run(import_contacts, made)
    row = await world.row("SELECT * FROM import WHERE id = $1", made)
    assert figures(row) == ("completed", 2_501, 2_500, 0, 0, 1)
    assert await world.value("SELECT count(*) FROM contact") == 2_500


async def test_five_wake_ups_at_once_digest_a_file_once(world: World) -> None:
    made = await upload(world, "phone\n" + "".join(f"{p}\n" for p in phones(1_500)))
    await asyncio.gather(*(run(import_contacts, made) for _ in range(5)))
    row = await world.row("SELECT * FROM import WHERE id = $1", made)
    assert figures(row) == ("completed", 1_500, 1_500, 0, 0, 0)
    await run(import_contacts, made)  # a late wake-up finds nothing to do
    assert await world.row("SELECT * FROM import WHERE id = $1", made) == row


async def test_a_process_that_stops_leaves_the_rest_to_the_next(world: World) -> None:
    made = await upload(world, "phone\n+33199000001\n")
    process.this().stopping.set()
    await run(import_contacts, made)
    row = await world.row("SELECT * FROM import WHERE id = $1", made)
    assert (figures(row), row["body"] is None) == (("running", 0, 0, 0, 0, 0), False)


async def test_ten_thousand_rows_written_the_national_way_come_in(opens: Opens) -> None:
    world = await opens(DEFAULT_REGION="FR")
    body = "phone;name;city\n" + "".join(
        f"0{p.removeprefix('+33')};Ana {i};Lyon\n" for i, p in enumerate(phones(10_000))
    )
    assert figures(await digest(world, body)) == ("completed", 10_000, 10_000, 0, 0, 0)


async def test_a_workbook_comes_in_as_its_csv_would(world: World) -> None:
    body = workbooks.table([["Téléphone", "Nom", "Ville"], [33199000001, "Ana", "Lyon"], ["x", "Bob", "Nice"]])
    done = await digest(world, body)
    assert figures(done) == ("completed", 2, 1, 0, 0, 1)
    assert json.loads((await contact(world, "+33199000001"))["attributes"]) == {"Ville": "Lyon"}
    assert [error["line"] for error in rejected(done)] == [3]
    assert figures(await digest(world, body)) == ("completed", 2, 0, 0, 1, 1)


async def test_a_hostile_workbook_fails_with_the_reason(world: World) -> None:
    done = await digest(world, workbooks.pack({"xl/worksheets/sheet1.xml": b"<a>" * 1000}))
    assert (done["state"], done["body"]) == ("failed", None)
    assert "nested deeper" in done["why"]


async def test_another_spelling_of_a_known_person_changes_that_person(world: World) -> None:
    await digest(world, "phone,name\n+525512345678,Ana\n")
    done = await digest(world, "phone,name\n0052 1 55 1234 5678,Ana María\n")
    assert figures(done) == ("completed", 1, 0, 1, 0, 0)
    assert [(row["phone"], row["name"]) for row in await world.rows("SELECT phone, name FROM contact")] == [
        ("+525512345678", "Ana María")
    ]


async def test_two_spellings_of_one_person_in_one_file_are_one_contact(world: World) -> None:
    done = await digest(world, "phone,name\n+5491123456789,First\n+541123456789,Last\n")
    assert figures(done) == ("completed", 2, 1, 0, 0, 1)
    assert "same person" in rejected(done)[0]["reason"]
    assert await world.value("SELECT name FROM contact") == "Last"


async def test_an_erased_person_is_not_imported_again(world: World) -> None:
    await digest(world, "phone\n+33199000001\n")
    async with pool.transaction() as conn:
        await erasure.erase(conn, await sql.lock_contacts(conn, identity="33199000001", lid=None), by="test")
    for dry_run in (True, False):
        done = await digest(world, "phone\n+33199000001\n+33199000002\n", dry_run=dry_run)
        assert figures(done) == ("completed", 2, 1, 0, 0, 1)
        assert "erased" in rejected(done)[0]["reason"]
        assert rejected(done)[0]["value"] == "+33•••••••01"
    assert await world.value("SELECT count(*) FROM contact WHERE phone = '+33199000001'") == 0


async def test_two_imports_of_the_same_people_at_once_lose_nobody(world: World) -> None:
    one, two = await world.contacts([]), await world.contacts([])
    body = "phone\n" + "".join(f"{p}\n" for p in phones(1_500))
    made = [await upload(world, body, category=one), await upload(world, body, category=two)]
    await asyncio.gather(*(run(import_contacts, upload_id) for upload_id in made))
    assert await world.value("SELECT count(*) FROM contact") == 1_500
    for category in (one, two):
        assert await world.value("SELECT count(*) FROM contact_category WHERE category = $1", category) == 1_500
