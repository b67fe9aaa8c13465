"""Supervision: what dies comes back, what should stop stops, nothing outlives its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local import embedded, keys, place, stack
from local.server import ServerError
from local.supervise import Supervisor, read_procfile, render
from tests.local.owners import alive, clean_environment, wait_for

COMMANDS = {
    "web": """sh -c 'echo "100% up"; sleep 600 & trap "kill $!; exit" TERM; wait'""",
    "worker": "sleep 600",
    "scheduler": "sleep 600",
}
NO_SERVERS = embedded.Servers("postgresql://nobody@/nothing", "redis://nobody", None, None)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield place.own_folder(tmp_path / "home")
    embedded.remove(tmp_path / "home")


@pytest.fixture
def system(home: Path) -> Iterator[stack.Stack]:
    """A stack of three trivial processes, worker twice, scheduler not at all."""
    run, logs = place.own_folder(place.socket_base(home, home)), place.own_folder(home / "logs", private=True)
    configuration = render(COMMANDS, {"worker": 2, "scheduler": 0}, socket=run / "s", logs=logs)
    environment = stack.isolated_environment()
    supervisor = Supervisor(configuration, run=run, logs=logs, environment=environment)
    supervisor.start()
    yield stack.Stack("http://web", "http://sim", environment, home, logs, NO_SERVERS, supervisor)
    supervisor.stop()


def test_each_line_runs_as_often_as_asked_and_writes_its_log(system: stack.Stack) -> None:
    pids = system.pids()
    assert {name: len(running) for name, running in pids.items()} == {"web": 1, "worker": 2}
    wait_for(lambda: (system.logs / "web.log").read_text() == "100% up\n", "the log")
    wait_for(lambda: len(system.tree("web")) == 2, "the child of the shell")
    assert system.tree("web")[0] == pids["web"][0]


def test_what_is_killed_comes_back_and_what_is_stopped_stays_so(system: stack.Stack) -> None:
    wait_for(lambda: len(system.tree("web")) == 2, "the child of the shell")
    killed = system.kill("worker")
    wait_for(lambda: len(set(system.pids()["worker"]) - set(killed)) == 2, "both workers to come back")
    system.stop("worker")
    assert system.pids()["worker"] == []
    system.restart("web")
    wait_for(lambda: len(system.tree("web")) == 2, "the child of the new shell")
    system.start("worker")
    # A process that gets TERM between fork and exec loses it: be past that before the end.
    wait_for(lambda: [program(pid) for pid in system.pids()["worker"]] == ["sleep"] * 2, "both workers")


def program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def test_everything_ends_when_the_supervisor_is_killed(system: stack.Stack) -> None:
    wait_for(lambda: len(system.tree("web")) == 2, "the child of the shell")
    pids = [pid for name in system.pids() for pid in system.tree(name)]
    os.kill(system.supervisor.pid, signal.SIGKILL)
    wait_for(lambda: not any(alive(pid) for pid in pids), "every process to end")


SCRIPT = """
import sys
from pathlib import Path
from local import place, stack
from local.supervise import Supervisor, render
home = Path(sys.argv[1]); run = place.own_folder(place.socket_base(home, home)); logs = place.own_folder(home / "logs")
conf = render({"worker": "sleep 600"}, {"worker": 3}, socket=run / "s", logs=logs)
supervisor = Supervisor(conf, run=run, logs=logs, environment=stack.isolated_environment())
supervisor.start()
print(supervisor.pid, *[p["pid"] for p in supervisor.processes()], flush=True)
sys.stdin.read()
"""


def test_everything_ends_when_the_command_itself_is_killed(home: Path) -> None:
    command = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home)],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert command.stdout and command.stdin
    pids = [int(pid) for pid in command.stdout.readline().split()]
    assert len(pids) == 4
    command.kill()
    command.wait()
    command.stdin.close()
    command.stdout.close()
    wait_for(lambda: not any(alive(pid) for pid in pids), "the supervisor and its processes to end")


def test_the_supervisor_says_why_it_cannot_start(home: Path) -> None:
    logs = place.own_folder(home / "logs", private=True)
    run = place.own_folder(place.socket_base(home, home))
    broken = Supervisor("[supervisord]\nloglevel=loud\n", run=run, logs=logs, environment=stack.isolated_environment())
    with pytest.raises(ServerError, match=r"(?s)did not start.*loud"):
        broken.start()


def test_the_procfile_is_the_five_lines_of_the_system_in_order() -> None:
    assert list(read_procfile()) == ["release", "web", "worker", "replies", "scheduler"]


def test_secrets_are_made_once_and_only_their_owner_may_read_them(home: Path) -> None:
    first = keys.generated(home)
    assert keys.generated(home) == first
    assert set(first) == set(keys.MADE)
    assert (home / keys.FILE).stat().st_mode & 0o777 == 0o600
    shorter = "\n".join(f"{name}={value}" for name, value in first.items() if name != "SECRET_KEY")
    (home / keys.FILE).write_text(shorter)
    completed = keys.generated(home)
    assert completed["SECRET_KEY"] != first["SECRET_KEY"]
    assert completed | {"SECRET_KEY": ""} == first | {"SECRET_KEY": ""}


def test_what_is_given_wins_over_what_is_made(home: Path) -> None:
    environment = stack.complete_environment({"PORT": "4711", "SECRET_KEY": "mine", "PUBLIC_URL": ""}, home, NO_SERVERS)
    assert environment["PORT"] == "4711"
    assert environment["SECRET_KEY"] == "mine"
    assert environment["PUBLIC_URL"] == "http://127.0.0.1:4711"
    assert environment["DATABASE_URL"] == NO_SERVERS.database_url
    assert environment["BOOTSTRAP_API_KEY"] == keys.generated(home)["BOOTSTRAP_API_KEY"]


def test_a_stray_setting_of_the_shell_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIME_SCALE", "7")
    monkeypatch.setenv("WASSENGER_BASE_URL", "https://api.wassenger.com")
    environment = stack.isolated_environment()
    assert "TIME_SCALE" not in environment
    assert "WASSENGER_BASE_URL" not in environment
    assert environment["RELANCE_ENV_FILE"] == os.devnull


class Unready(BaseHTTPRequestHandler):
    """Not ready twice, then ready."""

    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200 if self.asked > 2 and self.path == "/health/ready" else 503)
        self.end_headers()
        self.wfile.write(b"database: no answer")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_readiness_is_waited_for_and_its_absence_explained(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("the last words\n")
    with HTTPServer(("127.0.0.1", 0), Unready) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        stack.wait_until_ready(url, log, 10)
        Unready.asked = -1000
        with pytest.raises(
            ServerError, match=r"(?s)not ready within 0\.3 s \(503 database: no answer\).*the last words"
        ):
            stack.wait_until_ready(url, log, 0.3)
        server.shutdown()
        thread.join()
        stack.wait_until_listening(url, log, 0.2)
    with pytest.raises(ServerError, match="ConnectError"):
        stack.wait_until_ready(url, log, 0.2)
    with pytest.raises(ServerError, match=r"(?s)nobody listened at .*the last words"):
        stack.wait_until_listening(url, log, 0.2)


def test_a_release_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    environment = stack.complete_environment({"PORT": "70000"}, tmp_path, NO_SERVERS)
    with pytest.raises(ServerError, match=r"(?s)release line ended with 1.*PORT=70000 is out of range"):
        stack.run_release(stack.isolated_environment() | environment, tmp_path)
