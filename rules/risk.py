"""What the chosen pace risks, in plain words, for the preview of a launch; and what to take instead.

Nobody but WhatsApp knows its limits: every threshold here is what operators and vendors report, and says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rules.pacing import Pace, ProfileName

CALM_PER_HOUR: Final = 30
"""Messages an hour to strangers that whapi.cloud advises."""
BRISK_PER_HOUR: Final = 100
"""From here to 200 an hour MoltFlow calls it risky even for established numbers."""
LEAST_JITTER: Final = 0.1
"""Gaps that vary less look fixed, and fixed gaps are the signal (WAHA)."""
REPLY_RATE: Final = 0.25
"""Fewer replies than that look like spam (wapower; whapi.cloud says 30 %)."""


class Level(StrEnum):
    """How likely the number is to be restricted, as far as anyone can tell."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is about to be launched. ``messages`` of Message 1, of them ``new`` to people never written to by this
    number. ``new_cap``: new conversations a day that warm-up would allow it now. ``own_api``: the gateway is WhatsApp's
    own. ``quiet``: quiet hours are set. ``reply_rate``: a share, None while too few were asked to tell."""

    pace: Pace
    messages: int
    new: int
    new_cap: int
    mature: bool
    age_days: int | None = None
    own_api: bool = False
    quiet: bool = False
    reply_rate: float | None = None


@dataclass(frozen=True)
class Proposal:
    """A profile to take instead, and why, with what it costs in time."""

    profile: ProfileName
    why: str


@dataclass(frozen=True)
class Risk:
    """The level, the sentences that lead to it (the gravest first), and a proposal if there is a better choice."""

    level: Level
    sentences: tuple[str, ...]
    proposal: Proposal | None


def per_hour(pace: Pace) -> float:
    """Return how many messages leave in an hour of steady sending, pauses included.

    >>> round(per_hour(Pace(delay=3, size=75, pause=30, jitter=0.25, profile="standard")))
    1059
    """
    return 3600 / (pace.delay + pace.pause / pace.size)


def judge(facts: Facts) -> Risk:
    """Judge a launch.

    >>> pace = Pace(delay=5, size=75, pause=30, jitter=0.25, profile="standard")
    >>> risk = judge(Facts(pace=pace, messages=800, new=800, new_cap=20, mature=False, age_days=2))
    >>> risk.level.value, risk.proposal.profile
    ('high', 'careful')
    >>> risk.sentences[0]
    '800 people would be written to for the first time; a number this young (2 days) should open about 20 a day.'
    """
    if facts.own_api:
        return Risk(
            Level.LOW, ("WhatsApp's own interface sets the limits: it slows down or refuses, and says why.",), None
        )
    found = sorted(_found(facts), key=lambda told: list(Level).index(told[0]), reverse=True)
    level = found[0][0] if found else Level.LOW
    sentences = [sentence for _, sentence in found] or ["Nothing about this pace is known to draw attention."]
    sentences.append(
        "This gateway is not WhatsApp's own: it breaches WhatsApp's terms, and a ban is possible at any pace."
    )
    return Risk(level, tuple(sentences), _proposal(facts))


def _found(facts: Facts) -> list[tuple[Level, str]]:
    """Return every reason for concern with its level."""
    return [
        told for told in (_newcomers(facts), _speed(facts), _rhythm(facts), _nights(facts), _replies(facts)) if told
    ]


def _newcomers(facts: Facts) -> tuple[Level, str] | None:
    if facts.new <= facts.new_cap:
        return None
    people = f"{facts.new} people would be written to for the first time"
    if facts.mature:
        return Level.MODERATE, f"{people}; even a mature number should open about {facts.new_cap} conversations a day."
    return Level.HIGH, f"{people}; a number this young{_aged(facts)} should open about {facts.new_cap} a day."


def _speed(facts: Facts) -> tuple[Level, str] | None:
    if facts.pace.profile == "official":
        many = f"{1 / facts.pace.delay:g} messages a second"
        return Level.HIGH, f"The official profile ({many}) is made for WhatsApp's own interface, not for this gateway."
    rate = per_hour(facts.pace)
    if rate <= CALM_PER_HOUR or facts.messages <= CALM_PER_HOUR:
        return None
    told = f"At this pace up to {min(facts.messages, round(rate))} messages leave within an hour"
    if rate > BRISK_PER_HOUR and facts.messages > BRISK_PER_HOUR:
        why = "operators report reviews from 100 to 200 on, even of established numbers"
        return Level.MODERATE if facts.mature else Level.HIGH, f"{told}; {why}."
    if facts.mature:
        return None
    return Level.MODERATE, f"{told}; about {CALM_PER_HOUR} are advised for a young number."


def _rhythm(facts: Facts) -> tuple[Level, str] | None:
    if facts.pace.jitter >= LEAST_JITTER or facts.messages <= CALM_PER_HOUR:
        return None
    return Level.MODERATE, "The gaps hardly vary: messages at fixed intervals are what gives a machine away."


def _nights(facts: Facts) -> tuple[Level, str] | None:
    hours = facts.messages / per_hour(facts.pace)
    if facts.quiet or hours < 8:
        return None
    return (
        Level.MODERATE,
        f"It sends for about {hours:.0f} hours and no quiet hours are set: people do not write all night.",
    )


def _replies(facts: Facts) -> tuple[Level, str] | None:
    if facts.reply_rate is None or facts.reply_rate >= REPLY_RATE:
        return None
    told = f"Only {facts.reply_rate * 100:.0f} % of the people this number wrote to answered"
    return Level.MODERATE, f"{told}: less than {REPLY_RATE * 100:.0f} % looks like spam."


def _proposal(facts: Facts) -> Proposal | None:
    """Propose the careful profile for a young number that would run faster."""
    if facts.mature or facts.pace.profile == "careful":
        return None
    days = math.ceil(facts.new / max(1, facts.new_cap))
    takes = f"{days} days at {facts.new_cap} new conversations a day, fewer as it earns more" if days > 1 else "a day"
    why = f"This number is young{_aged(facts)}: take the careful profile. "
    why += f"These {facts.messages} messages then take {takes}."
    return Proposal("careful", why)


def _aged(facts: Facts) -> str:
    return f" ({facts.age_days} days)" if facts.age_days is not None else ""
