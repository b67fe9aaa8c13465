"""What deploys us says what the Procfile and the settings say: app.json, units of systemd, the router."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import MISSING, fields
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from local import place, rehearsal, stack, units
from local.procfile import read_procfile
from local.router import Router
from local.server import ServerError
from settings import Settings

LINES = [name for name in read_procfile() if name != "release"]


def test_app_json_names_every_process_and_every_variable_that_is_required() -> None:
    app = json.loads((place.ROOT / "app.json").read_text())
    assert list(app["formation"]) == LINES
    known = {f.name.upper(): f for f in fields(Settings)}
    assert set(app["env"]) <= set(known)
    required = {name for name, f in known.items() if f.default is MISSING} - {"DATABASE_URL", "REDIS_URL"}
    assert required <= {name for name, one in app["env"].items() if one["required"]}


def test_the_units_run_the_lines_of_the_procfile_and_bring_back_what_dies(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "local.units", str(tmp_path), "--count", "worker=2", "--variables", "/etc/x.env"],
        cwd=place.ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(made.stdout.splitlines()) == len(LINES) + 2
    read = {file.name: configparser.ConfigParser(interpolation=None) for file in tmp_path.iterdir()}
    for name, parsed in read.items():
        parsed.optionxform = str  # type: ignore[assignment,method-assign]
        parsed.read(tmp_path / name)
    for line, command in read_procfile().items():
        service = read["relance-release.service" if line == "release" else f"relance-{line}@.service"]["Service"]
        assert shlex.split(service["ExecStart"])[-1] == f"exec {command}"
        assert service["EnvironmentFile"] == "/etc/x.env"
        assert service.get("Restart") == (None if line == "release" else "always")
    wanted = read["relance.target"]["Unit"]["Wants"].split()
    assert wanted == [f"relance-{line}@{n}.service" for line in LINES for n in range(1, 3 if line == "worker" else 2)]
    if shutil.which("systemd-analyze"):
        checked = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(tmp_path / "relance.target")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Unknown" not in checked.stderr and "Invalid" not in checked.stderr


def test_a_count_of_a_line_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        units.main([str(tmp_path), "--count", "release=2"])
    assert "web, worker, replies, scheduler" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_router_passes_new_connections_on_to_another_process_from_one_moment_to_the_next() -> None:
    ports = {}
    for name in ("old", "new"):

        class Named(BaseHTTPRequestHandler):
            said = name.encode()

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(self.said)))
                self.end_headers()
                self.wfile.write(self.said)

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Named)
        Thread(target=server.serve_forever, daemon=True).start()
        ports[name] = server
    router = Router(stack.free_port(), ports["old"].server_address[1])
    url = f"http://127.0.0.1:{router.port}"
    with router.running():
        assert httpx.get(url, trust_env=False).text == "old"
        router.target = ports["new"].server_address[1]
        assert httpx.get(url, trust_env=False).text == "new"
    for server in ports.values():
        server.shutdown()
        server.server_close()


def test_the_rehearsal_deploys_what_is_committed_and_nothing_else(tmp_path: Path) -> None:
    if subprocess.run(["git", "rev-parse", "HEAD"], cwd=place.ROOT, capture_output=True, check=False).returncode:
        with pytest.raises(ServerError, match="what is committed"):
            rehearsal.clean_copy(tmp_path)
        return
    copy = rehearsal.clean_copy(tmp_path)
    committed = subprocess.run(["git", "ls-files"], cwd=place.ROOT, capture_output=True, text=True, check=True)
    there = {str(file.relative_to(copy)) for file in copy.rglob("*") if file.is_file()}
    assert "Procfile" in there and there <= set(committed.stdout.splitlines())


def test_a_step_that_never_comes_ends_the_rehearsal_with_its_name() -> None:
    with pytest.raises(ServerError, match="the end of time"):
        rehearsal.wait_for(lambda: False, 0.0, "the end of time")
