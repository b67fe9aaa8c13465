"""Typing: within its profile, never longer than the gap, and never at the cost of Message 2."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.pacing import ProfileName
from rules.typing_time import ANSWER_WITHIN, SHORTEST, TYPING, typing_seconds

texts = st.text(max_size=4096)
draws = st.floats(0, 1, exclude_max=True)
profiles: st.SearchStrategy[ProfileName] = st.sampled_from(["standard", "careful", "official"])
steps: st.SearchStrategy[Literal[1, 2]] = st.sampled_from([1, 2])


@given(texts, profiles, steps, draws, st.one_of(st.none(), st.floats(0, 60)), st.floats(0, 30))
def test_typing_is_none_or_long_enough_to_show_and_never_beyond_its_profile(
    text: str, profile: ProfileName, step: Literal[1, 2], draw: float, gap: float | None, since_reply: float
) -> None:
    seconds = typing_seconds(text, profile, step, draw=draw, gap=gap, since_reply=since_reply)
    assert seconds == 0 or SHORTEST <= seconds <= TYPING[profile].most
    if step == 2:
        assert seconds == 0 or since_reply + seconds < ANSWER_WITHIN
    elif gap is not None:
        assert seconds <= gap


@given(texts, draws, st.floats(0, 30))
def test_message_2_never_passes_five_seconds_because_of_typing(text: str, draw: float, since_reply: float) -> None:
    for profile in TYPING:
        seconds = typing_seconds(text, profile, 2, draw=draw, since_reply=since_reply)
        assert seconds <= max(0, 3.5 - since_reply)


@given(st.text(min_size=1, max_size=4096), draws)
def test_the_careful_profile_types_five_to_twenty_seconds(text: str, draw: float) -> None:
    assert 5 <= typing_seconds(text, "careful", 1, draw=draw) <= 20


@given(texts, draws, steps)
def test_the_official_profile_never_types(text: str, draw: float, step: Literal[1, 2]) -> None:
    assert typing_seconds(text, "official", step, draw=draw) == 0


@given(st.text(min_size=1, max_size=4096), draws)
def test_the_standard_profile_types_two_seconds_at_most(text: str, draw: float) -> None:
    assert typing_seconds(text, "standard", 1, draw=draw) == 2


@pytest.mark.parametrize("step", [1, 2])
def test_a_picture_without_words_is_not_typed(step: Literal[1, 2]) -> None:
    assert typing_seconds("", "careful", step) == 0


def test_longer_texts_take_longer_and_no_two_are_alike() -> None:
    short, long = typing_seconds("x" * 70, "careful", 1), typing_seconds("x" * 200, "careful", 1)
    assert short < long
    assert typing_seconds("x" * 100, "careful", 1, draw=0.1) < typing_seconds("x" * 100, "careful", 1, draw=0.9)
