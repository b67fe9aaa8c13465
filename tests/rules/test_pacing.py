"""Pacing: what is allowed, whose word counts, and gaps that vary while their sum does not."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pacing import PROFILES, RATE, Layer, OutOfBounds, Pace, ProfileName, Source, gaps, resolve, scaled

ENVIRONMENT = Layer(
    source=Source.ENVIRONMENT,
    profile="standard",
    delay=5,
    size=75,
    pause=30,
    jitter=0.25,
    rate=20,
    meant_for="standard",
)
CONFIGURATION = Layer(source=Source.CONFIGURATION)
SENDER = Layer(source=Source.SENDER)
CAMPAIGN = Layer(source=Source.CAMPAIGN)

draw = st.floats(0, 1, exclude_max=True)
edges = st.sampled_from([2, 3, 5, 10, 15, 30, 45, 600, 1500, math.nan, math.inf])
numbers = st.one_of(st.none(), st.floats(-1, 4000), edges)
layers = st.builds(
    Layer,
    source=st.just(Source.CAMPAIGN),
    profile=st.sampled_from([None, "standard", "careful", "official"]),
    delay=numbers,
    size=st.one_of(st.none(), st.integers(-5, 1100)),
    pause=numbers,
    jitter=st.one_of(st.none(), st.floats(-0.5, 1.5)),
    rate=st.one_of(st.none(), st.floats(-1, 2000)),
)


def inside(pace: Pace) -> bool:
    profile = PROFILES[pace.profile]
    return (
        profile.delay.hold(pace.delay)
        and profile.size.hold(pace.size)
        and profile.pause.hold(pace.pause)
        and profile.jitter.hold(pace.jitter)
    )


@given(st.lists(layers, max_size=3), st.booleans(), st.floats(2, 10))
def test_1_configuration_bounds_whatever_is_asked_for_is_inside_them_or_refused(
    asked: list[Layer], mature: bool, mature_delay: float
) -> None:
    try:
        pace = resolve(ENVIRONMENT, *asked, mature=mature, mature_delay=mature_delay)
    except OutOfBounds as refused:
        assert str(refused)
    else:
        assert inside(pace)
        assert set(pace.sources) == {"profile", "delay", "size", "pause", "jitter"}


@pytest.mark.parametrize(
    ("profile", "what", "value", "allowed"),
    [
        ("standard", "delay", 1.99, "2 to 10"),
        ("standard", "delay", 10.01, "2 to 10"),
        ("standard", "delay", math.nan, "2 to 10"),
        ("standard", "size", 24, "25 to 100"),
        ("standard", "size", 101, "25 to 100"),
        ("standard", "pause", -1, "0 to 3600"),
        ("standard", "pause", 3601, "0 to 3600"),
        ("standard", "jitter", 0.91, "0 to 0.9"),
        ("careful", "delay", 14, "15 to 45"),
        ("careful", "delay", 46, "15 to 45"),
        ("careful", "size", 26, "15 to 25"),
        ("careful", "pause", 599, "600 to 1500"),
        ("official", "rate", 0.5, "1 to 1000"),
        ("official", "rate", 1001, "1 to 1000"),
        ("official", "pause", 1, "0 to 0"),
    ],
)
def test_a_value_outside_its_profile_is_refused_with_value_source_and_range(
    profile: ProfileName, what: str, value: float, allowed: str
) -> None:
    asked: dict[str, float] = {what: value}
    with pytest.raises(OutOfBounds) as refused:
        resolve(ENVIRONMENT, replace(CAMPAIGN, profile=profile, **asked))  # type: ignore[arg-type]
    assert f"{what}={value:g} (campaign)" in str(refused.value)
    assert f"the {profile} profile allows {allowed}" in str(refused.value)


def test_the_edges_are_allowed() -> None:
    for edge in (
        {"delay": 2.0, "size": 25, "pause": 0.0, "jitter": 0.0},
        {"delay": 10.0, "size": 100, "pause": 3600.0, "jitter": 0.9},
    ):
        pace = resolve(ENVIRONMENT, replace(CAMPAIGN, **edge))  # type: ignore[arg-type]
        assert {what: getattr(pace, what) for what in edge} == edge


def test_a_stronger_layer_wins_value_by_value_and_is_named() -> None:
    pace = resolve(
        ENVIRONMENT,
        replace(CONFIGURATION, delay=4, pause=60),
        replace(SENDER, delay=6),
        replace(CAMPAIGN, size=50),
        mature=False,
        mature_delay=3,
    )
    assert (pace.delay, pace.size, pace.pause, pace.jitter, pace.profile) == (6, 50, 60, 0.25, "standard")
    assert pace.sources == {
        "profile": "environment",
        "delay": "sender",
        "size": "campaign",
        "pause": "configuration",
        "jitter": "environment",
    }


@pytest.mark.parametrize(
    ("mature", "asked", "delay", "source"),
    [
        (False, SENDER, 5, "environment"),
        (True, SENDER, 3, "maturity"),
        (True, replace(SENDER, delay=2.5), 2.5, "sender"),
        (True, replace(CONFIGURATION, delay=9), 3, "maturity"),
        (True, replace(CAMPAIGN, delay=9), 9, "campaign"),
        (True, replace(CAMPAIGN, size=50), 3, "maturity"),
        (True, replace(CAMPAIGN, profile="careful"), 30, "profile"),
        (True, replace(CAMPAIGN, profile="official"), 0.05, "environment"),
    ],
)
def test_maturity_lowers_a_standard_delay_that_no_campaign_named(
    mature: bool, asked: Layer, delay: float, source: str
) -> None:
    pace = resolve(ENVIRONMENT, asked, mature=mature, mature_delay=3)
    assert (pace.delay, pace.sources["delay"]) == (delay, source)


def test_a_mature_delay_outside_the_profile_is_refused() -> None:
    with pytest.raises(OutOfBounds, match="mature_delay=1"):
        resolve(ENVIRONMENT, mature=True, mature_delay=1)


def test_numbers_meant_for_another_profile_do_not_leak_into_this_one() -> None:
    pace = resolve(ENVIRONMENT, replace(CONFIGURATION, delay=4), replace(SENDER, profile="careful"))
    assert (pace.delay, pace.size, pace.pause, pace.jitter) == (30, 20, 1050, 0.5)
    assert pace.sources["profile"] == "sender"
    assert pace.sources["delay"] == "profile"
    back = resolve(
        ENVIRONMENT, replace(SENDER, profile="careful", delay=20), replace(CAMPAIGN, profile="standard"), mature=False
    )
    assert (back.delay, back.size) == (5, 75)


def test_the_environment_may_choose_careful_and_keep_its_standard_numbers_for_later() -> None:
    careful = replace(ENVIRONMENT, profile="careful")
    assert resolve(careful).delay == 30
    assert resolve(careful, replace(CONFIGURATION, profile="standard")).delay == 5


@given(st.floats(15, 45), st.one_of(st.none(), st.floats(0, 0.9)), st.lists(draw, min_size=25, max_size=25))
def test_every_single_gap_of_the_careful_profile_is_15_to_45_seconds(
    delay: float, jitter: float | None, draws: list[float]
) -> None:
    pace = resolve(ENVIRONMENT, replace(CAMPAIGN, profile="careful", delay=delay, jitter=jitter))
    for gap in gaps(pace.delay, 25, pace.jitter, draws):
        assert 15 - 1e-9 <= gap <= 45 + 1e-9


@given(st.floats(RATE.least, RATE.most))
def test_the_official_profile_is_paced_by_messages_per_second_without_pause(rate: float) -> None:
    pace = resolve(ENVIRONMENT, replace(CAMPAIGN, profile="official", rate=rate))
    assert pace.delay * rate == pytest.approx(1)
    assert pace.pause == 0


def test_the_official_profile_refuses_a_delay() -> None:
    with pytest.raises(OutOfBounds, match="messages per second"):
        resolve(ENVIRONMENT, replace(CAMPAIGN, profile="official", delay=0.5))


def test_what_nobody_names_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="no layer names delay"):
        resolve(replace(SENDER, profile="standard"))
    with pytest.raises(ValueError, match="no layer names a pacing profile"):
        resolve(CAMPAIGN)


@given(st.floats(0.001, 60), st.floats(0, 0.9), st.lists(draw, min_size=1, max_size=120))
def test_gaps_vary_within_the_jitter_and_add_up_exactly(delay: float, jitter: float, draws: list[float]) -> None:
    drawn = gaps(delay, len(draws), jitter, draws)
    assert len(drawn) == len(draws)
    assert math.isclose(sum(drawn), len(draws) * delay, rel_tol=1e-12, abs_tol=1e-9)
    assert all(delay * (1 - jitter) - 1e-9 <= gap <= delay * (1 + jitter) + 1e-9 for gap in drawn)
    assert drawn == gaps(delay, len(draws), jitter, draws)


def test_gaps_fill_every_slice_of_the_jitter() -> None:
    dice = random.Random(7)
    drawn = sorted(gaps(1, 50, 0.5, [dice.random() for _ in range(50)]))
    for slice_, gap in enumerate(drawn):
        assert slice_ / 50 - 1e-9 <= gap - 0.5 <= (slice_ + 1) / 50 + 1e-9


def test_gaps_are_shuffled_differently_each_time() -> None:
    dice = random.Random(7)
    batches = {tuple(gaps(3, 75, 0.25, [dice.random() for _ in range(75)])) for _ in range(50)}
    assert len(batches) == 50
    assert len({round(gap, 6) for batch in batches for gap in batch}) > 3000  # not one set of 75 in another order
    firsts = [batch[0] for batch in batches]
    assert min(firsts) < 2.6
    assert max(firsts) > 3.4


def test_no_batch_has_no_gaps() -> None:
    assert gaps(3, 0, 0.25, []) == []


@pytest.mark.parametrize("draws", [[0.5], [0.5, 1.0], [0.5, -0.1], [0.5, math.nan]])
def test_gaps_need_a_draw_each_in_zero_to_one(draws: list[float]) -> None:
    with pytest.raises(ValueError, match="2 gaps need 2 draws"):
        gaps(3, 2, 0.25, draws)


@given(st.floats(0, 3600), st.floats(1, 1000))
def test_time_scale_divides(seconds: float, scale: float) -> None:
    assert scaled(seconds, scale) == seconds / scale
