"""Files of contacts as nobody should send them, from the request to the row of the import, with a real worker."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import embedded
from tests.actors.crew import Crew
from tests.rules import workbooks
from tests.simulator_process import until
from tests.web.conftest import problem
from tests.web.hostile import MIB, check_log, flat, swollen
from tests.web.serving import Web, environment_of, serving

WRITTEN, SPACED = "33199007799", "01 99 00 77 98"
"""Two phones that the files are full of, and no log may hold."""
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000)
PEOPLE = workbooks.table([["phone", "name"], [f"+{WRITTEN}", "Ana"]])
SHEET = "xl/worksheets/sheet7.xml"
STRINGS = "xl/sharedStrings.xml"


@dataclass(frozen=True)
class System:
    """A web process and the worker that digests, on a database of their own."""

    web: Web
    crew: Crew
    worker: int

    async def send(self, body: bytes, name: str) -> httpx.Response:
        """Upload one file."""
        async with self.web.client() as api:
            return await api.post("/api/contacts/import", files={"file": (name, body)})

    async def digested(self, body: bytes, name: str) -> dict[str, Any]:
        """Upload one file; returns the import once it has ended, without its times."""
        made = await self.send(body, name)
        assert made.status_code == 202, made.text
        async with self.web.client() as api:

            async def ended() -> dict[str, Any]:
                state: dict[str, Any] = (await api.get(f"/api/imports/{made.json()['id']}")).json()
                return state if state["state"] in ("completed", "failed") else {}

            return await until(ended, seconds=180, what="the end of the import")


@pytest.fixture(scope="module")
def started(
    servers: embedded.Servers, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Web, Crew]]:
    name = f"relance_hostile_{os.getpid()}"
    env = environment_of(servers.create_database(name, template), servers.redis_url)
    env |= {"WASSENGER_DEVICE_ID": "0123456789abcdef01234567", "LOG_FORMAT": "json"}
    logs: Path = tmp_path_factory.mktemp("hostile")
    crew = Crew(env, logs)
    try:
        with serving(env, logs / "web.log") as web:
            crew.start("worker")
            yield web, crew
    finally:
        crew.close()
    servers.drop_database(name)


@pytest.fixture
async def system(started: tuple[Web, Crew]) -> AsyncIterator[System]:
    """The system; afterwards nothing of any file is in its logs."""
    web, crew = started
    async with web.client() as api:

        async def digester() -> int:
            seen = (await api.get("/api/monitoring")).json()["processes"]
            return next((one["pid"] for one in seen if one["kind"] == "worker" and one["alive"]), 0)

        yield System(web, crew, await until(digester, seconds=120, what="the worker"))
    check_log(crew.words(), WRITTEN, WRITTEN[2:], SPACED, SPACED.replace(" ", ""))


def table(*lines: str, end: str = "\n") -> str:
    return end.join(["phone,name", *lines, ""])


READ: dict[str, tuple[bytes, int, int]] = {
    "UTF-16 with its mark": (table("+33199007001,Chloé").encode("utf-16"), 1, 0),
    "UTF-16 without, little-endian": (table("+33199007002,Chloé").encode("utf-16-le"), 1, 0),
    "UTF-16 without, big-endian": (table("+33199007003,Chloé").encode("utf-16-be"), 1, 0),
    "UTF-8 with its mark": (b"\xef\xbb\xbf" + table("+33199007004,Chloé").encode(), 1, 0),
    "mixed line ends": (b"phone,name\r\n+33199007005,A\n+33199007006,B\r+33199007007,C\r\n", 3, 0),
    "a NUL in a row": (table(f"+{WRITTEN},A\0na", "+33199007008,Bob").encode(), 1, 1),
    "half a character as bytes": (b"phone,name\n+33199007009,\xed\xa0\x80\n", 1, 0),
    "a row of 100,000 cells": (table("+33199007010,A" + "," * 100_000 + "x", "+33199007011,B").encode(), 1, 1),
    "phones that are none": (table("=cmd|' /C calc'!A0,x", "9" * 5_000 + ",x", "+33199007012,B").encode(), 1, 2),
}  # fmt: skip
"""What it is called: (file, contacts, rejected rows)."""


@pytest.mark.parametrize("what", READ)
async def test_an_odd_file_is_read_as_far_as_it_can_be(system: System, what: str) -> None:
    body, contacts, rejected = READ[what]
    async with flat(system.web, system.worker, within=96 * MIB):
        done = await system.digested(body, "people.csv")
    assert (done["state"], done["created"], done["rejected"]) == ("completed", contacts, rejected), done
    assert all(error["line"] > 1 and error["reason"] for error in done["errors"])
    assert WRITTEN not in str(done["errors"])


def hostile() -> dict[str, tuple[bytes, str, str]]:
    """Return what it is called: (file, its name, what is said of it)."""
    empty = workbooks.parts("")
    locked = bytearray(PEOPLE)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # each part, there and in the directory
        at = locked.find(mark)
        while at >= 0:
            locked[at + flags] |= 1
            at = locked.find(mark, at + 4)
    row = b'<row r="1"><c t="inlineStr"><is><t>phone</t></is></c>' + b"<c><v>1</v></c>" * 100_000 + b"</row>"
    return {
        "a quote never closed": (table(f'+{WRITTEN},"Ana').encode() * 2_000, "a.csv", "not CSV"),
        "no titles": (f"{SPACED},Ana\n+{WRITTEN},Bob\n".encode(), "a.csv", "no column is named phone"),
        "a cell of 10 MB": (table(f"+{WRITTEN},{'x' * 10_000_000}").encode(), "a.csv", "more than 1,048,576"),
        "a quoted cell of 10 MB": (
            ('phone,name\n+33199007020,"' + f"{WRITTEN}\n" * 800_000 + '"\n').encode(), "a.csv", "not CSV",
        ),
        "100,000 titles": (("phone" + ",x" * 100_000 + "\n1\n").encode(), "a.csv", "at most 200"),
        "UTF-16 with half a character": (b"\xff\xfe" + "phone\n".encode("utf-16-le") + b"\x00\xd8\x0a\x00", "a.csv",
                                         "cannot be read"),
        "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100, "a.csv", "no column is named phone"),
        "a workbook cut off": (PEOPLE[: len(PEOPLE) // 2], "a.xlsx", "cut off"),
        "a workbook called CSV, cut off": (PEOPLE[:-30], "a.csv", "cut off"),
        "a workbook with a password on its parts": (bytes(locked), "a.xlsx", "without a password"),
        "100,000 titles in a workbook": (
            workbooks.pack(empty | {SHEET: b"<worksheet><sheetData>" + row + b"</sheetData></worksheet>"}), "a.xlsx",
            "at most 200",
        ),
        "entities that multiply": (
            workbooks.pack(empty | {SHEET: '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><sheet>&c;</sheet>'}),
            "a.xlsx", "document type",
        ),
        "an entity that names a file": (
            workbooks.pack(empty | {STRINGS: '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><sst>&b;</sst>'}),
            "a.xlsx", "document type",
        ),
        "a sheet that unpacks to 600 MB": (
            swollen(empty, SHEET, chain([b"<worksheet>"], repeat(b" " * MIB, 600))), "a.xlsx", "split the file",
        ),
        "texts that unpack to 200 MB": (
            swollen(empty, STRINGS, chain([b"<sst>"], repeat(b"<si><t>" + b"x" * MIB + b"</t></si>", 200))), "a.xlsx",
            "split the file",
        ),
        "a text that never ends": (
            swollen(empty, STRINGS, chain([b"<sst><si><t>"], repeat(b"x" * MIB, 200))), "a.xlsx", "split the file",
        ),
    }  # fmt: skip


HOSTILE = hostile()


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_file_fails_with_cause_and_remedy(system: System, what: str) -> None:
    body, name, says = HOSTILE[what]
    async with flat(system.web, system.worker, within=256 * MIB):
        done = await system.digested(body, name)
    assert (done["state"], done["created"]) == ("failed", 0), done
    assert says in done["why"]
    assert len(done["why"]) < 1_000


@pytest.mark.parametrize("name", ["old.xls", "old.xlsx", "old.csv"])
async def test_an_old_or_locked_spreadsheet_is_refused_whatever_it_is_called(system: System, name: str) -> None:
    refused = problem(await system.send(OLD_OFFICE, name), 415, "unsupported_file")
    assert "save it as .xlsx or CSV" in refused["detail"]


def form(*parts: tuple[str, bytes]) -> bytes:
    """Return a form by hand: (headers of a part, its body)."""
    return b"".join(b"--b\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n" for head, body in parts) + b"--b--\r\n"


FILE = 'Content-Disposition: form-data; name="file"; filename="a.csv"'
REGION = 'Content-Disposition: form-data; name="region"'
IN_FORM = "multipart/form-data; boundary=b"
CSV = b"phone\n+33199007030\n"
FORMS: dict[str, tuple[str, bytes, int, str]] = {
    "no file": (IN_FORM, form((REGION, b"FR")), 400, "required field `file`"),
    "a text called file": (IN_FORM, form((REGION.replace("region", "file"), CSV)), 400, "send one file"),
    "two files": (IN_FORM, form((FILE, CSV), (FILE, CSV)), 400, "send one file"),
    "a field nobody knows": (IN_FORM, form((FILE, CSV), (REGION.replace("region", "x"), b"1")), 400, "field `x`"),
    "a region of 10 MB": (IN_FORM, form((FILE, CSV), (REGION, b"F" * 10**7)), 422, "two letters"),
    "5,000 fields": (IN_FORM, form((FILE, CSV), *[(REGION, b"FR")] * 5_000), 400, "too many parts"),
    "a form cut off": (IN_FORM, form((FILE, CSV))[:-20], 400, "cut off"),
    "a form without its boundary": ("multipart/form-data", form((FILE, CSV)), 400, "boundary"),
    "headers that never end": (IN_FORM, b"--b\r\n" + b"X: " + b"x" * 10**7, 400, "cut off"),
    "the file itself": ("text/csv", CSV, 415, "multipart/form-data"),
    "JSON": ("application/json", b'{"file": "phone"}', 415, "multipart/form-data"),
    "nothing": (IN_FORM, b"", 400, "required field `file`"),
}  # fmt: skip


@pytest.mark.parametrize("what", FORMS)
async def test_a_form_that_is_none_is_refused_with_cause_and_remedy(system: System, what: str) -> None:
    kind, body, status, says = FORMS[what]
    async with flat(system.web, within=128 * MIB), system.web.client() as api:
        answer = await api.post("/api/contacts/import", content=body, headers={"Content-Type": kind})
    assert says in problem(answer, status, answer.json()["code"])["detail"]
    assert len(answer.text) < 2_000


@pytest.mark.parametrize(
    ("body", "name", "status"),
    [
        (b"MZ\x90\x00" + bytes(500), "a.png", 415),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "a.svg", 415),
        (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "a.png", 415),
        (b"<!doctype html><script>alert(1)</script>", "a.pdf", 415),
        (b"GIF89a" + bytes(100), "a.jpg", 415),
        (workbooks.pack({"evil.txt": b"x"}), "a.docx", 415),
        (b"\x00" * 100, "a.txt", 415),
        (b"", "a.png", 422),
    ],
)
async def test_an_attachment_is_told_by_its_bytes(system: System, body: bytes, name: str, status: int) -> None:
    async with system.web.client() as api:
        refused = problem(
            await api.post("/api/media", files={"file": (name, body, "image/png")}),
            status,
            "empty_file" if status == 422 else "unsupported_file",
        )
        assert name in refused["detail"]
        assert (await api.get("/api/media")).json()["items"] == []
