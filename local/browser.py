"""The browser that tests, benchmarks and pictures look at the dashboard with: a Chromium of the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
INSTALL = ("apt-get", "install", "-y", "--no-install-recommends", "chromium")
UPDATE = ("apt-get", "update")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
"""It talks to nobody but the service."""


class NoBrowser(Exception):
    """There is no Chromium here; the text says how to get one."""


def find() -> str | None:
    """Return the program of a Chromium, or None. ``RELANCE_CHROMIUM`` names another one."""
    return os.environ.get("RELANCE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def found_or_installed() -> str:
    """Return the program; as root it is installed where it lacks. Raises NoBrowser."""
    if program := find():
        return program
    command = " ".join(INSTALL)
    if os.geteuid() != 0 or not shutil.which(INSTALL[0]):
        raise NoBrowser(f"no Chromium was found: install one ({command}), or name one in RELANCE_CHROMIUM")
    done = subprocess.run(INSTALL, capture_output=True, text=True, check=False)
    if done.returncode != 0:  # what a bare machine knows of its packages may be nothing, or old
        subprocess.run(UPDATE, capture_output=True, check=False)
        done = subprocess.run(INSTALL, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not (program := find()):
        raise NoBrowser(f"no Chromium was found, and it could not be installed ({command})\n{done.stderr}")
    return program


@contextmanager
def running() -> Iterator[Browser]:
    """Start it, headless, with nothing kept from before, and end it. Raises NoBrowser."""
    program = found_or_installed()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()
