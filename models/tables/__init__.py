"""Everything we remember, table by table, with the constraints that guard it.

Partial, composite and expression indexes, fill factors and the triggers of ``bookkeeping.sql`` are in the
migrations: Piccolo cannot say them. Keys are UUIDv7 (time-ordered); all times are ``timestamptz``.
Only ``message.recipient`` is a foreign key among the big tables: three of them cost the launch 40 %.
"""
