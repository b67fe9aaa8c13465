"""bin/bench, tiny: it fills, measures, writes its file, and ends without a trace. Its speed proves nothing."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from local import embedded
from local.bench import fill
from local.bench.__main__ import MEASUREMENTS
from local.bench.figures import Figure
from tests import books
from tests.local.owners import clean_environment


def test_a_tiny_run_measures_everything_beside_its_baseline(checkout: Path, tmp_path: Path) -> None:
    told = tmp_path / "bench.json"
    command = ["--messages", "1000", "--contacts", "300", "--campaigns", "6", "--seconds", "2", "--json", str(told)]
    for name in MEASUREMENTS:
        command += [] if name == "drawing" else ["--only", name]  # not every machine has a browser
    done = subprocess.run(
        [sys.executable, "-P", "-m", "local.bench", *command],
        cwd=checkout,
        env=clean_environment(PYTHONPATH=str(checkout), RELANCE_ENV_FILE=os.devnull),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(told.read_text())
    assert document["errors"] == {}
    assert {figure["section"] for figure in document["figures"]} == {
        "GET, 50/s",
        "writes, 20/s",
        "statistics",
        "webhooks",
        "cache, 10/s",
        "sending, 100/s",
    }
    for figure in document["figures"]:
        assert figure["value"] > 0, figure
        assert figure["baseline"], figure
        assert figure["ratio"] == pytest.approx(figure["value"] / figure["baseline_value"], rel=0.01, abs=0.001)
    assert not (checkout / ".relance" / "bench").exists()


async def test_the_database_it_fills_has_exact_counters_and_every_index(
    servers: embedded.Servers, template: str
) -> None:
    name = f"relance_fill_{os.getpid()}"
    url = servers.create_database(name, template)
    conn = await asyncpg.connect(url)
    indexes = "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'"
    before = await conn.fetchval(indexes)
    rows = await fill.fill(url, fill.Size(messages=2_000, contacts=300, campaigns=8))
    assert await conn.fetchval(indexes) == before
    assert 1_900 <= rows["message"] <= 2_100
    for campaign in await conn.fetch("SELECT id FROM campaign"):
        await books.check_instant(conn, campaign["id"])
    await conn.close()
    await asyncio.to_thread(servers.drop_database, name)


@pytest.mark.parametrize(("promise", "kept"), [(None, None), (("<", 6), True), (("<", 5), False), ((">", 5), True)])
def test_a_figure_says_whether_it_keeps_its_promise(promise: tuple[str, float] | None, kept: bool | None) -> None:
    figure = Figure("GET", "all", 5.0, "ms", "nothing", 2.5, promise)
    assert (figure.kept, figure.ratio) == (kept, 2.0)
