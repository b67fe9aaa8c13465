"""Indexes for erasure, rejected rows, and the ends of phones."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from models.tables.people import Contact

ID = "2026-11-20T10:05:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "indexes for erasure, rejected rows, the ends of phones"

FORWARDS = """
ALTER TABLE stop_entry ALTER COLUMN id SET DEFAULT uuid7();
-- Erasures whose traces are still in stored webhooks.
CREATE INDEX stop_entry_traced ON stop_entry (made_at) WHERE trace IS NOT NULL;
-- People erased lately: what was under way then is looked at once more.
CREATE INDEX contact_erased ON contact (erased_at) WHERE erased_at IS NOT NULL;
CREATE INDEX rejected_row_of_upload ON rejected_row (upload, id);
-- "Ends in 4567": the prefix of the phone read backwards.
CREATE INDEX contact_phone_suffix ON contact (reverse(phone) text_pattern_ops);
-- Who may not be written to: counted and listed.
CREATE INDEX contact_opted_out ON contact (id) WHERE opted_out_at IS NOT NULL AND erased_at IS NULL;
-- Members of a category, counted and listed without the table.
CREATE INDEX contact_category_members ON contact_category (category, contact);
-- Interactions of one type, newest first.
CREATE INDEX interaction_of_type ON interaction (type, id DESC);
"""

BACKWARDS = """
DROP INDEX contact_opted_out, contact_erased, interaction_of_type, contact_category_members, contact_phone_suffix, rejected_row_of_upload, stop_entry_traced;
-- The program before this one knows no contact without a phone.
UPDATE contact SET phone = 'erased:' || id WHERE phone IS NULL;
"""


async def forwards() -> MigrationManager:
    """Create every index in a migration after the tables': raw SQL runs before table DDL in the same one."""
    manager = MigrationManager(migration_id=ID, app_name="relance", description=DESCRIPTION)

    async def create() -> None:
        for statement in FORWARDS.strip().rstrip(";").split(";\n"):
            await Contact.raw(statement)

    async def drop() -> None:
        for statement in BACKWARDS.strip().rstrip(";").split(";\n"):
            await Contact.raw(statement)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
