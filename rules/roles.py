"""Who may do what: three roles, and one table that every route below ``/api`` is judged by.

A route that nobody named here is still guarded: reading takes a viewer, everything else an operator.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may do; each role may do what the ones before it may."""

    VIEWER = "viewer"
    """Sees everything of the campaigns, changes nothing."""
    OPERATOR = "operator"
    """Runs campaigns."""
    ADMIN = "admin"
    """Also decides who may come in, which numbers there are, and the settings."""

    def covers(self, other: Role) -> bool:
        """Say whether this role may do what ``other`` may.

        >>> Role.ADMIN.covers(Role.OPERATOR), Role.VIEWER.covers(Role.OPERATOR)
        (True, False)
        """
        return _RANK[self] >= _RANK[other]


_RANK = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True)
class Demand:
    """What a route asks for: a role (None: nobody has to log in), and whether an API key will do."""

    role: Role | None
    by_key: bool = True


_READ = "GET|HEAD"
_ANY = "GET|HEAD|POST|PUT|PATCH|DELETE"

RULE: tuple[tuple[str, str, Demand], ...] = (
    ("POST", r"/api/auth/login", Demand(None)),
    # One's own account. A password is changed by the person, in a session.
    ("POST", r"/api/auth/password", Demand(Role.VIEWER, by_key=False)),
    (_ANY, r"/api/auth/.*", Demand(Role.VIEWER)),
    # Who may come in. Not by an API key: a leaked one must not make its own successors.
    (_ANY, r"/api/users(/.*)?", Demand(Role.ADMIN, by_key=False)),
    (_ANY, r"/api/keys(/.*)?", Demand(Role.OPERATOR, by_key=False)),
    (_READ, r"/api/audit", Demand(Role.ADMIN)),
    # The numbers and the settings of the whole service.
    ("POST", r"/api/senders", Demand(Role.ADMIN)),
    ("PATCH", r"/api/senders/\{\w+\}", Demand(Role.ADMIN)),
    ("GET", r"/api/senders/\{\w+\}/checkup", Demand(Role.ADMIN)),
    ("POST", r"/api/senders/\{\w+\}/webhook", Demand(Role.ADMIN)),
    ("PATCH", r"/api/config", Demand(Role.ADMIN)),
    # A POST that only reads.
    ("POST", r"/api/campaigns/\{\w+\}/preview", Demand(Role.VIEWER)),
    (_READ, r"/api/.*", Demand(Role.VIEWER)),
    (_ANY, r"/api/.*", Demand(Role.OPERATOR)),
)
"""The rule, first match counts: methods, address as it is in the routing table (``{campaign_id}``), demand."""

NOBODY = Demand(Role.ADMIN, by_key=False)
"""What is asked for where the rule says nothing: the most."""


def demand(method: str, template: str) -> Demand:
    """Return what a route asks for.

    >>> demand("GET", "/api/campaigns").role, demand("POST", "/api/campaigns/{campaign_id}/send").role
    (<Role.VIEWER: 'viewer'>, <Role.OPERATOR: 'operator'>)
    """
    for methods, address, demanded in RULE:
        if re.fullmatch(methods, method) and re.fullmatch(address, template):
            return demanded
    return NOBODY


def area(template: str) -> str:
    """Return the part of the API an address belongs to: its first word below ``/api``.

    >>> area("/api/campaigns/{campaign_id}/send"), area("/api/pause-all")
    ('campaigns', 'pause-all')
    """
    return template.removeprefix("/api/").split("/", 1)[0]
