"""People who may log in, their keys, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from rules.roles import Role
from web.wire.common import Body, Name

Email = Annotated[str, Meta(min_length=3, max_length=254)]
Password = Annotated[str, Meta(min_length=1, max_length=1000)]
NewPassword = Annotated[str, Meta(min_length=12, max_length=200, description="12 to 200 characters.")]


class LogIn(Body, kw_only=True):
    """An e-mail and its password."""

    email: Email
    password: Password


class Me(Struct, kw_only=True):
    """Who is asking. With a session: ``csrf_token`` goes into X-CSRF-Token of every request that is no GET."""

    kind: Literal["user", "key", "bootstrap"]
    name: str
    role: Role
    user_id: UUID | None
    areas: list[str] | None
    csrf_token: str | None
    session_ends_at: datetime | None


class PasswordChange(Body, kw_only=True):
    """The new password; every other log-in of this person ends."""

    current_password: Password
    new_password: NewPassword


class NewUser(Body, kw_only=True):
    """A person who may log in."""

    email: Email
    password: NewPassword
    role: Role
    name: Annotated[str, Meta(max_length=200)] = ""


class UserChange(Body, kw_only=True):
    """What is left out stays. ``disabled`` true, or a new password, ends every log-in; disabling revokes the keys."""

    name: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    password: NewPassword | UnsetType = UNSET


class User(Struct, kw_only=True):
    """A person who may log in."""

    id: UUID
    email: str
    name: str
    role: Role
    disabled_at: datetime | None
    created_at: datetime
    last_login_at: datetime | None


class NewKey(Body, kw_only=True):
    """``areas``: the first words below /api it may reach, e.g. contacts; null: all that its role may."""

    name: Name
    role: Role
    areas: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=40)] | None = None
    expires_in_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class Key(Struct, kw_only=True):
    """An API key, without its secret: ``prefix`` is how it begins."""

    id: UUID
    name: str
    prefix: str
    role: Role
    areas: list[str] | None
    owner_id: UUID | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


class MadeKey(Key, kw_only=True):
    """An API key with its secret: shown this once."""

    key: str


class AuditLine(Struct, kw_only=True):
    """One thing somebody asked for; ``status`` null: it was never answered."""

    id: UUID
    at: datetime
    actor: str
    actor_kind: str
    actor_id: UUID | None
    role: str
    action: str
    path: str
    status: int | None
    detail: dict[str, Any]
    address: str
    request_id: str
