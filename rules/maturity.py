"""Is a number mature enough for the faster delay? Computed from what it did, shown with its reasons, overridable.

Nobody outside WhatsApp knows the true thresholds; each default names whose experience it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What a mature number has behind it. Rates are shares, judged over the recent past."""

    age: timedelta = timedelta(days=28)
    """Registered and linked "for weeks": public ramps end after two (pragmaz) to four weeks (wapower's stages)."""
    sent: int = 500
    """Messages that left it, replies included: about what the slow ramps (whapi.cloud: ≤ 50 new a day) reach."""
    failure_rate: float = 0.03
    """Failures must stay below it: the gate of every stage of wapower's ramp."""
    reply_rate: float = 0.25
    """At least so many of the people written to answer; whapi.cloud asks for more than 30 %, wapower for 25 to 30 %."""
    least: int = 20
    """Attempts, and conversations, that a rate is judged from; below, it is not known (our own choice)."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What one number did.

    ``first_used_at``: its first use, before this service too, if anyone knows. ``sent``: messages that ever left it.
    ``attempts`` and ``failed``: its last settled ones. ``opened`` and ``answered``: its last conversations whose reply
    window has ended: an open one is neither silent nor answered yet.
    """

    first_used_at: datetime | None
    sent: int
    attempts: int
    failed: int
    opened: int
    answered: int


@dataclass(frozen=True)
class Maturity:
    """Whether the number counts as mature, each reason in a sentence, and which of them it still lacks.

    ``computed`` is what the facts alone say; a person's override may differ from it.
    """

    mature: bool
    computed: bool
    reasons: tuple[str, ...]
    missing: tuple[str, ...]


def judge(facts: Facts, now: datetime, thresholds: Thresholds = Thresholds(), override: bool | None = None) -> Maturity:
    """Judge a number. ``override``: a person's word, True or False; None leaves it to the facts.

    >>> from datetime import UTC
    >>> now = datetime(2026, 3, 1, tzinfo=UTC)
    >>> used = now - timedelta(days=60)
    >>> facts = Facts(first_used_at=used, sent=4000, attempts=100, failed=1, opened=100, answered=12)
    >>> judged = judge(facts, now)
    >>> judged.mature, judged.missing
    (False, ('12.0 % of the last 100 people written to answered: at least 25.0 % are needed.',))
    >>> judge(facts, now, override=True).mature
    True
    """
    tests = (
        _age(facts, now, thresholds),
        _sent(facts, thresholds),
        _failures(facts, thresholds),
        _replies(facts, thresholds),
    )
    missing = tuple(sentence for holds, sentence in tests if not holds)
    reasons = tuple(sentence for _, sentence in tests)
    computed = not missing
    if override is None:
        return Maturity(computed, computed, reasons, missing)
    word = "mature" if override else "not mature"
    said = f"A person declared this number {word}" + (".", "; its figures say otherwise.")[override != computed]
    return Maturity(override, computed, (said, *reasons), missing)


def _age(facts: Facts, now: datetime, thresholds: Thresholds) -> tuple[bool, str]:
    needed = thresholds.age.days
    if facts.first_used_at is None:
        return False, f"Nobody knows since when it is used: {needed} days are needed."
    age = now - facts.first_used_at
    used = f"It is used for {max(0, age.days)} days"
    return (True, f"{used}.") if age >= thresholds.age else (False, f"{used}: {needed} are needed.")


def _sent(facts: Facts, thresholds: Thresholds) -> tuple[bool, str]:
    sent = f"{facts.sent} messages left it"
    if facts.sent >= thresholds.sent:
        return True, f"{sent}."
    return False, f"{sent}: {thresholds.sent} are needed."


def _failures(facts: Facts, thresholds: Thresholds) -> tuple[bool, str]:
    if facts.attempts < thresholds.least:
        return False, f"Only {facts.attempts} recent attempts: failures are judged from {thresholds.least} on."
    rate = facts.failed / facts.attempts
    failed = f"{_percent(rate)} of the last {facts.attempts} attempts failed"
    if rate < thresholds.failure_rate:
        return True, f"{failed}."
    return False, f"{failed}: it must be less than {_percent(thresholds.failure_rate)}."


def _replies(facts: Facts, thresholds: Thresholds) -> tuple[bool, str]:
    if facts.opened < thresholds.least:
        return False, f"Only {facts.opened} conversations have ended: replies are judged from {thresholds.least} on."
    rate = facts.answered / facts.opened
    answered = f"{_percent(rate)} of the last {facts.opened} people written to answered"
    if rate >= thresholds.reply_rate:
        return True, f"{answered}."
    return False, f"{answered}: at least {_percent(thresholds.reply_rate)} are needed."


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
