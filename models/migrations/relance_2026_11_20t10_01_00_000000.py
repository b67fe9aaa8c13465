"""Which run of which server a process's lock was taken on: on any other one that it is free proves nothing."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Text

from models.tables.operation import Heartbeat

ID = "2026-11-20T10:01:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "the server of a process's lock"

FORWARDS = """
-- Whether this very server holds the lock of a process. One that was restored, or promoted behind the process's back,
-- does not: what it remembers and what the gateway knows may differ.
CREATE FUNCTION process_lives(process uuid) RETURNS boolean LANGUAGE sql VOLATILE AS $$
    SELECT EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted
                   AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                   AND ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(process::text, 0))
$$;
-- Changes whenever the table of locks is lost: by a restart, by a crash of one backend (which resets the statistics),
-- and it is another one on a standby or a restored copy.
CREATE FUNCTION server_run() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws('/', extract(epoch FROM pg_postmaster_start_time()),
                     extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time()))
$$;
"""

BACKWARDS = """
DROP FUNCTION server_run();
DROP FUNCTION process_lives(uuid);
"""


async def forwards() -> MigrationManager:
    """Add the column and the two functions."""
    manager = MigrationManager(migration_id=ID, app_name="relance", description=DESCRIPTION)
    manager.add_column(
        table_class_name="Heartbeat",
        tablename="heartbeat",
        column_name="server",
        db_column_name="server",
        column_class_name="Text",
        column_class=Text,
        params={
            "default": None,
            "null": True,
            "primary_key": False,
            "unique": False,
            "index": False,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
    )

    async def create() -> None:
        for statement in FORWARDS.strip().rstrip(";").split(";\n"):
            await Heartbeat.raw(statement)

    async def drop() -> None:
        for statement in BACKWARDS.strip().rstrip(";").split(";\n"):
            await Heartbeat.raw(statement)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
