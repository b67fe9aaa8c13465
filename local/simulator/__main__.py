"""``python -m local.simulator``: run one simulator until SIGTERM, or until its parent ends."""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import re
import signal
import sys

from aiohttp import web

from local.simulator.ledger import Device
from local.simulator.server import application
from local.simulator.world import World

DEVICE = "5a1e00000000000000000001"
TOKEN = "simulator-key"  # noqa: S105 - opens nothing but this simulator
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str] | None = None) -> None:
    """Read the arguments, run, stop."""
    options = _parser().parse_args(arguments)
    if options.with_parent:
        _end_with_parent()
    devices = [_device(given, number) for number, given in enumerate(options.device or [DEVICE])]
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(options, devices))


async def _serve(options: argparse.Namespace, devices: list[Device]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    world = World(devices=devices, token=options.token, seed=options.seed, signing_secret=options.signing_secret)
    runner = web.AppRunner(application(world), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, options.host, options.port, backlog=2048)
    try:
        await site.start()
    except OSError as error:
        await world.close()
        await runner.cleanup()
        sys.exit(f"the simulator cannot listen on {options.host}:{options.port}: {error.strerror or error}")
    port = runner.addresses[0][1]
    print(f"simulator ready on http://{options.host}:{port}", flush=True)
    try:
        if options.with_parent and not sys.platform.startswith("linux"):
            await _until_orphaned(stop)
        else:
            await stop.wait()
    finally:
        await world.close()
        await runner.cleanup()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.simulator", description="Wassenger's API, played.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (the control part has no key)")
    parser.add_argument("--port", type=int, default=0, help="0: a free one, printed")
    parser.add_argument("--token", default=TOKEN, help="the API key it accepts")
    parser.add_argument("--device", action="append", metavar="ID[=PHONE]", help="24 hex digits; may be given again")
    parser.add_argument("--seed", type=int, default=1, help="everything random follows from it")
    parser.add_argument("--signing-secret", default=None, help="sign webhooks with this key")
    parser.add_argument("--with-parent", action="store_true", help="end when the starting process ends")
    return parser


def _device(given: str, number: int) -> Device:
    device_id, _, phone = given.partition("=")
    if not re.fullmatch(r"[0-9a-f]{24}", device_id):
        sys.exit(f"--device {device_id!r} is not 24 hex digits")
    return Device(id=device_id, phone=phone or f"+4930231259{number:02d}", alias=f"Simulated {number + 1}")


def _end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the thread that started us ends; elsewhere than on Linux we look."""
    parent = os.getppid()
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent == 1 or os.getppid() != parent:
        sys.exit("the parent ended before the simulator started")


async def _until_orphaned(stop: asyncio.Event) -> None:
    parent = os.getppid()
    while not stop.is_set() and os.getppid() == parent:  # noqa: ASYNC110 - the system has no event for it
        await asyncio.sleep(0.2)


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


if __name__ == "__main__":
    main()
