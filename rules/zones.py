"""The recipient's own clock: which time zones a phone number may be in, and when it is quiet for all of them.

A mobile tells its country, seldom its place. Where a country has several zones the strictest counts: quiet in any of
them is quiet. Only where mobiles belong to a region (North America, Brazil, Mexico, …) the area code narrows it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import PhoneNumber
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_geographical_number

from rules.quota import quiet_until

_REGIONAL: Final = frozenset([1, 52, 54, 55, 62, 86])
"""Calling codes whose mobile prefixes tell a region, as phonenumbers has it."""
_PREFIX: Final = 8
"""Digits after the calling code that its table of zones may look at."""

_LONGEST: Final = timedelta(hours=26)
"""If it is never open within a day, the longest that clock changes make, it never is."""


def zones(phone: str) -> tuple[str, ...]:
    """Return the time zones (IANA names) a number in E.164 may be in; none where its country is not known.

    >>> zones("+33199001234"), zones("+34600000000"), zones("+12025550123"), zones("+881612345678")
    (('Europe/Paris',), ('Atlantic/Canary', 'Europe/Madrid'), ('America/New_York',), ())
    """
    code = _calling_code(phone[1:4])
    if code is None:
        return ()
    national = phone[1 + len(str(code)) :]
    if code in _REGIONAL:
        return _table(code, national[:_PREFIX])
    return _table(code, "7" if code == 7 and national[:1] == "7" else "")  # Kazakhstan has a share of Russia's code


def quiet_for(now: datetime, phone: str, quiet: str, otherwise: str = "UTC") -> datetime | None:
    """Return when the quiet hours that ``now`` lies in end for this recipient (UTC): when it is quiet in none of its
    zones; None outside them.

    ``quiet`` is like ``21:00-08:00``, empty for none (raises BadQuietHours). ``otherwise``: the zone of a number
    whose country is not known. Where a country is so wide that it is always quiet somewhere, its middle zone counts.

    >>> quiet_for(datetime(2026, 5, 4, 19, 30, tzinfo=UTC), "+33199001234", "21:00-08:00")
    datetime.datetime(2026, 5, 5, 6, 0, tzinfo=datetime.timezone.utc)
    >>> quiet_for(datetime(2026, 5, 4, 19, 30, tzinfo=UTC), "+12025550123", "21:00-08:00") is None
    True
    """
    if not quiet:
        return None
    return _quiet_in(zones(phone) or (otherwise,), quiet, now.astimezone(UTC).replace(second=0, microsecond=0))


@lru_cache(maxsize=1024)
def _calling_code(digits: str) -> int | None:
    """Return the calling code that a number begins with, by its first three digits."""
    codes = (int(digits[:length]) for length in (1, 2, 3) if digits[:length].isdecimal())
    return next((code for code in codes if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), None)


@lru_cache(maxsize=65536)
def _table(code: int, national: str) -> tuple[str, ...]:
    """Return the zones of a whole country, or of the region that a prefix belongs to."""
    number = PhoneNumber(country_code=code, national_number=int(national or 0))
    found = time_zones_for_geographical_number(number)
    return () if found == (UNKNOWN_TIMEZONE,) else found


@lru_cache(maxsize=8192)
def _quiet_in(places: tuple[str, ...], quiet: str, minute: datetime) -> datetime | None:
    """Return when it is quiet in none of the places, asked for a whole minute: quiet hours change on none but those."""
    until = minute
    while until - minute < _LONGEST:
        ends = [end for place in places if (end := quiet_until(until, place, quiet)) is not None]
        if not ends:
            return until if until > minute else None
        until = max(ends)
    return _quiet_in((_middle(places, minute),), quiet, minute)


def _middle(places: tuple[str, ...], now: datetime) -> str:
    by_offset = sorted(places, key=lambda place: (now.astimezone(ZoneInfo(place)).utcoffset(), place))
    return by_offset[len(by_offset) // 2]
