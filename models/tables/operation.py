"""What keeps the service itself running: configuration, alerts, processes."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, Array, Integer, Text, Timestamptz
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.table import Table
from uuid_utils.compat import uuid7


class Setting(Table):
    """Run-time configuration: overrides the environment, is overridden by sender and campaign."""

    key = Text(primary_key=True)
    value = JSONB()
    changed_at = Timestamptz(default=TimestamptzNow())
    changed_by = Text()


class Alert(Table):
    """Something a person should know: raised once per (kind, subject), updated, resolved."""

    id = UUID(primary_key=True, default=uuid7)
    kind = Text()
    subject = Text()
    text = Text()
    times = Integer(default=1)
    raised_at = Timestamptz(default=TimestamptzNow())
    updated_at = Timestamptz(default=TimestamptzNow())
    resolved_at = Timestamptz(null=True, default=None)
    put_away_at = Timestamptz(null=True, default=None, help_text="a person resolved it: held back for an hour")
    news = Text(null=True, default=None, help_text="what has still to be told: raised, updated or resolved")
    news_number = Integer(default=0, help_text="raised by each news: who tells an older one records nothing")
    news_due_at = Timestamptz(null=True, default=None, help_text="when it is told, or tried again")
    news_tries = Integer(default=0)
    news_left = Array(base_column=Text(), null=True, default=None, help_text="fingerprints of who was not reached yet")
    news_error = Text(null=True, default=None)
    told_at = Timestamptz(null=True, default=None, help_text="everybody had been told")


class Heartbeat(Table):
    """One process that lives, or lived. Its id is on every promise it made."""

    process = UUID(primary_key=True, default=None)
    kind = Text(help_text="web, worker, replies or scheduler")
    host = Text()
    pid = Integer()
    started_at = Timestamptz(default=TimestamptzNow())
    beat_at = Timestamptz(default=TimestamptzNow())
    server = Text(null=True, default=None, help_text="the run of PostgreSQL that its lock was taken on")
    ended_at = Timestamptz(null=True, default=None, help_text="it stopped in good order; null: it lives, or it died")


class Leader(Table):
    """Who may act as the one scheduler, until when. A frozen leader loses it by the clock."""

    name = Text(primary_key=True)
    owner = UUID(default=None)
    until = Timestamptz()
