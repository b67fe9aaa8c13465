"""The risk of a pace in plain words, and the careful profile for a young number."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pacing import Layer, Pace, ProfileName, Source, resolve
from rules.risk import Facts, Level, judge, per_hour

STANDARD = Pace(delay=5, size=75, pause=30, jitter=0.25, profile="standard")
CAREFUL = Pace(delay=30, size=20, pause=1800, jitter=0.5, profile="careful")
YOUNG = Facts(pace=STANDARD, messages=800, new=800, new_cap=20, mature=False, age_days=2)
GROWN = Facts(pace=replace(STANDARD, delay=3), messages=1000, new=250, new_cap=300, mature=True, age_days=200)

profiles: st.SearchStrategy[ProfileName] = st.sampled_from(["standard", "careful", "official"])
facts = st.builds(
    lambda profile, messages, new, cap, mature, age, quiet, rate: Facts(
        pace=resolve(
            Layer(source=Source.ENVIRONMENT, delay=5, size=75, pause=30, jitter=0.25, rate=20, meant_for="standard"),
            Layer(source=Source.CAMPAIGN, profile=profile),
        ),
        messages=messages,
        new=min(messages, new),
        new_cap=cap,
        mature=mature,
        age_days=age,
        quiet=quiet,
        reply_rate=rate,
    ),
    profiles,
    st.integers(1, 5000),
    st.integers(0, 5000),
    st.sampled_from([20, 40, 80, 150, 300]),
    st.booleans(),
    st.one_of(st.none(), st.integers(0, 1000)),
    st.booleans(),
    st.one_of(st.none(), st.floats(0, 1)),
)


def test_a_young_number_at_the_standard_pace_is_a_high_risk_and_careful_is_proposed() -> None:
    risk = judge(YOUNG)
    assert risk.level is Level.HIGH
    assert risk.proposal is not None
    assert risk.proposal.why == (
        "This number is young (2 days): take the careful profile. These 800 messages then take 40 days at 20 new "
        "conversations a day, fewer as it earns more."
    )


def test_the_careful_profile_within_its_caps_is_a_low_risk() -> None:
    risk = judge(replace(YOUNG, pace=CAREFUL, messages=20, new=20, quiet=True))
    assert risk.level is Level.LOW
    assert risk.proposal is None
    assert risk.sentences[0] == "Nothing about this pace is known to draw attention."


def test_a_mature_number_at_the_default_pace_is_a_moderate_risk_and_nothing_is_proposed() -> None:
    risk = judge(GROWN)
    assert (risk.level, risk.proposal) == (Level.MODERATE, None)
    assert "1000 messages leave within an hour" in risk.sentences[0]


@pytest.mark.parametrize(
    ("change", "level", "says"),
    [
        ({"new": 301}, Level.MODERATE, "even a mature number should open about 300"),
        ({"mature": False}, Level.HIGH, "operators report reviews from 100 to 200 on"),
        ({"reply_rate": 0.12}, Level.MODERATE, "Only 12 % of the people"),
        ({"pace": replace(STANDARD, jitter=0.05)}, Level.MODERATE, "The gaps hardly vary"),
        ({"messages": 20_000}, Level.MODERATE, "no quiet hours are set"),
        ({"pace": replace(STANDARD, delay=0.05, profile="official")}, Level.HIGH, "20 messages a second"),
        ({"mature": False, "pace": replace(CAREFUL, pause=600), "quiet": True}, Level.MODERATE, "about 30 are advised"),
    ],
)  # fmt: skip
def test_each_concern_is_said_in_words(change: dict[str, object], level: Level, says: str) -> None:
    risk = judge(replace(GROWN, **change))  # type: ignore[arg-type]
    assert risk.level is level
    assert any(says in sentence for sentence in risk.sentences)


def test_whatsapps_own_interface_is_no_risk_of_ours() -> None:
    risk = judge(replace(YOUNG, own_api=True))
    assert (risk.level, risk.proposal) == (Level.LOW, None)


@given(facts)
def test_every_judgement_is_in_sentences_the_gravest_first_and_names_the_terms(seen: Facts) -> None:
    risk = judge(seen)
    assert all(sentence.endswith(".") for sentence in risk.sentences)
    assert "WhatsApp's terms" in risk.sentences[-1]
    assert (risk.proposal is not None) is (not seen.mature and seen.pace.profile != "careful")


@given(facts)
def test_maturity_never_raises_a_risk(seen: Facts) -> None:
    order = list(Level)
    young, grown = judge(replace(seen, mature=False)), judge(replace(seen, mature=True))
    assert order.index(grown.level) <= order.index(young.level)


@given(facts)
def test_the_rate_of_an_hour_counts_the_pauses(seen: Facts) -> None:
    pace = seen.pace
    assert per_hour(pace) * (pace.size * pace.delay + pace.pause) / pace.size == pytest.approx(3600)
