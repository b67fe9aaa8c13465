"""The demo's people: numbers from ranges reserved for fiction only, the same ones for the same seed."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from local import demo, demo_contacts, demo_world
from rules.phone import BadPhone, identity, parse

FICTION = re.compile(
    r"\+33(19900|26191|35301|46571|53649)\d{4}"
    r"|\+44(2079460\d{3}|1(13|14|16|17|18|21|31|41|51|61)4960\d{3})"
    r"|\+1\d{3}55501\d{2}|\+46701740(60[5-9]|6[1-9]\d)"
    r"|\+49176040690\d{2}|\+493023125\d{3}|\+6149157\d{4}"
)
FICTION_BUT_INVALID = re.compile(r"06 39 98|\+44 7700 900|\+44 1632 960|\+1 202-555-01")


def test_the_file_has_two_hundred_rows_good_bad_doubled_and_opted_out() -> None:
    rows = demo_contacts.read(demo.FILE)
    assert len(rows) == 200
    assert tuple(rows[0]) == demo_contacts.COLUMNS
    seen: Counter[str] = Counter()
    bad = 0
    for row in rows:
        try:
            phone = parse(row["phone"], demo_world.REGION)
        except BadPhone:
            bad += 1
            digits = re.sub(r"\D", "", row["phone"])
            assert len(digits) < 11 or FICTION_BUT_INVALID.match(row["phone"]) or row["phone"].startswith("+999")
        else:
            assert FICTION.fullmatch(phone), phone
            seen[identity(phone)] += 1
    assert bad == 9
    assert sum(many - 1 for many in seen.values()) == 8
    assert sum(row["opted_out"] != "" for row in rows) == 7
    assert len(demo_world.invited(rows)) == 176
    assert len({phone[:3] for phone in demo_world.invited(rows)}) >= 5


def test_more_people_are_drawn_from_fiction_once_each_and_the_same_for_a_seed() -> None:
    taken: set[str] = set()
    drawn = list(demo_contacts.more(5000, 7, taken))
    phones = [row["phone"] for row in drawn]
    assert len(set(phones)) == 5000 == len(taken)
    assert all(FICTION.fullmatch(phone) and parse(phone, None) == phone for phone in phones)
    assert not any(phone.startswith("+493023125" + "9") for phone in phones), "the simulator's own numbers"
    assert list(demo_contacts.more(5000, 7, set())) == drawn
    assert list(demo_contacts.more(50, 8, set())) != drawn[:50]


def test_a_bigger_demo_imports_the_file_and_more_after_it(tmp_path: Path) -> None:
    file, rows = demo.contacts(tmp_path, 500, 1)
    assert demo_contacts.read(file) == rows
    assert rows[:200] == demo_contacts.read(demo.FILE)
    assert len(demo_world.invited(rows)) > 450
    assert demo.contacts(tmp_path, 100, 1)[0] == demo.FILE


def test_the_last_row_of_a_person_decides() -> None:
    def row(phone: str, opted_out: str) -> dict[str, str]:
        return {"phone": phone, "opted_out": opted_out}

    rows = [row("+33199000001", ""), row("01 99 00 00 01", "oui"), row("n/a", ""), row("01 99 00 00 02", "")]
    assert demo_world.invited(rows) == ["+33199000002"]


@pytest.mark.parametrize("many", [0, 5, 30, 176, 3000])
def test_trouble_meets_different_people_the_same_for_a_seed(many: int) -> None:
    phones = [f"+3319900{number:04}" for number in range(many)]
    chosen = demo_world.troubles(phones, 3)
    assert chosen == demo_world.troubles(phones, 3)
    assert set(chosen) <= set(phones)
    if many >= 176:
        assert len(chosen) == 12
        outcomes = {outcome for _, script in chosen.values() for outcome in script["send"]}
        assert {"rate_limit", "refuse", "fail", "html_502", "timeout_after_accept"} <= outcomes


def test_more_contacts_do_not_take_more_time() -> None:
    scales = [float(demo_world.shortened(many)["TIME_SCALE"]) for many in (10, 200, 2000, 50_000)]
    assert scales == [24, 24, 240, 600]


@pytest.mark.parametrize("given", ["0", "-3", "50001", "many"])
def test_an_impossible_number_of_contacts_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        demo.main(["--contacts", given])
    assert exit_.value.code == 2
    assert "--contacts" in capsys.readouterr().err
