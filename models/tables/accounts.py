"""Who may come in, how they do, and what they did."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, Array, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.defaults.timestamptz import TimestamptzNow
from piccolo.columns.indexes import IndexMethod
from piccolo.table import Table
from uuid_utils.compat import uuid7


class User(Table, tablename="app_user"):
    """One person who may log in. The e-mail is kept in lower case."""

    id = UUID(primary_key=True, default=uuid7)
    email = Text(unique=True)
    name = Text(default="")
    role = Text(help_text="admin, operator or viewer")
    password_hash = Text(secret=True, help_text="argon2id")
    disabled_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=TimestamptzNow())
    last_login_at = Timestamptz(null=True, default=None)


class Session(Table, tablename="web_session"):
    """One log-in of a browser. The cookie holds the token, this row only its SHA-256."""

    token_hash = Bytea(primary_key=True, default=b"", secret=True)
    user = ForeignKey(User, null=False, on_delete=OnDelete.cascade, index=True, index_method=IndexMethod.btree)
    created_at = Timestamptz(default=TimestamptzNow())
    seen_at = Timestamptz(default=TimestamptzNow())
    address = Text(default="")


class ApiKey(Table, tablename="api_key"):
    """A key for programs: shown once, kept as its SHA-256. It may never do more than its owner may just now."""

    id = UUID(primary_key=True, default=uuid7)
    name = Text()
    prefix = Text(help_text="its first characters, to recognise it by")
    key_hash = Bytea(unique=True, default=b"", secret=True)
    role = Text(help_text="admin, operator or viewer")
    areas = Array(Text(), null=True, default=None, help_text="first words below /api it may reach; null: all")
    owner = ForeignKey(User, null=True, on_delete=OnDelete.cascade, help_text="null: made without a log-in")
    created_by = Text()
    created_at = Timestamptz(default=TimestamptzNow())
    expires_at = Timestamptz(null=True, default=None)
    revoked_at = Timestamptz(null=True, default=None)
    used_at = Timestamptz(null=True, default=None)


class Audit(Table):
    """One thing somebody asked for through the API: written before it is done, completed with how it ended."""

    id = UUID(primary_key=True, default=uuid7)
    at = Timestamptz(default=TimestamptzNow())
    actor = Text(help_text="a person's e-mail, or the name of a key")
    actor_kind = Text(help_text="user, key, bootstrap, command or nobody")
    actor_id = UUID(null=True, default=None)
    role = Text(default="")
    action = Text(help_text="method and address as in the routing table")
    path = Text(help_text="the address itself, without its query")
    status = Integer(null=True, default=None, help_text="HTTP status; null: it was never answered")
    detail = JSONB(default="{}", help_text="what else is worth knowing; never a secret")
    address = Text(default="")
    request_id = Text(default="")


class Throttle(Table, tablename="login_throttle"):
    """How far log-ins from somewhere, or to some account, have used up their allowance."""

    key = Text(primary_key=True, help_text="SHA-256 of what is counted")
    free_at = Timestamptz(help_text="theoretical arrival time: when the whole allowance is there again")
