"""A process with settings it cannot use does not start, and says which, why, and what is allowed."""

from __future__ import annotations

import os
import subprocess
import sys
import typing
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Literal

import pytest

import settings
from actors import delivery, lane
from local.env_example import example
from local.place import ROOT

LEAST = {
    "DATABASE_URL": "postgresql://relance@127.0.0.1/relance",
    "REDIS_URL": "redis://127.0.0.1/0",
    "SECRET_KEY": "s" * 32,
    "BOOTSTRAP_API_KEY": "b" * 24,
    "WASSENGER_API_KEY": "w" * 32,
    "WASSENGER_WEBHOOK_SECRET": "t" * 16,
}
BOUNDED = [f for f in fields(settings.Settings) if f.metadata["bounds"]]
HINTS = typing.get_type_hints(settings.Settings)
CHOICES = [f.name for f in fields(settings.Settings) if typing.get_origin(HINTS[f.name]) is Literal]


def refusal(**changes: str) -> str:
    with pytest.raises(settings.BadSettings) as refused:
        settings.load({**LEAST, **changes})
    return str(refused.value)


def test_the_required_variables_are_enough() -> None:
    loaded = settings.load(LEAST)
    assert loaded.port == 8000
    assert loaded.fence_seconds == loaded.gateway_timeout_seconds + 1
    assert not loaded.gateway_is_local


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(settings.BadSettings) as refused:
        settings.load({})
    required = [f.name.upper() for f in fields(settings.Settings) if f.default is MISSING]
    assert [line.split()[0] for line in str(refused.value).splitlines()] == required


@pytest.mark.parametrize("field", BOUNDED, ids=lambda f: f.name)
@pytest.mark.parametrize("side", [0, 1])
def test_a_value_out_of_range_is_refused_with_name_value_and_range(field: typing.Any, side: int) -> None:
    low, high = field.metadata["bounds"]
    value = low - 1 if side == 0 else high + 1
    text = refusal(**{field.name.upper(): f"{value:.10g}"})
    assert f"{field.name.upper()}={value:g} is out of range: {low:g} to {high:g}" in text


@pytest.mark.parametrize("field", BOUNDED, ids=lambda f: f.name)
def test_not_a_number_is_refused_with_name_and_value(field: typing.Any) -> None:
    text = refusal(**{field.name.upper(): "soon"})
    assert f"{field.name.upper()}='soon' cannot be used: a " in text


@pytest.mark.parametrize("field", [f for f in BOUNDED if HINTS[f.name] is float], ids=lambda f: f.name)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_what_only_looks_like_a_number_is_refused(field: typing.Any, value: str) -> None:
    assert field.name.upper() in refusal(**{field.name.upper(): value})


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_that_is_none_is_refused_with_the_choices(name: str) -> None:
    text = refusal(**{name.upper(): "something"})
    assert text == f"{name.upper()}='something' cannot be used: one of {', '.join(typing.get_args(HINTS[name]))}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WASSENGER_DEVICE_ID", "not-hex"),
        ("WASSENGER_BASE_URL", "ftp://127.0.0.1"),
        ("DEFAULT_TIMEZONE", "Paris"),
        ("DEFAULT_REGION", "fra"),
        ("QUIET_HOURS", "21h-8h"),
        ("WASSENGER_REQUIRE_SIGNATURE", "maybe"),
    ],
)
def test_a_malformed_value_is_refused_with_name_and_value(name: str, value: str) -> None:
    text = refusal(**{name: value})
    assert text.startswith(f"{name}={value!r} ")


@pytest.mark.parametrize("name", ["SECRET_KEY", "BOOTSTRAP_API_KEY", "WASSENGER_WEBHOOK_SECRET"])
def test_a_short_secret_is_refused_and_not_shown(name: str) -> None:
    text = refusal(**{name: "tell-no-one"})
    assert f"{name}=(hidden) is too short: at least " in text
    assert "tell-no-one" not in text


def test_shortened_waits_are_refused_where_real_numbers_could_be_reached() -> None:
    text = refusal(TIME_SCALE="20", WASSENGER_BASE_URL="https://api.wassenger.com")
    assert text.startswith("TIME_SCALE=20 is refused: WASSENGER_BASE_URL is not loopback")


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost:9", "[::1]:9"])
def test_shortened_waits_are_honoured_on_loopback(host: str) -> None:
    loaded = settings.load({**LEAST, "TIME_SCALE": "20", "WASSENGER_BASE_URL": f"http://{host}"})
    assert loaded.gateway_is_local
    assert loaded.time_scale == 20


def test_a_demanded_signature_needs_its_key() -> None:
    assert "needs WASSENGER_SIGNING_SECRET" in refusal(WASSENGER_REQUIRE_SIGNATURE="yes")


def test_values_are_read_as_what_they_are() -> None:
    loaded = settings.load(
        {
            **LEAST,
            "WASSENGER_REQUIRE_SIGNATURE": "TRUE",
            "WASSENGER_SIGNING_SECRET": "k",
            "OPT_OUT_WORDS": "stop, non merci ,",
            "REPLY_WINDOW_HOURS": "0.5",
            "LOG_FORMAT": "Console",
        }
    )
    assert loaded.wassenger_require_signature is True
    assert loaded.opt_out_words == ("stop", "non merci")
    assert loaded.reply_window_hours == 0.5
    assert loaded.log_format == "console"


def test_the_environment_wins_over_the_file_and_a_bad_value_stops_the_process(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}={value}\n" for name, value in LEAST.items()) + "PORT=1234\n")

    def shown(**changes: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if k not in LEAST}
        return subprocess.run(
            [sys.executable, "-c", "import settings; print(settings.get().port)"],
            env={**clean, "PYTHONPATH": str(ROOT), "RELANCE_ENV_FILE": str(file), **changes},
            capture_output=True,
            text=True,
            check=False,
        )

    assert shown().stdout.strip() == "1234"
    assert shown(PORT="4321").stdout.strip() == "4321"
    refused = shown(PORT="70000")
    assert refused.returncode != 0
    assert "PORT=70000 is out of range: 0 to 65535" in refused.stderr


def test_the_example_is_read_back_as_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    optional = [line.removeprefix("# ") for line in example().splitlines() if "=" in line and line.startswith("# ")]
    file.write_text("\n".join(line for line in optional if line.partition("=")[0].isupper()))
    for name in {f.name.upper() for f in fields(settings.Settings)}:
        monkeypatch.delenv(name, raising=False)
    for name, value in LEAST.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RELANCE_ENV_FILE", str(file))
    settings.get.cache_clear()
    try:
        assert settings.get() == settings.load(LEAST)
    finally:
        settings.get.cache_clear()


def test_no_allowed_deadline_outlives_a_lease_or_a_promise() -> None:
    """Whoever writes at the last moment that its lease allows has its answer before the lease ends."""
    (bounds,) = [f.metadata["bounds"] for f in fields(settings.Settings) if f.name == "gateway_timeout_seconds"]
    longest = settings.load(LEAST | {"GATEWAY_TIMEOUT_SECONDS": str(bounds[1])})
    assert longest.fence_seconds > longest.gateway_timeout_seconds
    to_promise = settings.LEASE_RENEW_SECONDS + lane.AHEAD_SECONDS + lane.SLICE_SECONDS
    assert to_promise <= settings.LEASE_SECONDS - longest.fence_seconds
    assert delivery.EXPIRES_SECONDS > settings.LEASE_SECONDS
