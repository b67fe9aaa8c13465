"""``user`` and ``key``: who may come in. Making one opens the database itself: there may be nobody yet to ask."""

from __future__ import annotations

import asyncio
import getpass
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import asyncpg
import click

import settings
from cli.place import know_settings
from cli.rest import Refused, Rest
from cli.terminal import as_json, clock, console, table
from models import credentials, pool
from models.queries import json_text, sql
from rules import accounts
from rules.roles import Role

if TYPE_CHECKING:
    from asyncpg import Connection, Record

ROLES = click.Choice([role.value for role in Role])
from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
wants_json = click.option("--json", "wants_json", is_flag=True, help="Print JSON.")


@click.group("user")
def user() -> None:
    """People who may log in: create, list, password."""


@user.command("create")
@click.argument("email")
@click.option("--role", type=ROLES, default=Role.ADMIN.value, show_default=True)
@click.option("--name", default="", help="How they are called.")
@from_stdin
def create_user(email: str, role: str, name: str, password_stdin: bool) -> None:
    """Let EMAIL log in. Works without the service; the password is asked for, never an argument."""
    email = _email(email)
    password = _password(email, password_stdin)

    async def made(conn: Connection[Record]) -> bool:
        hashed = await credentials.hash_password(password)
        new = await sql.add_user(conn, email=email, name=name, role=role, password_hash=hashed)
        if new:
            await _write_down(conn, "user create", {"email": email, "role": role})
        return new is not None

    if not _in_database(made):
        raise Refused(f"{email} exists already: bin/relance user password {email} sets another password")
    console().print(f"{email} may log in as {role}")


@user.command("password")
@click.argument("email")
@from_stdin
def set_password(email: str, password_stdin: bool) -> None:
    """Set another password for EMAIL; every log-in of theirs ends. Works without the service."""
    email = _email(email)
    password = _password(email, password_stdin)

    async def changed(conn: Connection[Record]) -> bool:
        known = await sql.user_of_email(conn, email=email)
        if known is None:
            return False
        hashed = await credentials.hash_password(password)
        async with conn.transaction():
            await sql.change_password(conn, user=known["id"], password_hash=hashed)
            await sql.end_sessions(conn, user=known["id"])
            await _write_down(conn, "user password", {"email": email})
        return True

    if not _in_database(changed):
        raise Refused(f"nobody has the e-mail {email}: bin/relance user create {email}")
    console().print(f"{email} has another password; every log-in has ended")


@user.command("list")
@wants_json
@click.pass_obj
def list_users(rest: Rest, wants_json: bool) -> None:
    """List the people who may log in."""
    found = list(rest.items("/api/users"))
    if wants_json:
        as_json(found)
        return
    rows = [
        (one["email"], one["role"], "disabled" if one["disabled_at"] else "", clock(one["last_login_at"]))
        for one in found
    ]
    console().print(table(("e-mail", "role", "", "last log-in"), rows))


@click.group("key")
def key() -> None:
    """API keys for programs: create, list, revoke."""


@key.command("create")
@click.argument("name")
@click.option("--role", type=ROLES, default=Role.OPERATOR.value, show_default=True)
@click.option("--for", "owner", help="E-mail of the person it belongs to: it ends with them.")
@click.option("--area", "areas", multiple=True, help="It reaches only this first word below /api; may be repeated.")
@click.option("--expires-in-days", type=click.IntRange(1, 3650), help="Without it the key lasts until revoked.")
def create_key(name: str, role: str, owner: str | None, areas: tuple[str, ...], expires_in_days: int | None) -> None:
    """Make an API key called NAME and print it, this once. Works without the service."""
    _check_areas(areas)
    new = credentials.NewKey()

    async def made(conn: Connection[Record]) -> bool:
        person = await sql.user_of_email(conn, email=_email(owner)) if owner else None
        if owner and person is None:
            return False
        row = await sql.add_key(
            conn,
            name=name,
            prefix=new.prefix,
            hash=new.hash,
            role=role,
            areas=list(areas) or None,
            owner=person["id"] if person else None,
            by=_operator(),
            days=expires_in_days,
        )
        await _write_down(conn, "key create", {"key": str(row["id"]), "name": name, "role": role})
        return True

    if not _in_database(made):
        raise Refused(f"nobody has the e-mail {owner}")
    sys.stdout.write(new.text + "\n")
    click.echo("Keep it now: it is not shown again.", err=True)


