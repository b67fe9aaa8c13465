"""Fixtures of the crash tests: the stage, and the ground its scenes are played on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import embedded
from tests.crash.stage import Ground, Stage, collected


@pytest.fixture(scope="session")
def stage(request: pytest.FixtureRequest, servers: embedded.Servers, template: str, home: Path) -> Iterator[Stage]:
    """Play every scene that was collected, several at once, from the first crash test on."""
    ground = Ground(servers, template, home)
    stage = Stage(ground)
    stage.begin(collected(request.session.items))
    try:
        yield stage
    finally:
        stage.close()
        for name in ground.databases:
            servers.drop_database(name)
