"""What every test with hostile input asks afterwards: is the process as small as it was, and does it still serve?"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.web.serving import Web

MIB = 1_048_576
LONGEST_LINE = 6_000
"""Characters of a line in the log: an error with its traceback may be long, a body never fits."""


def peak(pid: int) -> int:
    """Return the most memory a process has ever held, in bytes."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells the peak of a process")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
    assert found is not None
    return int(found[1]) * 1024


@asynccontextmanager
async def flat(web: Web, *pids: int, within: int) -> AsyncIterator[None]:
    """Check that no process grew by ``within`` bytes meanwhile, and that the web process serves afterwards."""
    watched = (web.process.pid, *pids)
    before = [peak(pid) for pid in watched]
    yield
    grown = [(peak(pid) - was) // MIB for pid, was in zip(watched, before, strict=True)]
    assert max(grown) < within // MIB, f"grew by {grown} MiB"
    async with web.client() as api:
        assert (await api.get("/api/contacts", params={"limit": 1})).status_code == 200
    assert not web.logged(event="a request failed")


def check_log(words: str, *never: str) -> None:
    """Check that a log holds none of these texts, and no line that could be a whole body."""
    for text in never:
        assert text not in words
    assert max(map(len, words.splitlines())) < LONGEST_LINE


def swollen(parts: dict[str, str | bytes], part: str, pieces: Iterable[bytes]) -> bytes:
    """Return a workbook one part of which unpacks to whatever ``pieces`` yield; little memory is needed here."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            if name != part:
                archive.writestr(name, content)
        with archive.open(part, "w", force_zip64=True) as stream:
            for piece in pieces:
                stream.write(piece)
    return written.getvalue()