@key.command("list")
@wants_json
@click.pass_obj
def list_keys(rest: Rest, wants_json: bool) -> None:
    """List the keys, without their secrets."""
    found = list(rest.items("/api/keys"))
    if wants_json:
        as_json(found)
        return
    rows = [
        (
            f"{one['prefix']}…",
            one["name"],
            one["role"],
            "revoked" if one["revoked_at"] else "",
            clock(one["last_used_at"]),
        )
        for one in found
    ]
    console().print(table(("key", "name", "role", "", "last used"), rows))


@key.command("revoke")
@click.argument("which")
@click.pass_obj
def revoke_key(rest: Rest, which: str) -> None:
    """Revoke the key whose name, or whose beginning, is WHICH."""
    found = [one for one in rest.items("/api/keys") if not one["revoked_at"]]
    same = [one for one in found if which in (one["name"], one["prefix"])]
    if len(same) != 1:
        raise Refused(f"{'no key is' if not same else 'several keys are'} called {which!r}: bin/relance key list")
    rest.delete(f"/api/keys/{same[0]['id']}")
    console().print(f"{same[0]['name']}: revoked")


def _email(given: str) -> str:
    try:
        return accounts.email(given)
    except accounts.BadAccount as error:
        raise click.BadParameter(str(error)) from None


def _check_areas(given: tuple[str, ...]) -> None:
    """Refuse a word that no address begins with: a key that reaches nothing would be found out at night."""
    if not given:
        return
    know_settings()
    # Here, not above: the routing table costs every other command a second.
    from web.app import routing
    from web.keys import areas

    known = areas(routing())
    if unknown := sorted(set(given) - known):
        raise Refused(f"{', '.join(unknown)} is no area: there are {', '.join(sorted(known))}")


def _password(email: str, from_stdin: bool) -> str:
    password: str = (
        sys.stdin.readline().rstrip("\n")
        if from_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    try:
        accounts.check_password(password, email)
    except accounts.BadAccount as error:
        raise Refused(str(error)) from None
    return password


def _in_database(work: Callable[[Connection[Record]], Awaitable[bool]]) -> bool:
    """Run something on a connection of its own; every reason why it cannot becomes one sentence."""
    know_settings()

    async def run() -> bool:
        conn = await pool.connect()
        try:
            return await work(conn)
        finally:
            await conn.close()

    try:
        return asyncio.run(run())
    except settings.BadSettings as error:
        raise Refused(f"the settings cannot be used:\n{error}") from None
    except asyncpg.UndefinedTableError:
        raise Refused("the database is older than this program: run python -m models.migrate") from None
    except (*pool.UNAVAILABLE, asyncpg.PostgresError) as error:
        raise Refused(f"the database cannot be used ({type(error).__name__}): check DATABASE_URL") from None


async def _write_down(conn: Connection[Record], action: str, detail: dict[str, Any]) -> None:
    await sql.add_audit(
        conn,
        actor=_operator(),
        kind="command",
        actor_id=None,
        role=Role.ADMIN,
        action=f"bin/relance {action}",
        path="",
        status=200,
        detail=json_text(detail),
        address=socket.gethostname(),
        request_id="",
    )


def _operator() -> str:
    """Name who sits at the terminal, as the machine knows them."""
    try:
        return f"{getpass.getuser()} at a terminal"
    except (OSError, KeyError):
        return "somebody at a terminal"
