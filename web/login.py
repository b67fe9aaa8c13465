"""Log in, log out, who am I, another password."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog
from litestar import Request, Response, Router, get, post
from litestar.params import JSONBody

import settings
from models import credentials, pool
from models.queries import sql
from rules.accounts import BadAccount, check_password
from rules.accounts import email as as_kept
from web import audit, sessions
from web.address import client_of
from web.auth import Principal, current
from web.limits import too_many
from web.problems import Problem
from web.wire.accounts import LogIn, Me, PasswordChange

if TYPE_CHECKING:
    from uuid import UUID

    from models.pool import Conn

log = structlog.get_logger()


@dataclass(frozen=True)
class Allowance:
    """So many attempts at once, then one every so many seconds, for whoever shares the key."""

    key: str
    burst: int
    every: float


@post("/login", status_code=200)
async def log_in(request: Request[Any, Any, Any], data: JSONBody[LogIn]) -> Response[Me]:
    """Begin a session; the answer sets its cookie. An e-mail nobody has and a wrong password are the same 401.

    A page of another site is a 403.

    After some failures in a row further attempts are a 429, for that e-mail from that address, that e-mail, and that
    address; a log-in that succeeds is not counted.
    """
    email = _usable(data.email)
    allowances = _allowances(email, client_of(request.scope))
    async with pool.connection() as conn:
        await _take(conn, allowances)
        user = await sql.user_of_email(conn, email=email)
    known = user is not None and user["disabled_at"] is None
    right = await credentials.matches(data.password, user["password_hash"] if user else None) and known
    # An unknown e-mail is not written down: people type their password there.
    await audit.begin(
        request.scope,
        actor=email if user else "unknown e-mail",
        kind="user" if right else "nobody",
        actor_id=user["id"] if user else None,
        role=user["role"] if right else "",
    )
    if not right:
        raise Problem(401, "wrong_credentials", "the e-mail or the password is wrong")
    if credentials.outdated(user["password_hash"]):
        stronger = await credentials.hash_password(data.password)
        async with pool.connection() as conn:
            await sql.change_password(conn, user=user["id"], password_hash=stronger)
    return await _session(request, user["id"], allowances)


@post("/logout", status_code=204)
async def log_out(request: Request[Any, Any, Any]) -> Response[None]:
    """End this session. With an API key nothing ends: revoke it at DELETE /api/keys/{key_id}."""
    if (session := current().session) is not None:
        async with pool.connection() as conn:
            await sql.end_session(conn, token=session)
    response: Response[None] = Response(None, status_code=204)
    sessions.forget(response)
    return response


@get("/me")
async def me() -> Me:
    """Say who is asking, and what they may do."""
    return _shown(current())


@post("/password", status_code=200)
async def change_password(request: Request[Any, Any, Any], data: JSONBody[PasswordChange]) -> Response[Me]:
    """Set one's own password. Every log-in of this person ends; the answer sets the cookie of a new one."""
    principal = current()
    if principal.kind != "user" or principal.user is None:
        raise Problem(403, "needs_log_in", "only a person who is logged in has a password")
    allowances = _allowances(principal.name, client_of(request.scope))
    async with pool.connection() as conn:
        await _take(conn, allowances)
        kept = await sql.password_of_user(conn, user=principal.user)
    if not await credentials.matches(data.current_password, kept):
        raise Problem(422, "wrong_password", "current_password is wrong")
    refuse_weak(data.new_password, principal.name)
    hashed = await credentials.hash_password(data.new_password)
    async with pool.transaction() as conn:
        await sql.change_password(conn, user=principal.user, password_hash=hashed)
        await sql.end_sessions(conn, user=principal.user)
    return await _session(request, principal.user, allowances)


router = Router("/auth", route_handlers=[log_in, log_out, me, change_password], tags=["accounts"])


def refuse_weak(password: str, email: str) -> None:
    """Raise the 422 that says why a password cannot be used."""
    try:
        check_password(password, email)
    except BadAccount as error:
        raise Problem(422, "bad_password", str(error)) from None


def _usable(raw: str) -> str:
    """Return an e-mail as it is kept; what is none belongs to nobody."""
    try:
        return as_kept(raw)
    except BadAccount:
        return "@"


def _allowances(email: str, address: str) -> list[Allowance]:
    """Say what an attempt is counted against, in this order: what one refuses is not charged to the next.

    So one address fills no table with e-mails it makes up, and somebody who guesses from one place locks nobody out.
    """
    burst = settings.get().login_attempts
    return [
        Allowance(_key("address", address), burst * 5, 10.0),
        Allowance(_key("from", email, address), burst, 60.0),
        Allowance(_key("email", email), burst * 5, 30.0),
    ]


def _key(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode(errors="surrogatepass")).hexdigest()


async def _take(conn: Conn, allowances: list[Allowance]) -> None:
    """Take an attempt before it is made, so that a thousand at once are no more than one after the other."""
    for one in allowances:
        seconds = await sql.take_attempt(conn, key=one.key, burst=one.burst, every=one.every)
        if seconds is not None:
            raise too_many(seconds)


async def _session(request: Request[Any, Any, Any], user: UUID, allowances: list[Allowance]) -> Response[Me]:
    """Begin a session and give back the attempt: it was no failure."""
    response: Response[Any] = Response(None, status_code=200)
    async with pool.transaction() as conn:
        by_address, narrow, by_email = allowances
        await sql.forget_attempts(conn, key=narrow.key)
        for one in (by_address, by_email):
            await sql.give_back_attempt(conn, key=one.key, every=one.every)
        session = await sessions.begin(conn, request, response, user)
        row = await sql.session_principal(
            conn,
            token=session,
            idle=settings.get().session_idle_hours * 3600,
            longest=settings.get().session_max_hours * 3600,
        )
    async with pool.connection() as conn:
        await sql.forget_old_attempts(conn)
    if row is None:
        raise Problem(401, "wrong_credentials", "the account was disabled just now")
    response.content = _shown(
        Principal(
            kind="user",
            id=user,
            name=row["email"],
            role=row["role"],
            user=user,
            session=session,
            session_ends_at=row["ends_at"],
        )
    )
    return response


def _shown(principal: Principal) -> Me:
    return Me(
        kind=principal.kind,
        name=principal.name,
        role=principal.role,
        user_id=principal.user,
        areas=None if principal.areas is None else list(principal.areas),
        csrf_token=None if principal.session is None else sessions.csrf_token(principal.session),
        session_ends_at=principal.session_ends_at,
    )
