"""Run-time configuration: the pacing settings that may change without a deployment, and every one in force."""

from __future__ import annotations

import typing
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from litestar import Router, get, patch
from litestar.params import JSONBody

import settings
from models import pace, pool
from models.queries import from_json, json_text, sql
from models.tuned import TUNABLE
from rules.pacing import OutOfBounds, resolve
from web.auth import who
from web.problems import Problem
from web.wire.config import SettingInForce

if TYPE_CHECKING:
    from models.pool import Conn

_SHOWN = (
    *pace.LAYER_FIELDS, *TUNABLE, "CAREFUL_QUIET_HOURS", "DAILY_MESSAGE_LIMIT", "MESSAGE_2_ALLOWANCE",
    "QUOTA_EXHAUSTED", "QUIET_HOURS", "MONTHLY_NO_REPLY_CAP", "MAX_RETRY_ATTEMPTS", "RETRY_BASE_DELAY_SECONDS",
    "REPLY_WINDOW_HOURS", "CAMPAIGN_SAFETY_TIMEOUT_HOURS", "REPLY_GAP_SECONDS", "TIME_SCALE",
)  # fmt: skip
_CHANGEABLE = (*pace.LAYER_FIELDS, *TUNABLE)
_FIELDS = {f.name.upper(): f for f in fields(settings.Settings)}
_KINDS = {name.upper(): kind for name, kind in typing.get_type_hints(settings.Settings).items()}


@get()
async def shown() -> dict[str, SettingInForce]:
    """Return every pacing and quota setting in force, who named it, and what it may be."""
    async with pool.connection() as conn:
        return await _in_force(conn)


@patch()
async def change(data: JSONBody[dict[str, Any]]) -> dict[str, SettingInForce]:
    """Change settings by name, e.g. ``{"WASSENGER_BATCH_SIZE": 50}``; null goes back to the environment's value.

    Counts from the next batch on. 400 for a name that is no setting or cannot change at run time, 422 out of range.
    """
    for name in data:
        _refuse_unknown(name)
    async with pool.transaction() as conn:
        for name, value in data.items():
            if value is None:
                await sql.unset_setting(conn, key=name)
            else:
                _refuse_bad(name, value)
                await sql.change_setting(conn, key=name, value=json_text(value), by=who())
        try:
            resolve(pace.environment(), await pace.configuration(conn))
        except (OutOfBounds, ValueError) as error:
            raise Problem(422, "out_of_range", str(error)) from None
        return await _in_force(conn)


router = Router("/config", route_handlers=[shown, change], tags=["configuration"])


def _refuse_unknown(name: str) -> None:
    if name in _CHANGEABLE:
        return
    changeable = ", ".join(_CHANGEABLE)
    what = "is set in the environment" if name in _FIELDS else "is no setting"
    raise Problem(400, "unknown_setting", f"{name[:60]} {what}: what can be changed here is {changeable}")


def _refuse_bad(name: str, value: object) -> None:
    """Refuse a value of the wrong kind or outside the setting's own bounds."""
    allowed, bounds = _allowed(name), _FIELDS[name].metadata["bounds"]
    if allowed is not None:
        if value not in allowed:
            raise Problem(422, "out_of_range", f"{name} is one of {', '.join(allowed)}")
        return
    whole = _KINDS[name] is int
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        raise Problem(422, "out_of_range", f"{name} is a {'whole ' if whole else ''}number")
    if not bounds[0] <= value <= bounds[1]:
        raise Problem(422, "out_of_range", f"{name}={value:g} is out of range: {bounds[0]:g} to {bounds[1]:g}")


def _allowed(name: str) -> list[str] | None:
    kind = _KINDS[name]
    return list(typing.get_args(kind)) if typing.get_origin(kind) is typing.Literal else None


async def _in_force(conn: Conn) -> dict[str, SettingInForce]:
    changed = {row["key"]: from_json(row["value"]) for row in await sql.settings_set(conn)}
    told: dict[str, SettingInForce] = {}
    for name in _SHOWN:
        field = _FIELDS[name]
        bounds = field.metadata["bounds"]
        told[name] = SettingInForce(
            value=changed.get(name, getattr(settings.get(), field.name)),
            source="configuration" if name in changed else "environment",
            bounds=list(bounds) if bounds else None,
            allowed=_allowed(name),
            description=field.metadata["sentence"],
            changeable=name in _CHANGEABLE,
        )
    return told
