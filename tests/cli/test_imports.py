"""Contacts in: the counts, the reasons, the categories."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Relance


def test_a_file_is_imported_into_a_category_that_is_made_and_bad_rows_are_explained(
    relance: Relance, tmp_path: Path
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("phone,name,city\n01 99 00 02 01,Zoé,Paris\n06 39 98 12 34,Max,Lyon\n,Nobody,\n")
    done = relance("import", str(file), "--category", "Made", "--region", "FR")
    assert done.code == 0, done
    assert "3 rows: 1 created, 2 rejected" in done.out
    assert "no such number exists" in done.out
    assert "06 39 98 12 34" not in done.out.replace("\n", " ")
    assert "0639981234" not in done.out
    assert "(empty)" in done.out
    again = relance("import", str(file), "--category", "Made", "--region", "FR", "--json").json()
    assert (again["state"], again["unchanged"], again["created"]) == ("completed", 1, 0)


def test_a_dry_run_changes_nothing_and_makes_no_category(relance: Relance, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("phone,name\n+33199000299,Dry\n")
    done = relance("import", str(file), "--category", "Never", "--dry-run")
    assert done.code == 0, done
    assert "dry run: nothing was changed" in done.out
    refused = relance("campaign", "create", "X", "--message-1", "Hi", "--category", "Never")
    assert refused.code == 1
    assert "there is no category Never" in refused.err


def test_more_bad_rows_than_a_screen_holds_are_counted(relance: Relance, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("phone\n" + "".join(f"bad {number}\n" for number in range(40)))
    done = relance("import", str(file))
    assert "40 rejected" in done.out
    assert "… and 28 more (--json lists them)" in done.out


def test_a_file_that_is_no_table_of_contacts_is_refused_in_one_sentence(relance: Relance, tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("name,city\nZoé,Paris\n")
    done = relance("import", str(file))
    assert done.code == 1
    assert done.err.startswith("Error: the import failed: ")
    assert "phone" in done.err
    file.write_text("")
    assert "the file is empty" in relance("import", str(file)).err
    assert relance("import", str(tmp_path / "nothing.csv")).code == 2
