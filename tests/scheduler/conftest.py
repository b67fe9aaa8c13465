from __future__ import annotations

from tests.actors.conftest import crew, environment, memory, simulator, simulator_process

__all__ = ["crew", "environment", "memory", "simulator", "simulator_process"]
