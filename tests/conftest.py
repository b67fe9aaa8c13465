"""What the tests of every package share: servers, a database of one's own, an environment."""

from __future__ import annotations

import itertools
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import redis

import settings
from local import embedded, place, stack

os.environ["RELANCE_ENV_FILE"] = os.devnull  # a developer's .env is not part of any test

_number = itertools.count(1)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the figures that tests have measured."""
    reports = itertools.chain.from_iterable(terminalreporter.stats.values())
    calls = [one for one in reports if getattr(one, "when", None) == "call"]
    told = [value for one in calls for name, value in one.user_properties if name == "figures"]
    if told:
        terminalreporter.section("figures")
    for line in told:
        terminalreporter.line(str(line))


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """The data folder of this run: given by bin/test, else made and removed here."""
    if given := os.environ.get("RELANCE_TEST_HOME"):
        yield place.own_folder(Path(given) / os.environ.get("PYTEST_XDIST_WORKER", "one"))
        return
    folder = place.home(f"test-{os.getpid()}")
    yield folder
    embedded.remove(folder)


@pytest.fixture(scope="session")
def servers(home: Path) -> Iterator[embedded.Servers]:
    """PostgreSQL and Redis for the whole run: embedded, unless DATABASE_URL and REDIS_URL are set."""
    with embedded.servers(home, durable=False) as running:
        if running.valkey is None:
            with redis.Redis.from_url(running.redis_url) as client:
                if client.dbsize():
                    pytest.exit("REDIS_URL names a database that is not empty, and the tests empty theirs", 3)
        yield running


@pytest.fixture(scope="session")
def template(servers: embedded.Servers) -> Iterator[str]:
    """The name of a migrated database that ``database`` clones."""
    name = f"relance_template_{os.getpid()}"
    url = servers.create_database(name)
    done = subprocess.run(
        [sys.executable, "-m", "models.migrate"],
        cwd=place.ROOT,
        env=stack.isolated_environment() | _required(url, servers.redis_url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"the migrations failed:\n{done.stdout}{done.stderr}"
    yield name
    servers.drop_database(name)


@pytest.fixture
def database(servers: embedded.Servers, template: str) -> Iterator[str]:
    """The address of a fresh, migrated database of this test's own."""
    name = f"relance_test_{os.getpid()}_{next(_number)}"
    yield servers.create_database(name, template)
    servers.drop_database(name)


@pytest.fixture
def redis_url(servers: embedded.Servers) -> str:
    """The address of an empty Redis."""
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushdb()
    return servers.redis_url


@pytest.fixture
def environment(database: str, redis_url: str) -> dict[str, str]:
    """A whole environment for a process of ours: every required setting, and nothing of the developer's."""
    return stack.isolated_environment() | _required(database, redis_url)


@pytest.fixture
def configured(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[settings.Settings]:
    """The settings of ``environment``, in force in this very process."""
    for name in {field.name.upper() for field in fields(settings.Settings)} - environment.keys():
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.get.cache_clear()
    if "piccolo_conf" in sys.modules:  # it keeps the address it was imported with
        monkeypatch.setitem(sys.modules["piccolo_conf"].DB.config, "dsn", environment["DATABASE_URL"])
    yield settings.get()
    settings.get.cache_clear()


def _required(database_url: str, redis_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_hex(32),
        "BOOTSTRAP_API_KEY": secrets.token_urlsafe(32),
        "WASSENGER_API_KEY": secrets.token_hex(32),
        "WASSENGER_WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "WASSENGER_DEVICE_ID": secrets.token_hex(12),
        "WASSENGER_BASE_URL": f"http://127.0.0.1:{stack.free_port()}",
        "PORT": str(stack.free_port()),
        "PYTHONPATH": str(place.ROOT),
    }
