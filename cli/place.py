"""Where the service is and with which key it is asked, from what the operator set.

Names in the order in which they count: RELANCE_URL, PUBLIC_URL, PORT; RELANCE_API_KEY, BOOTSTRAP_API_KEY; in the
environment, then in ``.env``. Where none is given, what a running ``bin/dev`` of this checkout left beside its data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""
RUNNING = ROOT / ".relance" / "dev" / "running.env"
"""The settings of a running ``bin/dev``; there as long as it runs."""
DEFAULT_PORT = "8000"


@dataclass(frozen=True)
class Place:
    """The address of the service without a slash at its end, and the API key (empty: none was found)."""

    url: str
    key: str


def find(environ: Mapping[str, str] = os.environ, running: Path = RUNNING) -> Place:
    """Return where to ask and with which key."""
    given = settings_given(environ)
    if not any(given.get(name) for name in ("RELANCE_URL", "PUBLIC_URL", "PORT")):
        given = {**_read(running), **{name: value for name, value in given.items() if value}}
    url = given.get("RELANCE_URL") or given.get("PUBLIC_URL")
    url = url or f"http://127.0.0.1:{given.get('PORT') or DEFAULT_PORT}"
    return Place(url.rstrip("/"), given.get("RELANCE_API_KEY") or given.get("BOOTSTRAP_API_KEY") or "")


def settings_given(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``.env`` under the environment, as every process of ours reads it."""
    return {**_read(Path(environ.get("RELANCE_ENV_FILE") or ".env")), **environ}


def know_settings() -> None:
    """Where the operator gave no database, let ``settings`` read what a running bin/dev of this checkout uses."""
    if not settings_given(os.environ).get("DATABASE_URL") and RUNNING.is_file():
        os.environ["RELANCE_ENV_FILE"] = str(RUNNING)


def _read(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    return {name: value for name, value in dotenv_values(file).items() if value}
