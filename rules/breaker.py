"""What failures do to the pace: the error rate, the slower delay, the stop, and the wait before a retry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rules.pacing import PROFILES, ProfileName
from rules.reachout import is_timelock

COUNTED: Final = frozenset({"refused", "never_left", "reported", "expired"})
"""Error classes of a failed attempt. Never: rate_limited, unknown and absent (nobody knows, or nothing happened),
fenced and sender_stopped (not the message's fault), quota, text and safety_timeout (the gateway was not even asked)."""

_NO_SUCH_NUMBER = re.compile(
    r"phone:invalid|invalid[ _-](?:phone|number|recipient)|(?:phone|number)(?: is)? (?:invalid|not valid)\b"
    r"|not (?:registered )?(?:on|using|a(?: valid)?|have) whatsapp|no whatsapp (?:account|user)"
    r"|\"?exists\"?: ?false|\b131026\b",
    re.IGNORECASE,
)


class Kind(StrEnum):
    """What one attempt that did not go well says."""

    NOT_COUNTED = "not counted"
    """Nothing about the campaign: it is in doubt, was held back, or not asked of the gateway."""
    FAILED = "failed"
    """It failed. Counts in the error rate."""
    INVALID_NUMBER = "invalid number"
    """Nobody has this number. Counts in the error rate and in a rate of its own."""
    REACH_OUT = "reach-out lock"
    """A new chat was refused because the number may open none for now (``rules.reachout``). Counts in the error rate
    that is shown, but in no breaker: its remedy is to pause new conversations, not the campaign."""


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """The last settled Message 1 attempts of a campaign since its last resume, and how they went; those that met a
    reach-out lock left out."""

    settled: int
    failed: int
    invalid: int = 0


@dataclass(frozen=True)
class Probe:
    """Where the probe after a resume stands. ``why``: pause again, for this reason. ``room``: so many more may be
    promised before it is judged; None: no bound, it is over."""

    why: str | None
    room: int | None


@dataclass(frozen=True)
class Adjustment:
    """The mean delay (seconds) of the next batch, the error rate it was judged by, and why it is so, in words."""

    delay: float
    error_rate: float
    reason: str


def error_rate(sent: int, failed: int) -> float:
    """Return the share of settled attempts that failed; 0 while there are none.

    >>> error_rate(95, 5), error_rate(0, 0)
    (0.05, 0.0)
    """
    settled = sent + failed
    return failed / settled if settled else 0.0


def adjust(
    base: float,
    profile: ProfileName,
    failed: int,
    settled: int,
    threshold: float,
    factor: float,
    least: int = 20,
) -> Adjustment:
    """Return the delay of the next batch: ``base``, or ``base · factor`` while the error rate is above ``threshold``.

    ``failed`` of the last ``settled`` attempts failed. Never beyond the profile's longest delay, and ``base``
    below ``least`` settled attempts.

    >>> adjust(3, "standard", failed=6, settled=100, threshold=0.05, factor=1.5).delay
    4.5
    >>> adjust(8, "standard", failed=6, settled=100, threshold=0.05, factor=1.5).reason
    'error rate 6.0 % is above 5.0 %: delay × 1.5, capped at 10 s'
    """
    rate = error_rate(settled - failed, failed)
    if settled < least:
        return Adjustment(base, rate, f"base delay: {settled} attempts settled, judged from {least} on")
    if rate <= threshold:
        return Adjustment(base, rate, f"base delay: error rate {_percent(rate)} is not above {_percent(threshold)}")
    most = PROFILES[profile].delay.most
    slower = base * factor
    capped = f", capped at {most:g} s" if slower > most else ""
    reason = f"error rate {_percent(rate)} is above {_percent(threshold)}: delay × {factor:g}{capped}"
    return Adjustment(min(slower, most), rate, reason)


def breaker(failed: int, settled: int, threshold: float, least: int = 10, what: str = "error rate") -> str | None:
    """Return why the campaign must pause, or None while it may go on.

    >>> breaker(failed=3, settled=10, threshold=0.2)
    'error rate 30.0 % (3 of 10) is above 20.0 %'
    >>> breaker(failed=9, settled=9, threshold=0.2) is None
    True
    """
    rate = error_rate(settled - failed, failed)
    if settled < least or rate <= threshold:
        return None
    return f"{what} {_percent(rate)} ({failed} of {settled}) is above {_percent(threshold)}"


def kind(error_class: str | None, error_text: str | None = None, *, new_chat: bool = False) -> Kind:
    """Return what a failed or given-back attempt counts as, by the class and text stored with it.

    ``new_chat``: the contact had never been in touch with this number before. Known chats keep working under a
    reach-out lock, so there the same words are a plain failure.

    >>> kind("refused", "refused by the gateway: HTTP 400: not valid (phone:invalid)").value
    'invalid number'
    >>> kind("never_left", "no connection").value, kind("rate_limited", "HTTP 429: slow down").value
    ('failed', 'not counted')
    """
    if error_class not in COUNTED:
        return Kind.NOT_COUNTED
    if error_class in ("refused", "reported") and error_text and _NO_SUCH_NUMBER.search(error_text):
        return Kind.INVALID_NUMBER
    return Kind.REACH_OUT if new_chat and is_timelock(error_text) else Kind.FAILED


def invalid_numbers(invalid: int, settled: int, threshold: float, least: int = 10) -> str | None:
    """Return why too many numbers do not exist for the campaign to go on, with what to do; None while it may.

    >>> invalid_numbers(invalid=4, settled=12, threshold=0.2)
    'invalid numbers 33.3 % (4 of 12) is above 20.0 %: clean the list before going on'
    """
    why = breaker(invalid, settled, threshold, least, what="invalid numbers")
    return f"{why}: clean the list before going on" if why else None


def must_pause(attempts: Attempts, *, errors: float, invalid: float, least: int = 10) -> str | None:
    """Return why a campaign must pause, by both breakers; the one that names the remedy speaks first.

    ``errors`` and ``invalid`` are their thresholds.

    >>> must_pause(Attempts(settled=10, failed=3, invalid=1), errors=0.2, invalid=0.2)
    'error rate 30.0 % (3 of 10) is above 20.0 %'
    >>> must_pause(Attempts(settled=10, failed=3, invalid=3), errors=0.2, invalid=0.2)
    'invalid numbers 30.0 % (3 of 10) is above 20.0 %: clean the list before going on'
    """
    return invalid_numbers(attempts.invalid, attempts.settled, invalid, least) or breaker(
        attempts.failed, attempts.settled, errors, least
    )


def probe(since_resume: Sequence[bool | None], size: int = 5, failures: int = 2, least: int = 10) -> Probe:
    """Judge the first attempts after a resume: a person said go on, and the breaker has too few of them to judge.

    ``since_resume``: the attempts in the order they were promised, at least the first ``least`` of them: True failed,
    False accepted, None still open. Leave out those in doubt, which may stay so. Two failures among the first five
    pause again; a failure reported late counts as long as the breaker's own sample (``least``) is not there.

    >>> probe([False, True, False, True]).why
    '2 of the first 4 attempts after the resume failed'
    >>> probe([False, None]).room, probe([False, True, False, False, False]).room is None
    (3, True)
    """
    first = since_resume[:size]
    failed, settled = sum(outcome is True for outcome in first), sum(outcome is not None for outcome in first)
    judged = sum(outcome is not None for outcome in since_resume) < least
    if judged and failed >= failures:
        return Probe(f"{failed} of the first {settled} attempts after the resume failed", 0)
    over = settled >= size or not judged
    return Probe(None, None if over else size - len(first))


def may_retry(attempt: int, max_retries: int) -> bool:
    """Whether a message whose ``attempt``-th try (the first is 1) never left may be tried again.

    >>> [may_retry(attempt, max_retries=3) for attempt in (1, 2, 3, 4)]
    [True, True, True, False]
    """
    return attempt <= max_retries


def backoff(base: float, retry: int) -> float:
    """Return the seconds to wait before the ``retry``-th retry (the first is 1).

    >>> [backoff(60, retry) for retry in (1, 2, 3)]
    [60, 120, 240]
    """
    if retry < 1:
        raise ValueError(f"retry={retry}: retries are counted from 1")
    return base * (1 << (retry - 1))


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
