"""bin/dev, whole: a small checkout with a Procfile of its own, real servers, the real simulator."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local import dev, embedded, place
from tests.local.owners import alive, clean_environment, wait_for

WEB = """
import http.server, os
class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(f"{os.getpid()} {os.environ['WASSENGER_BASE_URL']} {os.environ['DATABASE_URL']}".encode())
    def log_message(self, *_): pass
print("web is up", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Web).serve_forever()
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "checkout"
    shutil.copytree(place.ROOT / "local", root / "local", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(place.ROOT / "settings.py", root)
    (root / "web").mkdir()
    (root / "web" / "serve.py").write_text(WEB)
    (root / "Procfile").write_text("release: echo released\nweb: python web/serve.py\nworker: sleep 600\n")
    yield root
    embedded.remove(root / ".relance" / "dev")


def test_the_stack_starts_reloads_what_changed_and_stops_without_a_trace(checkout: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    environment = clean_environment(
        PYTHONPATH=str(checkout),
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        RELANCE_ENV_FILE=os.devnull,
        WASSENGER_API_KEY="a-real-key-that-the-simulator-must-not-get",
    )
    for name in ("PORT", "PUBLIC_URL", "WASSENGER_BASE_URL"):
        environment.pop(name, None)
    with output.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.dev"], cwd=checkout, env=environment, stdout=out, stderr=out
        )
    try:
        wait_for(lambda: "Relance     http" in output.read_text() or process.poll() is not None, "the greeting", 60)
        assert process.poll() is None, output.read_text()
        url = next(line.split()[1] for line in output.read_text().splitlines() if line.startswith("Relance "))
        pid, simulator, database = httpx.get(url, trust_env=False).text.split()
        assert str(checkout.name) in database or "relance-" in database
        assert httpx.get(f"{simulator}/_sim/ledger", trust_env=False).status_code == 200
        supervised = place.own_folder(checkout / ".relance" / "dev")
        assert "a-real-key" not in "".join(p.read_text() for p in supervised.rglob("supervisord.conf"))

        (checkout / "web" / "serve.py").write_text(WEB.replace("is up", "is up again"))
        wait_for(lambda: "web | web is up again" in output.read_text(), "the new web process", 30)
        assert "-- reload: web/serve.py changed" in output.read_text()
        again = answer(url)
        assert again.split()[0] != pid
        assert again.split()[1:] == [simulator, database]
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(40)
    assert code == 0, output.read_text()
    assert not alive(int(again.split()[0]))
    with pytest.raises(httpx.ConnectError):
        httpx.get(simulator, trust_env=False)


def answer(url: str) -> str:
    deadline = time.monotonic() + 10
    while True:
        try:
            return httpx.get(url, trust_env=False).text
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the web process did not come back"
            time.sleep(0.02)


def test_lines_are_shown_once_whole_and_under_their_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, shown = tmp_path / "worker-1.log", dict[Path, int]()
    log.write_bytes(b"one\ntw")
    dev.follow(tmp_path, shown)
    with log.open("ab") as more:
        more.write("o é\n".encode())
    dev.follow(tmp_path, shown)
    dev.follow(tmp_path, shown)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == ["worker-1 | one", "worker-1 | two é"]


def test_the_environment_wins_over_the_file_of_the_developer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("TIME_SCALE=5\nLOG_LEVEL=debug\nWASSENGER_API_KEY=real\n")
    monkeypatch.setenv("RELANCE_ENV_FILE", str(file))
    monkeypatch.setenv("LOG_LEVEL", "error")
    monkeypatch.delenv("WASSENGER_BASE_URL", raising=False)
    environment = dev.developer_environment()
    assert (environment["TIME_SCALE"], environment["LOG_LEVEL"]) == ("5", "error")
    assert "WASSENGER_API_KEY" not in environment
    monkeypatch.setenv("WASSENGER_BASE_URL", "https://api.wassenger.com")
    assert dev.developer_environment()["WASSENGER_API_KEY"] == "real"


def test_a_changed_added_or_removed_source_is_noticed() -> None:
    before = dev.modified()
    assert place.ROOT / "settings.py" in before
    assert place.ROOT / "rules" / "status.py" in before
    later = before | {place.ROOT / "settings.py": 0.0}
    assert dev.differing(later, before) == {place.ROOT / "settings.py"}
