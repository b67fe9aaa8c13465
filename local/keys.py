"""The secrets a local stack makes for itself, kept beside its data."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from dotenv import dotenv_values

FILE = "secrets.env"

MADE: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_hex(32),
    "BOOTSTRAP_API_KEY": lambda: secrets.token_urlsafe(32),
    "ADMIN_EMAIL": lambda: "admin@relance.test",
    "ADMIN_PASSWORD": lambda: secrets.token_urlsafe(12),
    "WASSENGER_API_KEY": lambda: secrets.token_hex(32),
    "WASSENGER_WEBHOOK_SECRET": lambda: secrets.token_urlsafe(24),
    "WASSENGER_DEVICE_ID": lambda: secrets.token_hex(12),
}
"""Each variable a real deployment is given by its operator, and how a local stack makes its own."""


def generated(home: Path) -> dict[str, str]:
    """Return the secrets of ``home``, made on first use; the file is readable by its owner only."""
    file = home / FILE
    known = {name: value for name, value in dotenv_values(file).items() if value} if file.exists() else {}
    missing = {name: make() for name, make in MADE.items() if name not in known}
    if missing:
        known |= missing
        unfinished = home / f".{FILE}.{os.getpid()}"
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.writelines(f"{name}={value}\n" for name, value in known.items())
        unfinished.replace(file)
    return known
