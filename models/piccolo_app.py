"""Piccolo's registry of our tables and migrations."""

from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

TABLES = ["senders", "people", "campaigns", "messages", "operation", "trials", "accounts", "attachments"]

APP_CONFIG = AppConfig(
    app_name="relance",
    migrations_folder_path=str(Path(__file__).parent / "migrations"),
    table_classes=table_finder([f"models.tables.{name}" for name in TABLES], exclude_imported=True),
)
