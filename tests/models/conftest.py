"""A connection to a fresh, migrated database, with the time-outs of production."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

import settings

if TYPE_CHECKING:
    from asyncpg import Connection, Record


@pytest.fixture
async def conn(configured: settings.Settings) -> AsyncIterator[Connection[Record]]:
    """One direct connection to this test's own database."""
    from models import pool  # reads the settings when it is imported

    opened = await pool.connect()
    yield opened
    opened.terminate()
