"""Where the service is, with which key, and what is said when it is not there."""

from __future__ import annotations

import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from cli.place import Place, find
from local import stack
from tests.cli.conftest import Relance


def test_the_operators_own_names_win_over_those_of_the_processes(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"
    base = {"RELANCE_ENV_FILE": os.devnull}
    assert find(base, nowhere) == Place("http://127.0.0.1:8000", "")
    assert find(base | {"PORT": "9"}, nowhere).url == "http://127.0.0.1:9"
    public = base | {"PORT": "9", "PUBLIC_URL": "https://relance.example/", "BOOTSTRAP_API_KEY": "b"}
    assert find(public, nowhere) == Place("https://relance.example", "b")
    named = public | {"RELANCE_URL": "http://x:1", "RELANCE_API_KEY": "a"}
    assert find(named, nowhere) == Place("http://x:1", "a")


def test_a_running_stack_of_this_checkout_is_found_where_nothing_is_given(tmp_path: Path) -> None:
    running = tmp_path / "running.env"
    running.write_text("PORT=4711\nBOOTSTRAP_API_KEY=local\n")
    nothing = {"RELANCE_ENV_FILE": os.devnull}
    assert find(nothing, running) == Place("http://127.0.0.1:4711", "local")
    assert find(nothing | {"RELANCE_API_KEY": "mine"}, running) == Place("http://127.0.0.1:4711", "mine")
    given = nothing | {"RELANCE_URL": "http://elsewhere"}
    assert find(given, running) == Place("http://elsewhere", ""), "a key of here is not sent elsewhere"


def test_the_file_of_settings_counts_below_the_environment(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=5\nBOOTSTRAP_API_KEY=file\n")
    given = {"RELANCE_ENV_FILE": str(file), "BOOTSTRAP_API_KEY": "environment"}
    assert find(given, tmp_path / "none") == Place("http://127.0.0.1:5", "environment")


def test_nobody_there_says_how_to_start_it(relance: Relance) -> None:
    done = relance("campaign", "list", env={"RELANCE_URL": f"http://127.0.0.1:{stack.free_port()}"})
    assert done.code == 3
    assert "nothing answers at http://127.0.0.1" in done.err
    assert "bin/dev" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("key", ["wrong", ""])
def test_a_wrong_or_missing_key_says_where_it_is_read(relance: Relance, key: str) -> None:
    done = relance("campaign", "list", env={"RELANCE_API_KEY": key, "BOOTSTRAP_API_KEY": ""})
    assert done.code == 1
    assert "the key is read from RELANCE_API_KEY" in done.err


class Stranger(BaseHTTPRequestHandler):
    """Some other service."""

    def do_GET(self) -> None:
        body = b"<html>hello</html>"
        self.send_response(404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_another_service_at_the_address_is_recognised(relance: Relance) -> None:
    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        done = relance("campaign", "list", env={"RELANCE_URL": f"http://127.0.0.1:{server.server_port}"})
        server.shutdown()
        thread.join()
    assert done.code == 1
    assert "is no Relance" in done.err


def test_the_simulator_gets_its_arguments_as_they_are(relance: Relance) -> None:
    done = relance("simulator", "--help")
    assert done.code == 0
    assert "Wassenger's API, played." in done.out
    assert "--with-parent" in done.out
