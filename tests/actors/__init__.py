"""The actors against real servers and the simulator.

Importing the actors builds Dramatiq's broker, which opens nothing but wants settings of the right shape.
"""

import os

import settings

NOWHERE = {
    "DATABASE_URL": "postgresql://nowhere/x",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "s" * 32,
    "BOOTSTRAP_API_KEY": "b" * 24,
    "WASSENGER_API_KEY": "k" * 24,
    "WASSENGER_WEBHOOK_SECRET": "w" * 16,
    "RELANCE_ENV_FILE": os.devnull,
}

_before = dict(os.environ)
os.environ.update(NOWHERE)
settings.get.cache_clear()
import actors.main  # noqa: E402, F401

os.environ.clear()
os.environ.update(_before)
settings.get.cache_clear()
