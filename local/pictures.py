"""``bin/screenshots``: the pictures of the README, taken of the demo's campaign while people answer."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from local import browser as chromium
from local import demo, demo_contacts, demo_world, embedded, place, stack
from local.demo_screen import Screen
from local.server import ServerError

FOLDER = place.ROOT / "docs" / "pictures"
SIZE = {"width": 1360, "height": 850}
SLOWER = {"TIME_SCALE": "12", "REPLY_WINDOW_HOURS": "0.03"}
"""The demo's pace, slow enough that a picture catches it at work."""
ENOUGH = 80
"""So many messages have left when the pictures are taken."""


def main(arguments: list[str] | None = None) -> int:
    """Start everything, send, look, and end it all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="bin/screenshots", description="Take the pictures of the README.")
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder: Path = parser.parse_args(arguments).folder
    home = place.home("pictures")
    try:
        demo.remove_last_run(home)
        with _at_work(home) as (system, campaign), chromium.running() as browser:
            folder.mkdir(parents=True, exist_ok=True)
            for file in take(browser, system, campaign, folder):
                print(f"{file.relative_to(place.ROOT) if file.is_relative_to(place.ROOT) else file}")
    except (ServerError, place.PlaceError, demo.StepFailed, chromium.NoBrowser, httpx.HTTPError) as error:
        print(f"bin/screenshots: {error}", file=sys.stderr)
        return 1
    embedded.remove(home)
    return 0


def take(browser: Browser, system: stack.Stack, campaign: str, folder: Path) -> list[Path]:
    """Photograph the pages, one of them dark and on a phone; returns the files."""
    wanted: list[tuple[str, str, dict[str, Any]]] = [
        ("overview", "/", {"viewport": SIZE}),
        ("campaign", f"/campaigns/{campaign}", {"viewport": SIZE}),
        ("phone", f"/campaigns/{campaign}", {"viewport": {"width": 390, "height": 780}, "color_scheme": "dark"}),
    ]
    files = []
    for name, path, looks in wanted:
        context = browser.new_context(**({"locale": "en-GB", "reduced_motion": "reduce"} | looks))
        account = {"email": system.env["ADMIN_EMAIL"], "password": system.env["ADMIN_PASSWORD"]}
        context.request.post(f"{system.url}/api/auth/login", data=account)
        page = context.new_page()
        page.goto(system.url + path)
        _settle(page)
        files.append(folder / f"{name}.png")
        page.screenshot(path=files[-1])
        context.close()
    return files


def _settle(page: Page) -> None:
    """Wait until everything is here: live, no bones, curves drawn."""
    page.wait_for_selector("[data-live=live]")
    page.wait_for_function("() => !document.querySelector('#app .bone')")
    page.wait_for_timeout(800)  # curves draw themselves after their code came


@contextmanager
def _at_work(home: Path) -> Iterator[tuple[stack.Stack, str]]:
    """Run the demo's world until its campaign is half out; yields it, and the campaign's id."""
    rows = demo_contacts.read(demo.FILE)
    phones = demo_world.invited(rows)
    base = {k: v for k, v in stack.isolated_environment().items() if k not in ("DATABASE_URL", "REDIS_URL")}
    settings = demo_world.shortened(len(rows)) | SLOWER
    with stack.running(home, env=settings, base=base, durable=False, ready_within=120) as system:
        relance = demo.Relance(system, Screen())
        demo.set_the_world(system.simulator_url, demo_world.behaviour(phones, 1), 1)
        relance("doctor", "--fix")
        relance("import", str(demo.FILE.relative_to(place.ROOT)), "--category", demo.CATEGORY, "--region", "FR")
        campaign = demo.write_campaign(relance)
        relance("campaign", "send", demo.CAMPAIGN)
        headers = {"Authorization": f"Bearer {system.env['BOOTSTRAP_API_KEY']}"}
        with httpx.Client(base_url=system.url, headers=headers, timeout=30, trust_env=False) as api:
            while api.get(f"/api/campaigns/{campaign}/progress").raise_for_status().json()["sent"] < ENOUGH:
                time.sleep(0.5)
        yield system, campaign


if __name__ == "__main__":
    sys.exit(main())
