from __future__ import annotations

from tests.actors.conftest import crew, environment, memory, opens, simulator, simulator_process

__all__ = ["crew", "environment", "memory", "opens", "simulator", "simulator_process"]
