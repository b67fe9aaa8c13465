"""How fast a number may go: profiles and their bounds, whose word counts, and the gaps of a batch.

Precedence: environment < run-time configuration < sender < campaign; then maturity; adaptivity
(``rules.breaker``) comes last. All waits are seconds of real time; ``scaled`` shortens them for trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

ProfileName = Literal["standard", "careful", "official"]


class OutOfBounds(ValueError):
    """A pacing value outside its profile's range; the text names value, source and range."""


class Source(StrEnum):
    """Who said so, from the weakest to the strongest; the first four are layers, the others rules."""

    ENVIRONMENT = "environment"
    CONFIGURATION = "configuration"
    SENDER = "sender"
    CAMPAIGN = "campaign"
    PROFILE = "profile"
    MATURITY = "maturity"


@dataclass(frozen=True)
class Bounds:
    """An allowed range, ends included; ``usual`` applies where nobody names a value."""

    least: float
    most: float
    usual: float | None = None

    def hold(self, value: float) -> bool:
        """Whether the value is inside (not a number never is)."""
        return self.least <= value <= self.most

    def __str__(self) -> str:
        return f"{self.least:g} to {self.most:g}"


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Bounds of one way to pace: delay and pause in seconds, size in attempts.

    ``every_gap``: the delay's range holds for each single gap, not only for their mean.
    """

    name: ProfileName
    delay: Bounds
    size: Bounds
    pause: Bounds
    jitter: Bounds = Bounds(0, 0.9)
    every_gap: bool = False


RATE: Final = Bounds(1, 1000)
"""Messages per second of the official profile."""

PROFILES: Final[Mapping[ProfileName, Profile]] = {
    "standard": Profile(name="standard", delay=Bounds(2, 10), size=Bounds(25, 100), pause=Bounds(0, 3600)),
    "careful": Profile(
        name="careful",
        delay=Bounds(15, 45, usual=30),
        size=Bounds(15, 25, usual=20),
        pause=Bounds(600, 1500, usual=1050),
        every_gap=True,
    ),
    "official": Profile(
        name="official",
        delay=Bounds(1 / RATE.most, 1 / RATE.least),
        size=Bounds(25, 1000, usual=100),
        pause=Bounds(0, 0, usual=0),
    ),
}
"""What each profile allows, whoever asks; a value outside is refused, never bent."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """What one source says about pacing; None: nothing.

    A layer's delay, size and pause are meant for the profile in force at that layer, unless
    ``meant_for`` names one (the environment's are always the standard profile's): they count only if
    that profile is the one that is run. ``rate`` (messages per second) is always the official profile's.
    """

    source: Source
    profile: ProfileName | None = None
    delay: float | None = None
    size: int | None = None
    pause: float | None = None
    jitter: float | None = None
    rate: float | None = None
    meant_for: ProfileName | None = None


@dataclass(frozen=True, kw_only=True)
class Pace:
    """The pace in force: mean gap and pause in seconds, attempts per batch, jitter as a share of the gap.

    ``sources`` says for ``profile``, ``delay``, ``size``, ``pause`` and ``jitter`` who named it.
    """

    delay: float
    size: int
    pause: float
    jitter: float
    profile: ProfileName
    sources: Mapping[str, str] = field(default_factory=dict)


def resolve(*layers: Layer, mature: bool = False, mature_delay: float | None = None) -> Pace:
    """Return the pace that results from layers given weakest first, each value with its source.

    A mature number on the standard profile gets ``min(delay, mature_delay)`` unless the campaign names a
    delay. Raises OutOfBounds for a value outside its profile's range, and ValueError when nobody
    names a value that has no usual one.

    >>> env = Layer(source=Source.ENVIRONMENT, profile="standard", delay=5, size=75, pause=30, jitter=0.25)
    >>> pace = resolve(env, Layer(source=Source.CAMPAIGN, size=50), mature=True, mature_delay=3)
    >>> pace.delay, pace.size, pace.sources["delay"], pace.sources["size"]
    (3, 50, 'maturity', 'campaign')
    >>> resolve(env, Layer(source=Source.CAMPAIGN, delay=1))
    Traceback (most recent call last):
    rules.pacing.OutOfBounds: delay=1 (campaign) is out of range: the standard profile allows 2 to 10
    """
    name, chosen_by = _profile(layers)
    profile = PROFILES[name]
    meant = [layer for layer, meant_for in zip(layers, _meant_for(layers), strict=True) if meant_for == name]
    delay, delay_by = _delay(profile, layers, meant)
    if name == "standard" and mature and mature_delay is not None and delay_by is not Source.CAMPAIGN:
        _refuse(profile, "mature_delay", mature_delay, profile.delay, Source.MATURITY)
        if mature_delay < delay:
            delay, delay_by = mature_delay, Source.MATURITY
    size, size_by = _named(profile, "size", meant, profile.size)
    pause, pause_by = _named(profile, "pause", meant, profile.pause)
    jitter, jitter_by = _jitter(profile, delay, layers, meant)
    sources = {"profile": chosen_by, "delay": delay_by, "size": size_by, "pause": pause_by, "jitter": jitter_by}
    return Pace(
        delay=delay,
        size=int(size),
        pause=pause,
        jitter=jitter,
        profile=name,
        sources={what: source.value for what, source in sources.items()},
    )


def gaps(delay: float, size: int, jitter: float, draws: Sequence[float]) -> list[float]:
    """Draw the gaps of one batch: ``size`` seconds, each in ``delay · (1 ± jitter)``, mean exactly ``delay``.

    Stratified: one pair ``1 ± e`` from every slice of the jitter, shuffled, so that no gap repeats and
    the batch still lasts what was forecast. Uses the first ``size`` of ``draws``, each in [0, 1): the whole
    part of ``draw · k`` shuffles, what is left of it, independent, places a pair inside its slice.

    >>> [round(gap, 2) for gap in gaps(4, 4, 0.5, [0.9, 0.2, 0.7, 0.1])]
    [3.1, 2.6, 5.4, 4.9]
    """
    if len(draws) < size or not all(0 <= draw < 1 for draw in draws[:size]):
        raise ValueError(f"{size} gaps need {size} draws in [0, 1)")
    pairs = size // 2
    left = [draw * (i + 1) % 1 for i, draw in enumerate(draws[:size])]
    spreads = [jitter * (pair + left[pair]) / pairs for pair in range(pairs)]
    factors = [1 + side * spread for spread in spreads for side in (1, -1)] + [1.0] * (size % 2)
    for i in range(size - 1, 0, -1):
        j = int(draws[i] * (i + 1))
        factors[i], factors[j] = factors[j], factors[i]
    return [delay * factor for factor in factors]


def scaled(seconds: float, time_scale: float) -> float:
    """Shorten a paced wait for a trial against the simulator.

    >>> scaled(30, time_scale=20)
    1.5
    """
    return seconds / time_scale


def _profile(layers: Sequence[Layer]) -> tuple[ProfileName, Source]:
    for layer in reversed(layers):
        if layer.profile is not None:
            return layer.profile, layer.source
    raise ValueError("no layer names a pacing profile: the environment's always does")


def _meant_for(layers: Sequence[Layer]) -> list[ProfileName | None]:
    """Say for each layer which profile its numbers are about."""
    in_force: ProfileName | None = None
    meant: list[ProfileName | None] = []
    for layer in layers:
        in_force = layer.profile or in_force
        meant.append(layer.meant_for or in_force)
    return meant


def _delay(profile: Profile, layers: Sequence[Layer], meant: Sequence[Layer]) -> tuple[float, Source]:
    if profile.name != "official":
        return _named(profile, "delay", meant, profile.delay)
    if any(layer.delay is not None for layer in meant):
        raise OutOfBounds("delay cannot be named: the official profile is paced by its rate in messages per second")
    rate, source = _named(profile, "rate", layers, RATE)
    return 1 / rate, source


def _jitter(profile: Profile, delay: float, layers: Sequence[Layer], meant: Sequence[Layer]) -> tuple[float, Source]:
    """The jitter named, or the widest whose every gap stays within a profile that binds each of them."""
    if not profile.every_gap:
        return _named(profile, "jitter", layers, profile.jitter)
    widest = min(1 - profile.delay.least / delay, profile.delay.most / delay - 1)
    if all(layer.jitter is None for layer in meant):
        return widest, Source.PROFILE
    jitter, source = _named(profile, "jitter", meant, profile.jitter)
    return (jitter, source) if jitter <= widest else (widest, Source.PROFILE)


def _named(profile: Profile, what: str, layers: Sequence[Layer], bounds: Bounds) -> tuple[float, Source]:
    """The strongest layer's word, else the profile's usual value."""
    for layer in reversed(layers):
        value: float | None = getattr(layer, what)
        if value is not None:
            _refuse(profile, what, value, bounds, layer.source)
            return value, layer.source
    if bounds.usual is None:
        raise ValueError(f"no layer names {what}: the {profile.name} profile has no usual one")
    return bounds.usual, Source.PROFILE


def _refuse(profile: Profile, what: str, value: float, bounds: Bounds, source: Source) -> None:
    if not bounds.hold(value):
        raise OutOfBounds(
            f"{what}={value:g} ({source.value}) is out of range: the {profile.name} profile allows {bounds}"
        )
