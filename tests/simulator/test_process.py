from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import httpx
import pytest

from tests.simulator_process import ROOT, TOKEN, Simulator, running_simulator, until


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0] != "Z"


def test_sigterm_stops_it_at_once_even_with_a_call_open() -> None:
    with running_simulator({"send": "hang"}) as simulator:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(
                f"{simulator.url}/v1/messages",
                headers={"Token": TOKEN},
                json={"phone": "+33199000001", "message": "x", "device": simulator.device},
                timeout=0.2,
                trust_env=False,
            )
        simulator.process.send_signal(signal.SIGTERM)
        assert simulator.process.wait(20) == 0  # the call hangs for a minute


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_it_ends_with_its_parent() -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'local.simulator', '--with-parent'], "
        "stdout=subprocess.PIPE, text=True)\n"
        "print(child.pid, child.stdout.readline().strip(), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        line = await asyncio.to_thread(parent.stdout.readline)
        pid = int(line.split()[0])
        assert "simulator ready on http://127.0.0.1:" in line and _lives(pid)
        parent.kill()
        parent.wait()
    await until(lambda: not _lives(pid), what="the end of the child")


def test_a_port_in_use_and_a_wrong_device_are_named(process: Simulator) -> None:
    port = process.url.rpartition(":")[2]
    for arguments, words in ((["--port", port], f"cannot listen on 127.0.0.1:{port}"), (["--device", "x"], "24 hex")):
        done = subprocess.run(
            [sys.executable, "-m", "local.simulator", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr


def test_several_devices_are_lanes_of_their_own() -> None:
    first, second = "a" * 24, "b" * 24
    with running_simulator(device=first, arguments=("--device", f"{second}=+442079460001")) as simulator:
        assert simulator.send("+33199000001", device=second).status_code == 201
        assert [row["id"] for row in simulator.call("GET", "/v1/devices").json()] == [first, second]
        assert simulator.call("GET", f"/v1/devices/{second}").json()["phone"] == "+442079460001"
        assert simulator.call("GET", "/v1/messages", params={"device": first}).json() == []
        assert len(simulator.call("GET", "/v1/messages", params={"device": second}).json()) == 1
        assert simulator.say("+33199000001", device=second)["device"] == second
