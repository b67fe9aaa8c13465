"""4: locks and connections."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_LOCKS = "tests/models/test_locks.py::"
_MIGRATIONS = "tests/models/test_migrations.py::"
_COSTS = "tests/models/test_costs.py::"
_FUNCTIONS = "models/migrations/relance_2026_11_20t08_00_01_000000.py"

MUTANTS = [
    # 4.1 A move is one statement, and locks have one order.
    Mutant("4.1", "people are locked in the order of their ids", "models/sql/facts.sql",
        "    ORDER BY r.id FOR NO KEY UPDATE\n), locked AS (\n    SELECT m.id, m.status, m.round, m.error_class",
        "    ORDER BY random() FOR NO KEY UPDATE\n), locked AS (\n    SELECT m.id, m.status, m.round, m.error_class",
        (f"{_LOCKS}test_overlapping_batches_in_the_order_of_their_arrival_do_not_deadlock",)),
    Mutant("4.1", "counters are kept in the statement that moves", "models/bookkeeping.sql",
        "sum((n.step = 1 AND n.status = 'read')::int - (o.step = 1 AND o.status = 'read')::int),", "0,",
        ("tests/models/test_counters.py::"
         "test_twenty_writers_leave_counters_that_equal_the_rows_and_never_deadlock",)),
    Mutant("4.1", "a claim waits for nobody's row", "models/sql/lane.sql",
        "FOR NO KEY UPDATE OF c, m SKIP LOCKED", "FOR NO KEY UPDATE OF c, m",
        ("tests/models/test_transitions_claims.py::"
         "test_a_row_that_somebody_holds_is_passed_over_without_waiting",)),
    Mutant("4.1", "a claim sees the pause it waited for", "models/sql/lane.sql",
        "SELECT id FROM campaign WHERE id = :campaign AND status = 'sending' FOR SHARE",
        "SELECT id FROM campaign WHERE id = :campaign AND status = 'sending'",
        ("tests/models/test_transitions_claims.py::"
         "test_a_claim_that_waited_while_the_campaign_was_stopped_promises_nothing",)),

    # 4.2 Every connection carries its time-outs.
    Mutant("4.2", "a frozen writer is thrown out", "models/pool.py",
        '"idle_in_transaction_session_timeout": "3s",', '"idle_in_transaction_session_timeout": "0",',
        (f"{_LOCKS}test_a_writer_frozen_inside_a_transaction_is_thrown_out_and_the_others_go_on",)),
    Mutant("4.2", "nobody waits for a lock for ever", "models/pool.py",
        '"lock_timeout": "2s",', '"lock_timeout": "0",',
        (f"{_LOCKS}test_a_writer_frozen_inside_a_transaction_is_thrown_out_and_the_others_go_on",)),
    Mutant("4.2", "no statement runs for ever", "models/pool.py",
        '"statement_timeout": "30s",', '"statement_timeout": "0",',
        (f"{_LOCKS}test_every_connection_carries_the_time_outs_that_free_its_locks",)),
    Mutant("4.2", "a connection that nobody answers is given up", "models/pool.py",
        '"tcp_user_timeout": "8000",', "",
        (f"{_LOCKS}test_a_connection_over_a_network_is_given_up_when_nobody_answers",)),
    Mutant("4.2", "a silent connection is asked", "models/pool.py",
        '"tcp_keepalives_idle": "5",', "",
        (f"{_LOCKS}test_a_connection_over_a_network_is_given_up_when_nobody_answers",)),
    Mutant("4.2", "the pool's connections carry them too", "models/pool.py",
        "server_settings=SERVER_SETTINGS,\n            reset=", "reset=",
        (f"{_LOCKS}test_every_connection_carries_the_time_outs_that_free_its_locks",)),

    # 4.3 What the launch and an acknowledgement cost.
    Mutant("4.3", "rows that move keep room on their page", _FUNCTIONS,
        "ALTER TABLE message SET (fillfactor = 80);", "",
        (f"{_COSTS}test_rows_that_move_keep_room_for_their_next_version",)),
    Mutant("4.3", "a delivery touches no index", _FUNCTIONS,
        "CREATE INDEX message_of_campaign ON message (campaign, id);",
        "CREATE INDEX message_of_campaign ON message (campaign, id) WHERE delivered_at IS NULL;",
        (f"{_COSTS}test_a_delivery_touches_no_index",)),
    Mutant("4.3", "a launch pays for one foreign key", _FUNCTIONS,
        "CREATE INDEX message_of_campaign ON message (campaign, id);",
        "ALTER TABLE message ADD FOREIGN KEY (campaign) REFERENCES campaign (id);\n"
        "CREATE INDEX message_of_campaign ON message (campaign, id);",
        (f"{_COSTS}test_a_launch_pays_for_one_foreign_key",)),

    # 4.4 No snapshot is held open, and what is given back is due at once.
    Mutant("4.4", "what is given back is due from now on", "models/sql/facts.sql",
        "UPDATE message m SET status = 'pending', next_at = now() + make_interval(secs => g.wait),",
        "UPDATE message m SET status = 'pending', next_at = m.next_at + make_interval(secs => g.wait),",
        ("tests/models/test_transitions_authority.py::test_a_promise_given_back_waits_and_its_quota_comes_back",)),
    Mutant("4.4", "exports read page by page", "web/csvs.py",
        "            async with pool.connection() as conn:\n                rows = await following(conn, after)\n",
        "            async with pool.connection() as conn:\n                rows = await following(conn, after)\n"
        "                yield ''\n",
        ("tests/web/test_csvs.py::test_an_export_holds_no_connection_between_two_pages",)),

    # 4.5 Migrations.
    Mutant("4.5", "a migration gives way", "piccolo_conf.py",
        '"server_settings": {"lock_timeout": "2s"}', '"server_settings": {}',
        (f"{_MIGRATIONS}test_a_migration_gives_way_to_whoever_works_on_its_tables",)),
    Mutant("4.5", "and tries again", "models/migrate.py",
        "if attempt == TRIES:", "if attempt == 1:",
        (f"{_MIGRATIONS}test_a_migration_gives_way_to_whoever_works_on_its_tables",
         f"{_MIGRATIONS}test_a_release_waits_for_a_long_transaction_instead_of_failing")),
    Mutant("4.5", "no statement returns whatever columns there are", "models/sql/lane.sql",
        "FROM served\nRETURNING id, campaign,", "FROM served\nRETURNING *, campaign,",
        ("tests/models/test_queries.py::test_no_statement_returns_whatever_columns_there_are",)),
]  # fmt: skip
