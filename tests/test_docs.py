"""Documents cannot lie: what can be compared with the code is."""

import re

import pytest

from local import place
from local.env_example import example
from rules.status import ALLOWED

HOW_IT_WORKS = (place.ROOT / "docs" / "how-it-works.md").read_text()
README = (place.ROOT / "README.md").read_text()


def test_env_example_lists_every_variable_of_the_settings_with_its_sentence() -> None:
    written = (place.ROOT / ".env.example").read_text()
    assert written == example(), "run: python -m local.env_example > .env.example"


@pytest.mark.parametrize("subject", sorted(ALLOWED))
def test_the_state_diagram_shows_exactly_the_allowed_moves(subject: str) -> None:
    drawing = HOW_IT_WORKS.split(f"### {subject.capitalize()}")[1].split("```")[1]
    drawn = set(re.findall(r"(\w+) --> (\w+)", drawing))
    assert drawn == {(old.value, new.value) for old, news in ALLOWED[subject].items() for new in news}


def test_the_readme_names_every_door_and_only_doors_that_exist() -> None:
    named = set(re.findall(r"`(bin/\w+)", README))
    assert named == {f"bin/{door.name}" for door in (place.ROOT / "bin").iterdir()}


@pytest.mark.parametrize("page", ["README.md", "docs/how-it-works.md", "docs/operations.md", "docs/decisions.md"])
def test_every_file_a_page_names_exists(page: str) -> None:
    text = (place.ROOT / page).read_text()
    named = re.findall(r"`((?:rules|models|gateway|actors|web|cli|local|scheduler|docs|bin)/[\w/.-]+\.\w+)`", text)
    missing = [name for name in named if not (place.ROOT / name).exists()]
    assert not missing


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) <= 100
