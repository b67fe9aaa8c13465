"""What every other test stands on."""

from __future__ import annotations

import settings
from local.postgres import run_sql


def test_a_test_has_a_migrated_database_of_its_own(database: str) -> None:
    assert run_sql(database, "SELECT to_regclass('recipient')") == "recipient"
    run_sql(database, "CREATE TABLE stray ()")


def test_and_sees_nothing_another_one_left(database: str) -> None:
    assert run_sql(database, "SELECT to_regclass('stray') IS NULL") == "t"


def test_the_environment_of_a_test_is_complete_and_in_force(
    environment: dict[str, str], configured: settings.Settings
) -> None:
    assert configured == settings.load(environment)
    assert configured.gateway_is_local
    assert settings.get() is configured
